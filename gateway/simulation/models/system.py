"""A Raspberry Pi that is busy now and then: the files that the system driver reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gateway.simulation.files import Content
from gateway.simulation.tree import FileModel
from gateway.simulation.world import World

MEMORY, DISK = 4 * 1024 * 1024, 32 * 10**9
"""KiB of memory, bytes of the card."""
UP = 86_400.0
"""Seconds that it was running when the simulation began."""
CORES, TICKS = 4, 100
"""Ticks a second of each core."""
SWING = 120.0
"""Seconds from one busy time to the next."""


class Pi(FileModel):
    """Set ``under_voltage`` and ``temperature``; the rest follows the time."""

    def __init__(self, interface: str) -> None:
        super().__init__()
        self._interface = interface

    temperature: float | None = None
    """In °C; ``None``: what comes of the load."""
    under_voltage = False

    @property
    def load(self) -> float:
        """How busy it is, 0 to 1."""
        return 0.3 + 0.2 * math.sin(2 * math.pi * self.now / SWING)

    def contents(self) -> Mapping[str, Content]:
        """See :class:`gateway.simulation.tree.FileModel`."""
        thermal, firmware = "/sys/class/thermal/thermal_zone0", "/sys/devices/platform/soc/soc:firmware"
        return {
            f"{thermal}/type": "cpu-thermal",
            f"{thermal}/temp": self._milli_degrees,
            f"{firmware}/get_throttled": lambda: f"{int(self.under_voltage):x}",
            "/proc/loadavg": lambda: f"{CORES * self.load:.2f} {CORES * 0.3:.2f} {CORES * 0.3:.2f} 1/200 4242",
            "/proc/uptime": lambda: f"{UP + self.now:.2f} {3 * (UP + self.now):.2f}",
            "/proc/stat": self._stat,
            "/proc/meminfo": lambda: (
                f"MemTotal: {MEMORY} kB\nMemAvailable: {MEMORY * (1 - self.load):.0f} kB\n"
                "SwapTotal: 204800 kB\nSwapFree: 204800 kB"
            ),
            "/proc/net/dev": self._network,
            f"/sys/class/net/{self._interface}/device/uevent": "",
        }

    def _milli_degrees(self) -> str:
        return f"{1000 * (45 + 20 * self.load if self.temperature is None else self.temperature):.0f}"

    def _stat(self) -> str:
        total = CORES * TICKS * (UP + self.now)
        # the integral of the load, so that what is busy between two readings is what it was
        swing = 0.2 * SWING / (2 * math.pi) * (1 - math.cos(2 * math.pi * self.now / SWING))
        busy = CORES * TICKS * (0.3 * (UP + self.now) + swing)
        return f"cpu {busy:.0f} 0 0 {total - busy:.0f} 0 0 0 0 0 0"

    def _network(self) -> str:
        received, sent = (int(rate * (UP + self.now)) for rate in (20_000, 5_000))
        return f"Inter-| Receive\n lo: 0 0 0 0 0 0 0 0 0 0\n {self._interface}: {received} 0 0 0 0 0 0 0 {sent} 0 0"


def attach(world: World, options: Any) -> Pi:
    """Its files, and a card that is a third full."""
    pi = Pi(options.interface or "eth0")
    world.connect_files(pi)
    world.files.disk = (DISK, DISK * 2 // 3)
    return pi
