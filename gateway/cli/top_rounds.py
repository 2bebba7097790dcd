"""Asks the running gateway what it is at, round by round, and works out what happened in between."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.delivery.payload import rfc3339
from gateway.status.control import call

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
        self._used: dict[tuple[Any, ...], tuple[float, float]] = {}

    def take(self) -> Round:
        """Look once more. Raises ``NotRunning`` and ``ControlError``."""
        gateway, *parts = call(self._socket, {"verb": "top"})
        return self.add(gateway, [row for part in parts for row in part["devices"]])

    def add(self, gateway: dict[str, Any], devices: list[dict[str, Any]]) -> Round:
        """What the gateway has answered, and its share of one processor since the last time, or since it began."""
        before, self._used = self._used, {}
        at: float = gateway["uptime_s"]
        stamp = rfc3339(time.time_ns())

        def percent(whose: tuple[Any, ...], used: float | None, age: float | None) -> float | None:
            if used is None or age is None:
                return None
            self._used[whose] = at, used
            since, already = before.get(whose, (at - age, 0.0))
            return round(max(0.0, used - already) / max(0.01, at - since) * 100, 2)

        head = {**gateway, "cpu_percent": percent((gateway["run"],), gateway["cpu_s"], at)}
        rows = []
        for row in devices:
            whose = (gateway["run"], row["device"], row["thread"], row["pid"])
            rows.append({"time": stamp, **row, "cpu_percent": percent(whose, row["cpu_s"], row["thread_s"])})
        return Round(head, rows)
