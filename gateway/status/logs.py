"""The log: where it goes, what a line looks like, and that no traceback reaches anybody who did not ask for one."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

from gateway.status.log_limit import device_of, is_ours
from gateway.status.log_stream import LogStream, descriptor_of
from gateway.status.text import plain

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
NOTHING = "nothing"
"""A level for commands that say themselves what is wrong."""

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}

LONGEST = 4000
"""Characters of one message or one line of a traceback; the journal cuts longer lines in two."""


def setup(level: str = "info", format_: str = "text", environ: Mapping[str, str] = os.environ) -> None:
    """Log to stderr from now on, replacing an earlier set-up.

    ``level`` is debug, info, warning, error or ``NOTHING``, ``format_`` text, json or journal. Under systemd text is
    journal: each line begins with the ``<N>`` that gives it its priority instead of a time stamp, which the journal has
    itself. JSON lines begin with it too there; the journal takes it off.
    """
    handler = LogStream(sys.stderr)
    journal = to_journal(environ, descriptor_of(sys.stderr))
    if format_ == "json":
        handler.setFormatter(JournalJsonLines() if journal else JsonLines())
    elif format_ == "journal" or journal:
        handler.setFormatter(JournalLines())
    else:
        handler.setFormatter(TextLines())
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old.formatter, TextLines)]:
        root.removeHandler(old)
    root.addHandler(handler)
    set_level(level)
    logging.raiseExceptions = False  # a full disk or a closed terminal below the log is not worth a traceback
    threading.excepthook = _thread_ended
    sys.unraisablehook = _unraisable
    warnings.showwarning = _warned


def set_level(level: str) -> None:
    """Log from this level on."""
    logging.getLogger().setLevel(LEVELS.get(level, logging.CRITICAL + 1))


def sweep() -> None:
    """Say what was left out of the log in the last minute. For the main loop."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogStream):
            handler.sweep()


def at_least(level: str, least: str) -> str:
    """For commands that have little to log: ``least``, but debug where debug was asked for."""
    if level == "debug" or least == NOTHING:
        return level if level == "debug" else NOTHING
    return max(level, least, key=LEVELS.__getitem__)


def to_journal(environ: Mapping[str, str], descriptor: int | None) -> bool:
    """Whether ``descriptor`` is the very stream that systemd says goes to the journal."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    if descriptor is None or not (device.isdecimal() and inode.isdecimal()):
        return False
    try:
        stat = os.fstat(descriptor)
    except OSError:
        return False
    return (stat.st_dev, stat.st_ino) == (int(device), int(inode))


class TextLines(logging.Formatter):
    """``2026-11-22T07:00:00.123Z warning office: ...``, a traceback below it at level debug only."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and one more for each line of a traceback; control characters are made visible."""
        head = self.head(record) + plain(said(record), LONGEST)
        lines = [head, *self.traceback(record), *self.stack(record)]
        return "\n".join(lines)

    def head(self, record: logging.LogRecord) -> str:
        """What stands before the message."""
        return f"{stamp(record.created)} {record.levelname.lower():<7} "

    def traceback(self, record: logging.LogRecord) -> list[str]:
        """The lines of the traceback; none for people who did not ask for level debug."""
        if not record.exc_info or not logging.getLogger().isEnabledFor(logging.DEBUG):
            return []
        return ["  " + plain(line, LONGEST) for line in self.formatException(record.exc_info).splitlines()]

    def stack(self, record: logging.LogRecord) -> list[str]:
        """The lines of a stack: whoever logs one was asked for it."""
        return ["  " + plain(line, LONGEST) for line in (record.stack_info or "").splitlines()]


class JournalLines(TextLines):
    """``<4>office: ...``: the priority that journald reads from the line."""

    def format(self, record: logging.LogRecord) -> str:
        """Every line of a traceback has the prefix too, else it would be logged as information."""
        prefix = priority(record)
        return "\n".join(prefix + line for line in super().format(record).split("\n"))

    def head(self, record: logging.LogRecord) -> str:  # noqa: ARG002 (the journal knows the rest)
        """The journal has time and priority."""
        return ""


class JsonLines(TextLines):
    """``{"time", "level", "logger", "message"}``; ``traceback`` at level debug; ``stack`` where one was asked for."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object on one line."""
        entry: dict[str, object] = {
            "time": stamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": plain(said(record), LONGEST),
        }
        if lines := self.traceback(record):
            entry["traceback"] = [line.strip() for line in lines]
        if lines := self.stack(record):
            entry["stack"] = [line.strip() for line in lines]
        return json.dumps(entry, ensure_ascii=False)


class JournalJsonLines(JsonLines):
    """The same for the journal, which keeps them under their priority."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return priority(record) + super().format(record)


def said(record: logging.LogRecord) -> str:
    """The message; what a library says on a device's thread is told with the device's name and its own."""
    text, device = record.getMessage(), device_of(record)
    return text if device is None or is_ours(record) else f"{device}: {record.name}: {text}"


def priority(record: logging.LogRecord) -> str:
    """``<4>``: the level as sd-daemon(3) writes it before a line."""
    return f"<{PRIORITIES.get(record.levelno, 6)}>"


def stamp(seconds: float) -> str:
    """A time since 1970 as RFC 3339 UTC with milliseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


def _thread_ended(what: threading.ExceptHookArgs) -> None:
    name = what.thread.name if what.thread else "?"
    _log_exception(f"thread {name} ended", what.exc_type, what.exc_value, what.exc_traceback)


def _unraisable(what: sys.UnraisableHookArgs) -> None:
    _log_exception(what.err_msg or "ignored exception", what.exc_type, what.exc_value, what.exc_traceback)


def _warned(  # noqa: PLR0917 (Python's signature)
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    """One line in the place of Python's two, which have no level."""
    logging.getLogger("warnings").warning("%s: %s (%s:%d)", category.__name__, message, filename, lineno)


def _log_exception(
    what: str, type_: type[BaseException], error: BaseException | None, traceback: TracebackType | None
) -> None:
    exc_info = (type_, error, traceback) if error is not None else None
    logging.getLogger("gateway").error("%s: %s: %s", what, type_.__name__, error, exc_info=exc_info)
