"""What arrived: which readings, how often, and in which order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from gateway.audit.sequence import LARGEST, Sequence

Stream = tuple[str, str]
"""(device, run)."""


class Received:
    """Everything that came, by identity."""

    def __init__(self) -> None:
        self.seqs: defaultdict[Stream, Sequence] = defaultdict(Sequence)
        self.duplicates: Counter[str] = Counter()
        """Readings that came once more, per device."""
        self.out_of_order: Counter[str] = Counter()
        """First arrivals on a topic where a later reading of that run had come before, per device."""
        self._highest: dict[tuple[str, str, str], int] = {}

    def take(self, device: str, reading: Mapping[str, Any], lane: str = "") -> bool:
        """Note one reading. ``lane`` is where it came: order is kept within a topic. False when it has no identity."""
        run, seq = reading.get("run"), reading.get("seq")
        if not isinstance(run, str) or not isinstance(seq, int) or isinstance(seq, bool) or not 0 < seq <= LARGEST:
            return False
        if not self.seqs[device, run].add(seq):
            self.duplicates[device] += 1
            return True
        before = self._highest.get((device, run, lane), 0)
        self.out_of_order[device] += seq < before
        self._highest[device, run, lane] = max(before, seq)
        return True

    def devices(self) -> set[str]:
        """Devices of which something came."""
        return {device for device, _run in self.seqs}

    def runs_of(self, device: str) -> list[str]:
        """Runs of which something of a device came."""
        return [run for name, run in self.seqs if name == device]
