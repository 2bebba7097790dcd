"""Asks the running gateway what it is at, round by round, and works out what happened in between."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.delivery.payload import rfc3339
from gateway.status.control import call

OVER = 10.0
"""Seconds over which processor time is looked at: the kernel counts it in steps of 10 ms."""

Row = Mapping[str, Any]
"""One device as the gateway's verb ``top`` tells it, with ``time`` and ``cpu_percent`` added."""


@dataclass(frozen=True, slots=True)
class Round:
    """One look."""

    gateway: Mapping[str, Any]
    """``gateway, run, uptime_s, threads, descriptors, cpu_s, cpu_percent``."""
    devices: Sequence[Row]


class Rounds:
    """All looks at one gateway."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._shares: dict[tuple[Any, ...], Share] = {}

    def take(self) -> Round:
        """Look once more. Raises ``NotRunning`` and ``ControlError``."""
        gateway, *devices = call(self._socket, {"verb": "top"})
        return self.add(gateway, devices)

    def add(self, gateway: dict[str, Any], devices: list[dict[str, Any]]) -> Round:
        """What the gateway has answered, and how much processor time it took lately."""
        before, self._shares = self._shares, {}
        at, stamp = gateway["uptime_s"], rfc3339(time.time_ns())

        def percent(whose: tuple[Any, ...], used: float | None, age: float | None) -> float | None:
            if used is None or age is None:
                return None
            share = self._shares[whose] = before.get(whose, Share(at - age))
            return share.percent(at, used)

        head = {**gateway, "cpu_percent": percent((gateway["run"],), gateway["cpu_s"], at)}
        rows = []
        for row in devices:
            whose = (gateway["run"], row["device"], row["thread"], row["pid"])
            rows.append({"time": stamp, **row, "cpu_percent": percent(whose, row["cpu_s"], row["thread_s"])})
        return Round(head, rows)


@dataclass(slots=True)
class Share:
    """The processor time of one thread or process."""

    began: float
    """When it had used none yet."""
    _seen: deque[tuple[float, float]] = field(default_factory=deque)

    def percent(self, at: float, used: float) -> float:
        """Its share of one processor over the last ``OVER`` seconds; at first, since it began."""
        while len(self._seen) > 1 and self._seen[1][0] <= at - OVER:
            self._seen.popleft()
        since, already = self._seen[0] if self._seen else (self.began, 0.0)
        self._seen.append((at, used))
        return round(max(0.0, used - already) / max(0.01, at - since) * 100, 1)
