"""What a driver prints, in our log: line by line, made harmless, and not more than a person would read."""

from __future__ import annotations

import logging
import re
import time

from gateway.status.text import plain

log = logging.getLogger(__name__)

MOST_LINES = 20
EACH = 60.0
"""Seconds in which that many lines are logged; of the others the number."""
LONGEST = 400
"""Characters of a line that are shown, and bytes after which one that has no end counts as one."""
_LEVELS = {b"7": logging.DEBUG, b"6": logging.INFO, b"4": logging.WARNING, b"3": logging.ERROR, b"2": logging.CRITICAL}
_LEVEL = re.compile(rb"<([23467])>")
"""What the log in that process puts before a line, so that it has its level here; see ``logs.JournalLines``."""


class Prints:
    """What one driver prints."""

    def __init__(self, device: str, *, levels: bool = True) -> None:
        """``levels``: a line that begins with ``<3>`` is an error, since it comes from the log in that process."""
        self._device = device
        self._levels = levels
        self._rest = b""
        self._since = time.monotonic()
        self._logged = 0
        self._left_out = 0

    def take(self, fresh: bytes) -> None:
        """Log the whole lines; and, every now and then, how many were left out."""
        if time.monotonic() - self._since >= EACH:
            self._sum_up()
        if not fresh:
            return
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > LONGEST:
            self._line(self._rest)
            self._rest = b""

    def end(self) -> None:
        """Nothing more comes."""
        if self._rest:
            self._line(self._rest)
        self._sum_up()

    def _line(self, line: bytes) -> None:
        mark = _LEVEL.match(line) if self._levels else None
        text = line[mark.end() if mark else 0 :].decode("utf-8", "replace").rstrip().removeprefix(f"{self._device}: ")
        if not text:
            return
        if self._logged >= MOST_LINES:
            self._left_out += 1
            return
        self._logged += 1
        level = _LEVELS[mark[1]] if mark else logging.INFO
        log.log(level, "%s: its driver prints: %s", self._device, plain(text, LONGEST))

    def _sum_up(self) -> None:
        if self._left_out:
            log.info("%s: its driver has printed %d more line(s)", self._device, self._left_out)
        self._since, self._logged, self._left_out = time.monotonic(), 0, 0
