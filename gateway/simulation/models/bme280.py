"""The BME280 and the BMP280: registers that are filled by a measurement in forced mode."""

from __future__ import annotations

from collections.abc import Mapping
from struct import unpack
from typing import Any, ClassVar

from gateway.simulation.registers import RegisterChip
from gateway.simulation.world import World

TRIMS = bytes.fromhex("706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c67017004b")
TRIMS_HUMIDITY = bytes.fromhex("6a01001329031e")
"""The calibration of one chip: the data sheet's example, and that of a chip for humidity."""
SKIPPED = bytes.fromhex("800000 800000 8000")
TAKES = 0.008
"""Seconds for a measurement with one sample each."""


class Bme280(RegisterChip):
    """Set ``temperature`` (°C), ``pressure`` (hPa) and ``humidity`` (%); ``None`` lets one swing."""

    defaults: ClassVar[Mapping[int, int | bytes]] = {0xD0: 0x60, 0x88: TRIMS, 0xE1: TRIMS_HUMIDITY, 0xF7: SKIPPED}
    measures_humidity = True

    temperature: float | None = None
    pressure: float | None = None
    humidity: float | None = None
    _ready_at: float | None = None

    def power_on(self) -> None:
        """It sleeps, and has measured nothing."""
        super().power_on()
        self._ready_at = None

    def on_write(self, register: int, value: int) -> None:
        """Forced mode starts a measurement."""
        super().on_write(register, value)
        if register == 0xF4 and value & 0b11 in (0b01, 0b10):
            self._ready_at = self.now + TAKES
            self.put(0xF3, 0x08)

    def on_read(self, register: int) -> int:
        """What is ready is there."""
        if self._ready_at is not None and self.now >= self._ready_at:
            self._ready_at = None
            self._measure()
        return super().on_read(register)

    def _measure(self) -> None:
        celsius = self.swing(20, 23) if self.temperature is None else self.temperature
        hectopascal = self.swing(1008, 1016, 900) if self.pressure is None else self.pressure
        percent = self.swing(40, 50, 500) if self.humidity is None else self.humidity
        raw_t = search(lambda raw: fine_temperature(raw) / 5120, celsius, 20)
        fine = fine_temperature(raw_t)
        raw_p = search(lambda raw: pressure(raw, fine), hectopascal * 100, 20)
        data = (raw_p << 4).to_bytes(3, "big") + (raw_t << 4).to_bytes(3, "big")
        if self.measures_humidity and self.registers[0xF2] & 7:
            data += search(lambda raw: humidity(raw, fine), percent, 16).to_bytes(2, "big")
        self.put(0xF7, data)
        self.put(0xF3, 0)
        self.put(0xF4, self.registers[0xF4] & ~0b11)


class Bmp280(Bme280):
    """The same without humidity."""

    defaults: ClassVar[Mapping[int, int | bytes]] = {0xD0: 0x58, 0x88: TRIMS[:24], 0xF7: SKIPPED[:6]}
    measures_humidity = False


def search(function: Any, wanted: float, bits: int) -> int:
    """The raw value for which a function, which rises or falls, comes closest to what is wanted."""
    low, high = 0, (1 << bits) - 1
    rises = function(high) > function(low)
    while low < high:
        middle = (low + high) // 2
        if (function(middle) < wanted) == rises:
            low = middle + 1
        else:
            high = middle
    return low


def fine_temperature(raw: int) -> int:
    """The data sheet's formula in whole numbers, which is not the one that the driver uses."""
    t1, t2, t3 = unpack("<H2h", TRIMS[:6])
    x = ((raw >> 3) - (t1 << 1)) * t2 >> 11
    y = (((raw >> 4) - t1) ** 2 >> 12) * t3 >> 14
    return int(x + y)


def pressure(raw: int, fine: int) -> float:
    """The same, with 64 bits, in Pa."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = unpack("<H8h", TRIMS[6:24])
    x = fine - 128000
    y = x * x * p6 + (x * p5 << 17) + (p4 << 35)
    x = (x * x * p3 >> 8) + (x * p2 << 12)
    x = ((1 << 47) + x) * p1 >> 33
    p = ((1048576 - raw << 31) - y) * 3125 // x
    x = p9 * (p >> 13) * (p >> 13) >> 25
    y = p8 * p >> 19
    return float((p + x + y >> 8) + (p7 << 4)) / 256


def humidity(raw: int, fine: int) -> float:
    """The same, in percent."""
    h1 = TRIMS[25]
    h2, h3, e4, e5, e6, h6 = unpack("<hBbBbb", TRIMS_HUMIDITY)
    h4, h5 = e4 << 4 | e5 & 0x0F, e6 << 4 | e5 >> 4
    x = fine - 76800
    y = ((x * h6 >> 10) * ((x * h3 >> 11) + 32768) >> 10) + 2097152
    x = ((raw << 14) - (h4 << 20) - h5 * x + 16384 >> 15) * (y * h2 + 8192 >> 14)
    x -= ((x >> 15) * (x >> 15) >> 7) * h1 >> 4
    return float(min(max(x, 0), 419430400) >> 12) / 1024


def attach(world: World, options: Any) -> Bme280:
    """The chip that the options ask for; a BME280 when they leave it open."""
    chip = Bmp280() if options.chip == "bmp280" else Bme280()
    world.connect(chip, options)
    return chip
