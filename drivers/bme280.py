"""BME280 and BMP280 on I2C: temperature, air pressure and, of the BME280, humidity.

Wiring: VCC to 3.3 V (pin 1), GND, SDA to GPIO2 (pin 3), SCL to GPIO3 (pin 5); I2C switched on with ``raspi-config
nonint do_i2c 0``. Both lines need pull-ups to 3.3 V, which the Raspberry Pi and most boards have. SDO at GND gives the
address 0x76, at VCC 0x77; CSB at VCC chooses I2C. Needs the extra ``i2c``.

Sample:

    [devices.office]
    driver = "bme280"
    address = 0x76
    interval = "10s"

Traps: many boards sold as BME280 carry a BMP280, which measures no humidity: then ``humidity`` is null, and ``chip =
"bmp280"`` leaves it out. It warms itself when it is read more than once a second. The pressure is that of the place,
not reduced to sea level. A chip that lost power for a moment answers with the values of its registers at power-on,
which look like measurements: those are bad readings. A BME680 is another chip.

Sources: data sheets BST-BME280-DS002 (sections 4.2.3 and 5.4) and BST-BMP280-DS001 (3.11 and 3.12).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack
from typing import Literal

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    I2CDevice,
    I2COptions,
    Misconfigured,
    Values,
    option,
    options,
)

ID, CONTROL_HUMIDITY, STATUS, CONTROL, DATA = 0xD0, 0xF2, 0xF3, 0xF4, 0xF7
CALIBRATION, CALIBRATION_HUMIDITY = 0x88, 0xE1
MEASURING, STARTING = 0x08, 0x01
"""Bits of the status."""
ONCE = 0b001_001_01
"""Temperature and pressure with one sample each, in forced mode: measure once, then sleep."""
TAKES = 0.01
"""Seconds: 9.3 ms at most, by the data sheet."""

BME280, BMP280 = 0x60, (0x56, 0x57, 0x58)
OTHERS = {0x50: "BMP388", 0x51: "BMP580", 0x55: "BMP180", 0x61: "BME680 or BME688"}
"""Chips at the same address."""
SKIPPED, SKIPPED_HUMIDITY = 0x80000, 0x8000
"""What the registers hold after power-on, and when a quantity was not measured."""


@options
class Options(I2COptions):
    """The pin SDO decides the address."""

    address: int = option(0x76, help="0x76 with SDO at GND, 0x77 with SDO at VCC", min=0x76, max=0x77)
    chip: Literal["auto", "bme280", "bmp280"] = option("auto", help="what it has to be; bmp280: without humidity")


class Bme280(Driver[Options]):
    """Lets the chip measure once for each reading; it sleeps in between."""

    options_type = Options
    manufacturer, model = "Bosch", "BME280"
    channels = (
        Channel("temperature", "°C", "temperature", precision=1, min=-40, max=85),
        Channel("pressure", "hPa", "atmospheric_pressure", precision=1, min=300, max=1100),
        Channel("humidity", "%", "humidity", precision=0, min=0, max=100),
    )
    chip: I2CDevice
    _trims: Trims

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """Without humidity for a BMP280."""
        return cls.channels[:2] if options.chip == "bmp280" else cls.channels

    def open(self) -> None:
        """See that it is the right chip, and get its calibration."""
        o = self.options
        self.chip = self.i2c(o.bus, o.address, mux=o.mux, mux_channel=o.mux_channel)
        humid = self._identify()
        self._wait_until_not(STARTING, "starting")  # before that the calibration is not there
        data = self.chip.read_register(CALIBRATION, 26)
        self._trims = parse_trims(data, self.chip.read_register(CALIBRATION_HUMIDITY, 7) if humid else None)

    def read(self) -> Values:
        """Measure, and wait for it."""
        if self._trims.h is not None:
            self.chip.write_register(CONTROL_HUMIDITY, 1)
        self.chip.write_register(CONTROL, ONCE)
        self.wait(TAKES)
        self._wait_until_not(MEASURING, "measuring")
        values = decode(self.chip.read_register(DATA, 8), self._trims)
        return {channel.name: values[channel.name] for channel in self.channels_for(self.options)}

    def _identify(self) -> bool:
        """Whether it measures humidity."""
        found, wanted = self.chip.read_register(ID)[0], self.options.chip
        if found == BME280 or found in BMP280:
            name = "bme280" if found == BME280 else "bmp280"
            if wanted not in ("auto", name):
                hint = f'set chip = "{name}"' + (", it has no humidity" if name == "bmp280" else "")
                raise Misconfigured(f"this is a {name.upper()} (id {found:#04x})", hint=hint)
            return found == BME280
        what = OTHERS.get(found)
        if what:
            raise Misconfigured(f"this is a {what} (id {found:#04x})", hint="it needs another driver")
        hint = "is another device at this address? check wiring and power"
        raise DeviceUnavailable(f"this is no BME280 (id {found:#04x} instead of 0x60 or 0x58)", hint=hint)

    def _wait_until_not(self, bit: int, what: str) -> None:
        for _ in range(10):
            if not self.chip.read_register(STATUS)[0] & bit:
                return
            self.wait(0.002)
        raise BadReading(f"the chip goes on {what}", hint="power it off and on")


@dataclass(frozen=True, slots=True)
class Trims:
    """The calibration of one chip, named as in the data sheet; ``h`` is None where there is no humidity."""

    t: tuple[int, ...]
    p: tuple[int, ...]
    h: tuple[int, ...] | None


def parse_trims(data: bytes, humidity: bytes | None) -> Trims:
    """Registers 0x88 to 0xa1, and 0xe1 to 0xe7 of a BME280. ``DeviceUnavailable`` for what cannot be a calibration."""
    if len(set(data[:24])) == 1:
        raise DeviceUnavailable(f"the calibration reads as {data[:4]!r}...", hint="check wiring and power")
    t, p = unpack("<H2h", data[:6]), unpack("<H8h", data[6:24])
    if humidity is None:
        return Trims(t, p, None)
    h2, h3, e4, e5, e6, h6 = unpack("<hBbBbb", humidity)
    return Trims(t, p, (data[25], h2, h3, e4 << 4 | e5 & 0x0F, e6 << 4 | e5 >> 4, h6))  # h4 and h5 share a byte


def decode(data: bytes, trims: Trims) -> dict[str, float | None]:
    """Registers 0xf7 to 0xfe in °C, hPa and %, with the data sheet's formulas. Raises ``BadReading``."""
    raw_p = int.from_bytes(data[0:3], "big") >> 4
    raw_t = int.from_bytes(data[3:6], "big") >> 4
    raw_h = int.from_bytes(data[6:8], "big")
    if SKIPPED in (raw_p, raw_t) or (trims.h is not None and raw_h == SKIPPED_HUMIDITY):
        raise BadReading(f"nothing was measured: {data!r}", hint="did the chip lose power? check its supply")
    if data[:6] in (b"\0" * 6, b"\xff" * 6):
        raise BadReading(f"this is no measurement: {data!r}", hint="check wiring and power")
    fine = fine_temperature(raw_t, trims.t)
    return {
        "temperature": fine / 5120,
        "pressure": pressure(raw_p, int(fine), trims.p),
        "humidity": None if trims.h is None else humidity(raw_h, int(fine), trims.h),
    }


