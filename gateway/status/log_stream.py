"""Writes the log's lines, and never waits for whoever reads them.

A journal that hangs on a failing SD card, a pipe that nobody empties or a terminal that was stopped with Ctrl-S would
stop each thread that has something to say, the publisher and the main loop included. Lines for which there is no room
are left out and counted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import time
from typing import TextIO

from gateway.status.log_limit import LogLimit

PIECE = select.PIPE_BUF
PATIENCE = 0.2
"""Seconds that a line waits for room, where the one before it had some."""
LEFT_OUT = "%d line(s) are missing here: nobody read the log"


class LogStream(logging.StreamHandler[TextIO]):
    """A handler for a stream that may be blocked."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._left_out = 0
        self._is_cut = False
        """Whether the last line has no end, since there was no room for all of it."""
        self._descriptor = descriptor_of(stream)
        self._poll = select.poll()
        if self._descriptor is not None:
            self._poll.register(self._descriptor, select.POLLOUT)
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
        try:
            line = self.format(record) + "\n"
            if self._left_out:
                values = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"}
                lost = logging.makeLogRecord({**values, "msg": LEFT_OUT, "args": (self._left_out,)})
                if not self._put(self.format(lost) + "\n", 0):
                    self._left_out += 1
                    return
                self._left_out = 0
            if not self._put(line, PATIENCE):
                self._left_out += 1
        except Exception:  # noqa: BLE001 (as every handler: what is wrong with the log is no reason to stop)
            self.handleError(record)

    def _put(self, text: str, patience: float) -> bool:
        """Write it as far as there is room; whether there was for all of it.

        In pieces, for what is ready takes one of them without waiting: no more is promised (poll(2), pipe(7)). An error
        or a hang-up counts as room, since writing then fails at once.
        """
        if self._descriptor is None:
            self.stream.write(text)
            self.flush()
            return True
        rest = memoryview((("\n" if self._is_cut else "") + text).encode(errors="backslashreplace"))
        while rest and self._poll.poll(patience * 1000):
            self._is_cut = True
            rest = rest[os.write(self._descriptor, rest[:PIECE]) :]
        self._is_cut = self._is_cut and bool(rest)
        return not rest


def descriptor_of(stream: TextIO) -> int | None:
    """The file below a stream; ``None`` where it is closed, or was replaced by something that is no file."""
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None
