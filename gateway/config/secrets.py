"""Where a password comes from. It is read once, when the configuration is loaded, and never shown."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from gateway.config.positions import KeyPath
from gateway.config.report import Report
from gateway.config.settings import Secret
from gateway.config.shape import PasswordTable

LARGEST = 4096
"""Bytes; MQTT allows 65,535, but nobody has a password that long."""


def password(
    value: str | PasswordTable, path: KeyPath, report: Report, *, folder: Path, environ: Mapping[str, str]
) -> Secret | None:
    """The password, or ``None`` with the mistake in the report."""
    if isinstance(value, str):
        if "${" not in str(report.raw(path)):
            report.warn(path, 'the password is in plain text; better is { file = "..." } or { env = "NAME" }')
        return _checked(value, path, report)
    given = [(how, where) for how in ("file", "env", "credential") if (where := getattr(value, how)) is not None]
    if len(given) != 1:
        report.add(
            path,
            "names no place where the password is, or several",
            'accepted: one of { file = "..." }, { env = "NAME" } and { credential = "NAME" }',
        )
        return None
    how, where = given[0]
    path = (*path, how)
    if how == "env":
        if where not in environ:
            report.add(path, f"the environment variable {where} is not set", f"set {where} before the start")
            return None
        return _checked(environ[where], path, report)
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
            path, f"{file} is larger than {LARGEST} bytes", "accepted: a file that holds the password and nothing else"
        )
        return None
    if mode & stat.S_IROTH and not private:
        report.warn(path, f"everybody on this machine can read {file}; chmod 600 {file}")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        report.add(path, f"{file} is not UTF-8 text")
        return None
    return _checked(text.removesuffix("\n").removesuffix("\r"), path, report)


def _checked(text: str, path: KeyPath, report: Report) -> Secret | None:
    if not text:
        report.add(path, "the password is empty", "leave the key out where the broker wants none")
        return None
    return Secret(text)
