"""Exceptions of drivers, sorted into the reactions to them."""

from __future__ import annotations

import asyncio
import errno
import json
import termios
from typing import Any, NoReturn

import pytest

from gateway.driver import BadReading, DeviceUnavailable, DriverError, Misconfigured
from gateway.reading.trouble import Reaction, sort_out
from gateway.status.text import LIMIT


class Nasty(BaseException):
    """Nothing can be asked of it."""

    def __str__(self) -> NoReturn:
        raise SystemExit(3)

    def __repr__(self) -> NoReturn:
        raise KeyboardInterrupt

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            raise GeneratorExit
        return super().__getattribute__(name)


class NastyOS(OSError):
    """An OSError whose parts raise."""

    @property
    def strerror(self) -> NoReturn:  # type: ignore[override]
        """Lie."""
        raise MemoryError


class NastyHint(BadReading):
    """A hint that raises."""

    def __getattribute__(self, name: str) -> Any:
        if name == "hint":
            raise RecursionError
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("error", "reaction", "text", "hint"),
    [
        (DeviceUnavailable("no port", hint="plug it in"), Reaction.REOPEN, "no port", "plug it in"),
        (BadReading("bad CRC b'\\x01'"), Reaction.COUNT, "bad CRC b'\\x01'", ""),
        (Misconfigured("no such profile"), Reaction.STOP, "no such profile", ""),
        (Misconfigured(""), Reaction.STOP, "Misconfigured", ""),
        (BadReading("forged\n\x1b[2J"), Reaction.COUNT, "forged\\x0a\\x1b[2J", ""),
        (BadReading("x", hint="forged\n\x1b[2J"), Reaction.COUNT, "x", "forged\\x0a\\x1b[2J"),
        (
            OSError(errno.EIO, "forged\n\x1b[2J", "/dev/\u202e"),
            Reaction.REOPEN,
            "/dev/\\u202e: forged\\x0a\\x1b[2J",
            "",
        ),
        (BadReading("x", hint=7), Reaction.COUNT, "x", ""),  # type: ignore[arg-type]
        (NastyHint("x"), Reaction.COUNT, "x", ""),
        (OSError(errno.ENOENT, "No such file or directory", "/dev/ttyUSB0"), Reaction.REOPEN, None, ""),
        (OSError(errno.EIO, "Input/output error"), Reaction.REOPEN, "Input/output error", ""),
        (TimeoutError(), Reaction.REOPEN, "TimeoutError", ""),
        (NastyOS(5, "x"), Reaction.REOPEN, "NastyOS", ""),
        (termios.error(5, "Input/output error"), Reaction.REOPEN, "(5, 'Input/output error')", ""),
    ],
    ids=lambda case: type(case).__name__,
)
def test_errors_with_a_meaning(error: BaseException, reaction: Reaction, text: str | None, hint: str) -> None:
    """The three errors of drivers, and whatever the system raises when a device goes."""
    trouble = sort_out(error)
    assert trouble.reaction is reaction
    assert trouble.text == (text or "/dev/ttyUSB0: No such file or directory")
    assert trouble.hint == hint


@pytest.mark.parametrize(
    "error",
    [
        Exception("x"),
        DriverError("x"),
        SystemExit("x"),
        KeyboardInterrupt("x"),
        MemoryError("x"),
        RecursionError("x"),
        GeneratorExit("x"),
        StopIteration("x"),
        StopAsyncIteration("x"),
        asyncio.CancelledError("x"),
        BaseExceptionGroup("x", [KeyboardInterrupt()]),
        ZeroDivisionError("x"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_everything_else_is_a_bug(error: BaseException) -> None:
    """All of them, whatever they mean elsewhere."""
    trouble = sort_out(error)
    assert trouble.reaction is Reaction.BUG
    assert "x" in trouble.text


def test_bug_that_cannot_be_shown() -> None:
    """An exception whose every method raises is a bug like another."""
    trouble = sort_out(Nasty())
    assert trouble.reaction is Reaction.BUG
    assert trouble.text == "driver bug: Nasty: its message cannot be shown"


def test_bug_cannot_forge_a_line() -> None:
    """What a library says may hold anything that a device has sent, and any length of it."""
    text = sort_out(ValueError("forged\n\x1b[2J" + "x" * 1000)).text
    assert text.startswith("driver bug: ValueError: forged\\x0a\\x1b[2J")
    assert len(text) == LIMIT


def test_bug_names_the_drivers_line() -> None:
    """The innermost line of the driver's own file, not the library's that it called."""

    def read() -> None:
        json.loads("{")

    try:
        read()
    except ValueError as error:
        trouble = sort_out(error)
    line = read.__code__.co_firstlineno + 1
    assert trouble.text.startswith(f"driver bug at test_trouble.py:{line}: JSONDecodeError: Expecting property name")
