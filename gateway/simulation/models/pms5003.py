"""Plantower's dust sensors: a frame a second, after a few of zeros; asleep and passive when told so."""

from __future__ import annotations

from struct import pack
from typing import Any

from gateway.simulation.serial_model import StreamingSerial
from gateway.simulation.world import World

COMMAND = 7
WARM_UP = 3
"""Frames of zeros; a real one sends them for a second or two, and too low values for half a minute."""


class Pms5003(StreamingSerial):
    """Set ``dust`` (PM2.5 in µg/m³), ``temperature`` and ``humidity``; ``None`` lets one swing."""

    baudrate = 9600
    dust: float | None = None
    temperature: float | None = None
    humidity: float | None = None

    def __init__(self, *, with_air: bool) -> None:
        self._with_air = with_air
        super().__init__()

    def power_on(self) -> None:
        """Awake, active, and cold."""
        super().power_on()
        self.awake = self.active = True
        self._cold = WARM_UP
        self._heard = b""

    def frame(self) -> bytes:
        """See :class:`gateway.simulation.serial_model.StreamingSerial`."""
        if not self.awake or not self.active:
            return b""
        self._cold = max(0, self._cold - 1)
        if self._cold:
            return framed(pack(">13H", *[0] * 13))
        dust = self.swing(4, 12) if self.dust is None else self.dust
        masses = [round(dust * part) for part in (0.7, 1, 1.2)]
        counts = [round(dust * part) for part in (150, 45, 9, 2, 1, 0.5)]
        if self._with_air:
            celsius = self.swing(18, 24) if self.temperature is None else self.temperature
            percent = self.swing(40, 55) if self.humidity is None else self.humidity
            counts[4:] = [round(celsius * 10) & 0xFFFF, round(percent * 10)]
        return framed(pack(">13H", *masses, *masses, *counts, 0x9700))

    def received(self, data: bytes) -> None:
        """Commands of seven bytes: sleep and wake up, passive and active."""
        self._heard += data
        while len(self._heard) >= COMMAND:
            command, self._heard = self._heard[:COMMAND], self._heard[COMMAND:]
            if command[2] == 0xE4:
                self.awake = bool(command[4])
                self._cold = WARM_UP
            elif command[2] == 0xE1:
                self.active = bool(command[4])
            self.send(framed(bytes([command[2], command[4]])), 0.02)


def framed(payload: bytes) -> bytes:
    """With start, length and sum."""
    start = b"BM" + (len(payload) + 2).to_bytes(2, "big") + payload
    return start + (sum(start) & 0xFFFF).to_bytes(2, "big")


def attach(world: World, options: Any) -> Pms5003:
    """The sensor that the options name."""
    model = Pms5003(with_air=options.model == "pms5003t")
    world.connect(model, options)
    return model
