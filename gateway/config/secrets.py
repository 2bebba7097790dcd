"""Where a password or another secret comes from. It is read once, when the configuration is loaded, and never shown."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from gateway.config.positions import KeyPath
from gateway.config.report import Report
from gateway.config.settings import Secret
from gateway.driver import SecretSource

LARGEST = 4096
"""Bytes; MQTT allows 65,535, but nobody has a password that long."""
HOWS = ("file", "env", "credential")
IN_PLAIN_TEXT = "is in plain text"
"""What is warned about begins with ``the``, the word for the secret, and this."""


def password(
    value: str | SecretSource,
    path: KeyPath,
    report: Report,
    *,
    folder: Path,
    environ: Mapping[str, str],
    what: str = "password",
) -> Secret | None:
    """The password, or ``None`` with the mistake in the report. ``what``: the word for it."""
    secret = _secret(value, path, report, folder=folder, environ=environ, what=what)
    if secret is None or secret.reveal():
        return secret
    at = path if isinstance(value, str) else (*path, next(how for how in HOWS if getattr(value, how) is not None))
    report.add(at, f"the {what} is empty", "leave the key out where none is wanted")
    return None


def _secret(
    value: str | SecretSource, path: KeyPath, report: Report, *, folder: Path, environ: Mapping[str, str], what: str
) -> Secret | None:
    if isinstance(value, str):
        if "${" not in str(report.raw(path)):
            report.warn(path, f'the {what} {IN_PLAIN_TEXT}; better is {{ file = "..." }} or {{ env = "NAME" }}')
        return Secret(value)
    given = [(how, where) for how in HOWS if (where := getattr(value, how)) is not None]
    if len(given) != 1:
        report.add(
            path,
            f"names no place where the {what} is, or several",
            'accepted: one of { file = "..." }, { env = "NAME" } and { credential = "NAME" }',
        )
        return None
    how, where = given[0]
    path = (*path, how)
    if how == "env":
        if where not in environ:
            report.add(path, f"the environment variable {where} is not set", f"set {where} before the start")
            return None
        return Secret(environ[where])
    if how == "credential":
        return _credential(where, path, report, environ)
    return _from_file(folder / where, path, report)


def _credential(name: str, path: KeyPath, report: Report, environ: Mapping[str, str]) -> Secret | None:
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        report.add(
            path,
            "there are no systemd credentials here ($CREDENTIALS_DIRECTORY is not set)",
            f"add LoadCredential={name}:/path/of/the/file to the unit",
        )
        return None
    if "/" in name or name in ("", ".", ".."):
        report.add(
            path, f'"{name}" is no name of a credential', "accepted: the name before the colon in LoadCredential="
        )
        return None
    return _from_file(Path(directory) / name, path, report, private=True)


def _from_file(file: Path, path: KeyPath, report: Report, *, private: bool = False) -> Secret | None:
    try:
        with file.open("rb") as opened:
            raw = opened.read(LARGEST + 1)
        mode = file.stat().st_mode
    except (OSError, ValueError) as error:
        report.add(path, f"{file} cannot be read: {getattr(error, 'strerror', None) or error}")
        return None
    if len(raw) > LARGEST:
        report.add(
            path, f"{file} is larger than {LARGEST} bytes", "accepted: a file that holds the secret and nothing else"
        )
        return None
    if mode & stat.S_IROTH and not private:
        report.warn(path, f"everybody on this machine can read {file}; chmod 600 {file}")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        report.add(path, f"{file} is not UTF-8 text")
        return None
    return Secret(text.removesuffix("\n").removesuffix("\r"))
