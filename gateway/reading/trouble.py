"""What an exception out of a driver means: one of five reactions, and a line for people."""

from __future__ import annotations

import os
import traceback
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath
from types import TracebackType

from gateway.driver import BadReading, DeviceUnavailable, DriverError, Misconfigured
from gateway.status.text import plain

_GONE: tuple[type[BaseException], ...] = (DeviceUnavailable, OSError)
with suppress(ImportError):  # not on Windows
    import termios

    _GONE = (*_GONE, termios.error)  # what a call on an unplugged port can raise; it is no OSError
_OURS = f"{Path(__file__).parents[1]}{os.sep}"


class Reaction(Enum):
    """What the reader does next."""

    REOPEN = "close, wait, open again"
    COUNT = "count it and poll again"
    STOP = "stop this device"
    BUG = "drop the driver object, wait, make a new one"
    REPLACE = "end: this reader is of no use any more, another takes its place"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One exception, sorted. ``text`` and ``hint`` are safe to show and to log."""

    reaction: Reaction
    text: str
    hint: str = ""


class Relayed(Exception):
    """Trouble that was sorted out in another process, or with another process."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


def sort_out(error: BaseException) -> Trouble:
    """Sort an exception that a driver raised. Never raises, whatever the exception's own methods do."""
    if type(error) is Relayed:  # not isinstance, which asks the exception
        return error.trouble
    kind = type(error)
    if issubclass(kind, DriverError):
        reaction = Reaction.BUG
        if issubclass(kind, Misconfigured):
            reaction = Reaction.STOP
        elif issubclass(kind, BadReading):
            reaction = Reaction.COUNT
        elif issubclass(kind, DeviceUnavailable):
            reaction = Reaction.REOPEN
        return Trouble(reaction, plain(_message(error) or kind.__name__), plain(_hint(error)))
    if issubclass(kind, _GONE):
        return Trouble(Reaction.REOPEN, plain(_os_message(error)))
    message = _message(error)
    text = f"driver bug{_place(error.__traceback__)}: {kind.__name__}{': ' if message else ''}{message}"
    return Trouble(Reaction.BUG, plain(text), "the log has the traceback at level debug")


def _message(error: BaseException) -> str:
    try:
        return str.__str__(str(error))
    except BaseException:  # noqa: BLE001 (an exception's own __str__ may raise anything)
        return "its message cannot be shown"


def _hint(error: BaseException) -> str:
    try:
        hint = getattr(error, "hint", "")
        return str.__str__(hint) if isinstance(hint, str) else ""
    except BaseException:  # noqa: BLE001 (the same)
        return ""


def _os_message(error: BaseException) -> str:
    """``/dev/ttyUSB0: No such file or directory`` instead of ``[Errno 2] …``."""
    try:
        if isinstance(error, OSError) and error.strerror:
            return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    except BaseException:  # noqa: BLE001 (the same)
        return type(error).__name__
    return _message(error) or type(error).__name__


def _place(trace: TracebackType | None) -> str:
    """`` at FILE:LINE``: the innermost line of the driver's own file."""
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]
    outside = [(file, line) for file, line in places if not file.startswith((_OURS, "<frozen importlib"))]
    mine = [(file, line) for file, line in outside if file == outside[0][0]]
    return f" at {PurePath(mine[-1][0]).name}:{mine[-1][1]}" if mine else ""
