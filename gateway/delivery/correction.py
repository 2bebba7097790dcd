"""Better time for readings that were taken before the clock was right.

A Pi without a battery-backed clock boots with a plausible wrong time. Readings taken then are marked ``unsynced``. Once
the clock is trusted in the same boot, the true time of each follows from its boot-time stamp. A reading is corrected
only before it is first sent, and always by the same difference between the two clocks: sent again, it has the same
bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from gateway.clocks import Clock
from gateway.delivery.payload import rfc3339
from gateway.delivery.store import Row

log = logging.getLogger(__name__)

STEP_NS = 1_000_000_000
"""A change of the wall clock against the boot clock, from one look to the next, that is a step and not drift."""
_TIME = slice(9, 33)
"""Where ``encode`` puts the time: after ``{"time":"``, 24 characters."""


class Correction:
    """Used by the publisher's thread."""

    def __init__(self, clock: Clock, trusted: Callable[[], bool]) -> None:
        self._clock = clock
        self._trusted = trusted
        self._offset_ns: int | None = None
        self._seen_ns = clock.wall_ns() - clock.boot_ns()
        self._sent: set[int] = set()

    def tick(self) -> None:
        """Look at the clocks, several times a second; a wall clock that has been set is worth a line in the log."""
        now_ns = self._clock.wall_ns() - self._clock.boot_ns()
        moved = now_ns - self._seen_ns
        self._seen_ns = now_ns
        if self._offset_ns is None and self._trusted():
            self._offset_ns = now_ns
        if abs(moved) >= STEP_NS:
            log.warning("the wall clock was set %s by %.1f s", "forward" if moved > 0 else "back", abs(moved) / 1e9)

    def prepare(self, row: Row) -> None:
        """The row is about to be sent: give it its true time, if it needs that and may have it."""
        if row.clock != "unsynced" or not row.this_boot:
            return
        if self._offset_ns is None:
            self._sent.add(row.id)
        elif row.id not in self._sent:
            time = rfc3339(row.boot_ns + self._offset_ns).encode()
            body = row.body[: _TIME.start] + time + row.body[_TIME.stop :]
            row.body = body.replace(b'"clock":"unsynced"', b'"clock":"corrected"', 1)
            row.clock = "corrected"

    def settled(self, row: Row) -> None:
        """The row will not be sent again."""
        self._sent.discard(row.id)
