"""Puts the files in their place: whole and valid, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from gateway.config.errors import ConfigErrors
from gateway.config.load import load
from gateway.config.settings import Settings
from gateway.starter.answers import Answers

GROUP = "sensorpost"
"""The service's: what root writes is for it to read."""


def put(answers: Answers, text: str, file: Path, environ: Mapping[str, str]) -> Settings:
    """Write the configuration, and the password where it is a new file; the settings that it means.

    Everything is written into a folder of its own first, read from there as the gateway will, and then moved. Raises
    ``ConfigErrors`` when it is not valid, ``OSError`` when it cannot be written; then nothing is left behind.
    """
    folder = file.parent
    with _workshop(folder) as shop:
        made = shop / file.name
        _write(made, text, 0o644)
        password = answers.password
        if password is not None and password.is_new and password.text is not None:
            _write(shop / password.where, password.text.reveal() + "\n", 0o600)
        elif password is not None and password.how == "file" and not Path(password.where).is_absolute():
            shutil.copy2(folder / password.where, shop / password.where)
        settings = _load(made, folder, {**environ, **_stand_in(answers, shop)})
        if password is not None and password.is_new:
            (shop / password.where).replace(folder / password.where)
        made.replace(file)
    return settings


def _load(made: Path, folder: Path, environ: Mapping[str, str]) -> Settings:
    """Its settings; what is said about files in the workshop is said about the places they will have."""

    def at_home(text: str) -> str:
        return text.replace(f"{made.parent}{os.sep}", "" if folder == Path() else f"{folder}{os.sep}")

    try:
        settings = load(made, environ=environ)
    except ConfigErrors as errors:
        raise ConfigErrors(
            [
                replace(one, file=at_home(one.file), message=at_home(one.message), hint=at_home(one.hint))
                for one in errors.problems
            ]
        ) from None
    return replace(settings, warnings=tuple(map(at_home, settings.warnings)))


@contextlib.contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A folder on the same file system, for us alone. It goes whatever happens, Ctrl-C included."""
    shop = Path(tempfile.mkdtemp(prefix=".sensorpost-init-", dir=folder))
    try:
        yield shop
    finally:
        shutil.rmtree(shop, ignore_errors=True)


def _write(path: Path, text: str, mode: int) -> None:
    """A file that nobody else can read before it has its owner. Root's is for the service's group, too."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if mode == 0o600 and (group := _service_group()) is not None:
            os.fchown(descriptor, 0, group)
            mode = 0o640
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)


def _service_group() -> int | None:
    if os.geteuid() != 0:
        return None
    import grp  # noqa: PLC0415 (only for root)

    try:
        return grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return None


def _stand_in(answers: Answers, shop: Path) -> dict[str, str]:
    """In place of a password that is not here now, so that the rest can be checked."""
    password = answers.password
    if password is None or password.how == "file":
        return {}
    if password.how == "env":
        return {password.where: "unknown"}
    folder = shop / "credentials"
    folder.mkdir(mode=0o700)
    (folder / password.where).write_text("unknown")
    return {"CREDENTIALS_DIRECTORY": str(folder)}
