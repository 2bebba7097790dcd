"""Writes the log's lines, and never waits for whoever reads them.

A journal that hangs on a failing SD card, a pipe that nobody empties or a terminal that was stopped with Ctrl-S would
stop each thread that has something to say, the publisher and the main loop included. Lines for which there is no room
are left out and counted.
"""

from __future__ import annotations

import contextlib
import logging
import select
import time
from collections.abc import Callable
from typing import TextIO

from gateway.status.log_limit import LogLimit

PATIENCE = 0.2
"""Seconds that the first line waits for room; while there is none, those behind it do not."""
LEFT_OUT = "%d line(s) are missing here: nobody read the log"


class LogStream(logging.StreamHandler[TextIO]):
    """A handler for a stream that may be blocked."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._left_out = 0
        self._has_room = _room_of(stream)
        self._limit = LogLimit()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line if there is room for it, and the device has not had its share. The handler's lock is held."""
        self._sum_up()
        if self._limit.admits(record):
            self._write(record)

    def sweep(self) -> None:
        """Say what was left out, also when nobody has anything else to say. Call it every now and then."""
        with self.lock or contextlib.nullcontext():
            self._sum_up()

    def _sum_up(self) -> None:
        for line in self._limit.due(time.time()):
            self._write(line)

    def _write(self, record: logging.LogRecord) -> None:
        if not self._has_room(0 if self._left_out else PATIENCE):
            self._left_out += 1
            return
        if self._left_out:
            lost, self._left_out = self._left_out, 0
            values = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"}
            super().emit(logging.makeLogRecord({**values, "msg": LEFT_OUT, "args": (lost,)}))
        super().emit(record)


def _room_of(stream: TextIO) -> Callable[[float], bool]:
    """Waits so many seconds at most until the stream takes a line; what is no file always does."""
    try:
        descriptor = stream.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
    except (AttributeError, OSError, ValueError):
        return lambda _seconds: True
    # an error or a hang-up counts as room: writing to it fails at once
    return lambda seconds: bool(poll.poll(seconds * 1000))