def fine_temperature(raw: int, t: tuple[int, ...]) -> float:
    """The temperature in 1/5120 °C, which the other two formulas want as an integer."""
    t1, t2, t3 = t
    return (raw / 16384 - t1 / 1024) * t2 + (raw / 131072 - t1 / 8192) ** 2 * t3


def pressure(raw: int, fine: int, p: tuple[int, ...]) -> float | None:
    """In hPa; None where the formula has no result."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = p
    x = fine / 2 - 64000
    y = (x * x * p6 / 32768 + x * p5 * 2) / 4 + p4 * 65536
    x = (1 + (p3 * x * x / 524288 + p2 * x) / 524288 / 32768) * p1
    if not x:
        return None
    pascal = (1048576 - raw - y / 4096) * 6250 / x
    return (pascal + (p9 * pascal * pascal / 2147483648 + pascal * p8 / 32768 + p7) / 16) / 100


def humidity(raw: int, fine: int, h: tuple[int, ...]) -> float:
    """In percent, from 0 to 100."""
    h1, h2, h3, h4, h5, h6 = h
    x = fine - 76800.0
    x = (raw - (h4 * 64 + h5 / 16384 * x)) * (h2 / 65536 * (1 + h6 / 67108864 * x * (1 + h3 / 67108864 * x)))
    return min(100.0, max(0.0, x * (1 - h1 * x / 524288)))
