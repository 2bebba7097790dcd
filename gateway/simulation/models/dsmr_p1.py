"""A smart meter at its P1 port: a telegram every second, or every ten."""

from __future__ import annotations

import math
from typing import Any

from gateway.simulation.serial_model import StreamingSerial
from gateway.simulation.world import World

SWING = 600.0
"""Seconds in which the house uses more and less once."""


class Meter(StreamingSerial):
    """Set ``power`` (W, below zero when the sun gives more); ``None`` lets it swing. Counters follow the time."""

    power: float | None = None

    def __init__(self, options: Any) -> None:
        self._options = options
        super().__init__()
        old = options.version < 4
        self.baudrate = 9600 if old else 115200
        self.interval = 1.0 if options.version == 5 else 10.0

    @property
    def used(self) -> float:
        """What the house has used, in kWh."""
        swing = 300 * SWING / (2 * math.pi) * (1 - math.cos(2 * math.pi * self.now / SWING))
        return 4321 + (500 * self.now + swing) / 3.6e6

    def frame(self) -> bytes:
        """See :class:`gateway.simulation.serial_model.StreamingSerial`."""
        o = self._options
        lines = ["/SIM5\\Simulated", "", *self._head(), *self._energy(), *self._phases()]
        for channel, meter in enumerate(o.meters, 1):
            lines += self._other(channel, meter)
        body = "\r\n".join(lines) + "\r\n!"
        checksum = "" if o.version < 4 else f"{crc(body.encode()):04X}"
        return f"{body}{checksum}\r\n".encode()

    def _watts(self) -> float:
        swing = 500 + 300 * math.sin(2 * math.pi * self.now / SWING)
        return swing if self.power is None else self.power

    def _head(self) -> list[str]:
        version = {4: ["1-3:0.2.8(42)"], 5: ["1-3:0.2.8(50)"]}.get(self._options.version, [])
        return [*version, "0-0:1.0.0(260101120000W)", "0-0:96.14.0(0002)", "0-0:96.7.21(00003)", "0-0:96.7.9(00001)"]

    def _energy(self) -> list[str]:
        day, night = self.used * 0.6, self.used * 0.4
        used, given = max(0.0, self._watts()) / 1000, max(0.0, -self._watts()) / 1000
        return [
            *(f"1-0:1.8.{tariff}({kwh:010.3f}*kWh)" for tariff, kwh in enumerate((self.used, night, day))),
            *(f"1-0:2.8.{tariff}({kwh:010.3f}*kWh)" for tariff, kwh in enumerate((120, 40, 80))),
            f"1-0:1.7.0({used:06.3f}*kW)",
            f"1-0:2.7.0({given:06.3f}*kW)",
            f"1-0:1.4.0({used:06.3f}*kW)",
            "1-0:1.6.0(260101120000W)(02.589*kW)",
        ]

    def _phases(self) -> list[str]:
        phases = self._options.phases
        lines = []
        for phase in range(phases):
            watts, volts = self._watts() / phases, 230 + phase
            values = {
                12: f"{volts:05.1f}*V",
                11: f"{abs(watts) / volts:06.2f}*A",
                1: f"{max(0, watts) / 1000:06.3f}*kW",
                2: f"{max(0, -watts) / 1000:06.3f}*kW",
            }
            lines += [f"1-0:{code + 20 * (phase + 1)}.7.0({text})" for code, text in values.items()]
        return lines

    def _other(self, channel: int, meter: str) -> list[str]:
        kind, amount, unit = {
            "gas": ("003", 2000 + self.now / 36_000, "m3"),
            "water": ("007", 300 + self.now / 72_000, "m3"),
            "heat": ("004", 50 + self.now / 360_000, "GJ"),
        }[meter]
        value = f"0-{channel}:24.2.1(260101120000W)({amount:09.3f}*{unit})"
        if self._options.version < 4:
            value = f"0-{channel}:24.3.0(260101120000)(00)(60)(1)(0-{channel}:24.2.1)({unit})\r\n({amount:09.3f})"
        return [f"0-{channel}:24.1.0({kind})", value]


def crc(data: bytes) -> int:
    """CRC-16/ARC, bit by bit."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


def attach(world: World, options: Any) -> Meter:
    """A meter of the version, with the phases and other meters of the options."""
    meter = Meter(options)
    world.connect(meter, options)
    return meter
