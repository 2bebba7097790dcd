"""Counts what happened to every reading of one device. Each figure is counted where it happens; none is derived."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LedgerSnapshot:
    """All figures of one device at one instant, of this run: ``read = acked + queued + dead + sum(dropped)``."""

    read: int
    acked: int
    queued: int
    dead: int
    dropped: dict[str, int]
    suppressed: int
    failed: int
    missed: int
    reopens: int
    """Attempts to open the device again."""
    renewals: int
    """Those of them with a new driver object."""
    resets: int
    restarts: int
    """New threads or processes in the place of one that hung or broke."""
    abandoned: int
    """Threads that were left behind."""
    unheard: int

    @property
    def balanced(self) -> bool:
        """Whether every reading is accounted for."""
        return self.read == self.acked + self.queued + self.dead + sum(self.dropped.values())


class Ledger:
    """The account of one device. Every method is one step under one lock, so a snapshot always balances."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dropped: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self.lost_outside = 0
        """Readings that were dropped before they came to the store."""

    def accepted(self) -> None:
        """A reading got its number and is waiting."""
        with self._lock:
            self._counts["read"] += 1
            self._counts["queued"] += 1

    def refused(self, reason: str) -> None:
        """A reading got its number and was dropped at once."""
        with self._lock:
            self._counts["read"] += 1
            self._dropped[reason] += 1
            self.lost_outside += 1

    def acked(self, count: int = 1, *, unheard: bool = False) -> None:
        """The broker has acknowledged readings; ``unheard``: it also said that nobody subscribes to them."""
        with self._lock:
            self._counts["queued"] -= count
            self._counts["acked"] += count
            if unheard:
                self._counts["unheard"] += count

    def died(self, count: int = 1) -> None:
        """Readings that the broker will never take were set aside."""
        with self._lock:
            self._counts["queued"] -= count
            self._counts["dead"] += count

    def revived(self, count: int = 1) -> None:
        """Dead letters were put back to be tried again."""
        with self._lock:
            self._counts["dead"] -= count
            self._counts["queued"] += count

    def reopened(self, count: int = 1) -> None:
        """Acknowledged readings are to be sent again."""
        with self._lock:
            self._counts["acked"] -= count
            self._counts["queued"] += count

    def discarded(self, reason: str, count: int = 1) -> None:
        """Dead letters were deleted."""
        with self._lock:
            self._counts["dead"] -= count
            self._dropped[reason] += count

    def dropped(self, reason: str, count: int = 1, *, outside: bool = False) -> None:
        """Waiting readings were dropped; ``outside``: the store never had them."""
        with self._lock:
            self.lost_outside += count * outside
            self._counts["queued"] -= count
            self._dropped[reason] += count

    def note(self, what: str, count: int = 1) -> None:
        """Count what is no reading: ``suppressed``, ``failed``, ``missed``, and what was tried with the device."""
        with self._lock:
            self._counts[what] += count

    def snapshot(self) -> LedgerSnapshot:
        """All figures of one instant."""
        with self._lock:
            count = self._counts
            return LedgerSnapshot(
                read=count["read"],
                acked=count["acked"],
                queued=count["queued"],
                dead=count["dead"],
                dropped=dict(self._dropped),
                suppressed=count["suppressed"],
                failed=count["failed"],
                missed=count["missed"],
                reopens=count["reopens"],
                renewals=count["renewals"],
                resets=count["resets"],
                restarts=count["restarts"],
                abandoned=count["abandoned"],
                unheard=count["unheard"],
            )
