"""Acknowledged readings that stay for ``spool resend``: how long, and what goes when the room is needed."""

from __future__ import annotations

from gateway.clocks import Clock
from gateway.delivery.spool.disk import Disk

PURGE_EVERY_NS = 60_000_000_000
AT_ONCE = 200


class Kept:
    """Used by the publisher's thread. The rows come here with the journal's writes."""

    def __init__(self, disk: Disk, clock: Clock, keep_ns: int) -> None:
        """``keep_ns``: how long they stay; 0: nothing is kept."""
        self._disk = disk
        self._clock = clock
        self.keep_ns = keep_ns
        self._purge_ns = 0

    def tick(self, now_ns: int) -> None:
        """Delete what has stayed long enough."""
        if self.keep_ns and now_ns >= self._purge_ns:
            self._purge_ns = now_ns + PURGE_EVERY_NS
            while self._delete_oldest(acked_before_ns=self._clock.wall_ns() - self.keep_ns) == AT_ONCE:
                pass

    def give_way(self) -> bool:
        """Delete some of the oldest. Whether there were any."""
        return self.keep_ns > 0 and self._delete_oldest(acked_before_ns=1 << 62) > 0

    def _delete_oldest(self, acked_before_ns: int) -> int:
        """By age of the reading, which needs no look at the whole table; one that waited long keeps younger ones."""
        oldest = f"SELECT id FROM kept ORDER BY id LIMIT {AT_ONCE}"  # noqa: S608 (a number)
        statement = f"DELETE FROM kept WHERE id IN ({oldest}) AND acked_ns < ?"  # noqa: S608 (a number)
        return self._disk.change(lambda file: file.execute(statement, acked_before_ns)) or 0
