"""When a device is polled: absolute instants, so that a slow read or a late wake-up never shifts those that follow.

Pure: the time comes in as arguments. All times are integers in nanoseconds; ``boot`` is CLOCK_BOOTTIME, ``wall`` the
wall clock, which may jump.
"""

from __future__ import annotations

import zlib

from gateway.config.settings import DeviceSettings

SECOND = 1_000_000_000
SPREAD = SECOND // 5
"""The first polls of all devices are spread over this much."""


def share(device: str) -> float:
    """A number in [0, 1) that is always the same for the same name, and different for most others."""
    return zlib.crc32(device.encode()) / 2**32


def spread(device: str) -> int:
    """How long the first start of a device is put off."""
    return int(share(device) * SPREAD)


class Schedule:
    """The polls of one device.

    The first one is due at once (:meth:`begin`); then they follow the grid ``start + phase + n x interval`` on boot
    time or, with ``align``, the instants ``offset + n x interval`` of the wall clock (counted from 1970 UTC). A poll
    whose time has passed is skipped, never caught up.
    """

    def __init__(
        self, interval: int, *, start: int, phase: int = 0, align: bool = False, offset: int = 0, boot: int
    ) -> None:
        self.due = boot
        """When the next poll is due, on boot time."""
        self.interval = interval
        self._origin = start + phase
        self._align = align
        self._offset = offset
        self._target: int | None = None
        """The instant of the wall clock that ``due`` stands for; only with ``align``."""
        self._latest = boot
        """The longest that a wall clock which is set again and again can put the next poll off."""

    @classmethod
    def of(cls, settings: DeviceSettings, start: int, boot: int) -> Schedule | None:
        """That of a device; ``None`` for one that streams. ``start``: its first start in this run."""
        if settings.interval is None:
            return None
        interval = round(settings.interval * SECOND)
        phase, offset = int(share(settings.device) * interval), round(settings.offset * SECOND)
        return cls(interval, start=start, phase=phase, align=settings.align, offset=offset, boot=boot)

    def begin(self, boot: int) -> None:
        """The device was opened (again): poll at once, then return to the grid."""
        self.due = boot
        self._target = None

    def adjust(self, boot: int, wall: int) -> int:
        """Follow a wall clock that was set or slewed while the next poll was being waited for; when it is due now."""
        if self._target is None or boot >= self.due:
            return self.due
        left = self._target - wall
        if not 0 < left <= self.interval * 3 // 2:  # the clock was set: work the next instant out anew
            self._target = self._next_aligned(wall)
            left = self._target - wall
        self.due = min(boot + left, self._latest)
        return self.due

    def advance(self, boot: int, wall: int) -> int:
        """A poll has ended: make the next one due, and return how many were missed meanwhile."""
        before = self.due
        if self._align:
            target = self._next_aligned(wall)
            if target == self._target:  # the wall clock is a little slow: this is the instant of the poll just made
                target += self.interval
            self._target = target
            self.due = boot + target - wall
            self._latest = boot + 2 * self.interval
        else:
            # After a poll off the grid (the first one) the grid begins with its first instant at least half an
            # interval later, so that nothing is polled twice in quick succession.
            earliest = max(boot + 1, before + self.interval // 2)
            self.due = earliest + (self._origin - earliest) % self.interval
        # A quarter of tolerance, because with `align` the wall clock may have been slewed.
        return max(0, (self.due - before + self.interval // 4) // self.interval - 1)

    def _next_aligned(self, wall: int) -> int:
        """The first aligned instant after ``wall``."""
        return wall + self.interval - (wall - self._offset) % self.interval
