"""What the disk has the publisher wait for, for the watchdog: a slow disk is something else than a loop that stands."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from gateway.clocks import Clock

SECOND = 1_000_000_000
COMMIT_NS = 60 * SECOND
"""What a commit may take: an SD card that tidies itself up needs seconds, one that is dying much more."""
SALVAGE_NS = 600 * SECOND
"""What it may take to save what a damaged spool still has: 256 MB from a bad card."""


class Work:
    """Written by the thread that has the disk work, read by any."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now: tuple[int, int] | None = None
        """Boot time of the beginning, and how long it may take."""
        self.ended_ns = 0
        """Boot time at which the last piece of it was done."""

    @contextlib.contextmanager
    def under_way(self, most_ns: int = COMMIT_NS) -> Iterator[None]:
        """While the block runs, the disk is at work. A block inside it may have its own time."""
        before, self._now = self._now, (self._clock.boot_ns(), most_ns)
        try:
            yield
        finally:
            self._now = before
            self.ended_ns = self._clock.boot_ns()

    def goes_on(self, now_ns: int) -> bool:
        """Whether there is a piece of work that may still take a while."""
        now = self._now
        return now is not None and now_ns - now[0] < now[1]
