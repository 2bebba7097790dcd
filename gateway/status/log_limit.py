"""Keeps one device, or one library, from filling the log: systemd's own limit is for all of us together.

A device that flaps, or a library that complains about each of a thousand readings a second, gets :data:`MOST` lines a
minute. The others are counted, and the last of them is kept: it tells how things stand.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from gateway import threads

MOST = 30
EACH = 60.0
"""Seconds in which that many lines are logged."""


@dataclass(slots=True)
class _Share:
    since: float
    logged: int = 0
    left_out: int = 0
    last: logging.LogRecord | None = None


class LogLimit:
    """Used by one handler, under its lock."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}

    def admits(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written. Those of level debug were asked for, and all are."""
        key = _key(record)
        if key is None or record.levelno <= logging.DEBUG or logging.getLogger().isEnabledFor(logging.DEBUG):
            return True
        share = self._shares.setdefault(key, _Share(record.created))
        if share.logged < MOST:
            share.logged += 1
            return True
        share.left_out += 1
        share.last = record
        return False

    def due(self, now: float) -> Iterator[logging.LogRecord]:
        """Lines about what was left out in the minutes that are over."""
        for key, share in list(self._shares.items()):
            if not 0 <= now - share.since < EACH:  # a clock that was set begins anew
                del self._shares[key]
                if share.last is not None:
                    yield _about(key, share.left_out, share.last)


def device_of(record: logging.LogRecord) -> str | None:
    """The device on whose thread it was said."""
    return threads.device_of(record.threadName or "")


def is_ours(record: logging.LogRecord) -> bool:
    """Whether the gateway says it, not a library."""
    return record.name.split(".")[0] == "gateway"


def _key(record: logging.LogRecord) -> str | None:
    """The device, else the library; nobody limits what the gateway says of itself."""
    return device_of(record) or (None if is_ours(record) else record.name)


def _about(key: str, count: int, last: logging.LogRecord) -> logging.LogRecord:
    text = "%s: %d line(s) were left out of the log in a minute; the last: %s"
    values = {"name": __name__, "levelno": last.levelno, "levelname": last.levelname}
    return logging.makeLogRecord({**values, "msg": text, "args": (key, count, last.getMessage())})
