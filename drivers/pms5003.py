"""Plantower PMS5003, PMS7003, PMSA003 and PMS5003T dust sensors: PM1, PM2.5, PM10 and particle counts.

Wiring: VCC to 5 V (the fan needs it), GND, TXD to RXD of the header (GPIO15, pin 10), RXD to TXD (GPIO14, pin 8); the
signals are 3.3 V. SET and RESET stay open. ``enable_uart=1`` in /boot/firmware/config.txt and the serial console off;
or a USB adapter. The port is 9600 baud.

Sample:

    [devices.street]
    driver = "pms5003"
    port = "/dev/serial0"
    model = "pms5003"                   # also for PMS7003 and PMSA003; "pms5003t" has temperature and humidity

Traps: it sends a frame a second by itself, or one in 2.3 s while the values stay the same. The first 30 s after
power-on are too low; a frame of zeros means that it is warming up and is a bad reading. ``pm*_cf1`` are calibrated
for factory air, the others for the open. The laser lives for about 8000 hours. The PMS5003T warms its own
thermometer. A sensor in passive mode is set to active mode when it is opened.

Sources: Plantower's manuals of PMS5003 (V2.3), PMS7003 (V2.5) and PMS5003T; frames that avaldebe/PyPMS recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack
from typing import Literal

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    PortOptions,
    Result,
    SerialPort,
    Values,
    option,
    options,
)

WAIT = 0.9
"""Seconds that one ``read`` waits for news: it has to be back within 1 s."""
SILENCE = 15.0
"""Seconds without a byte after which the sensor is gone."""
WAKE_UP, ACTIVE_MODE = bytes.fromhex("424de400010174"), bytes.fromhex("424de100010171")
START = b"BM"
DATA, ANSWER = 28, 4
"""What the length in a frame can be: measurements, and the answer to a command."""

MASS = ("pm1_0_cf1", "pm2_5_cf1", "pm10_cf1", "pm1_0", "pm2_5", "pm10")
COUNTS = ("n0_3", "n0_5", "n1_0", "n2_5", "n5_0", "n10_0")
"""In the order of a frame; of the counts a PMS5003T has the first four, then temperature and humidity."""


def _mass(name: str, device_class: str | None = None) -> Channel:
    unusual = name.endswith("_cf1")
    help_ = "calibrated for factory air" if unusual else "in the open air"
    return Channel(name, "µg/m³", device_class, precision=0, min=0, help=help_, enabled_by_default=not unusual)


def _count(name: str) -> Channel:
    size = name[1:].replace("_", ".")
    return Channel(name, "#/cm³", precision=2, min=0, help=f"particles above {size} µm", enabled_by_default=False)


PARTICLES = (
    *(_mass("pm1_0", "pm1"), _mass("pm2_5", "pm25"), _mass("pm10", "pm10")),
    *(_mass(name) for name in MASS[:3]),
    *(_count(name) for name in COUNTS[:4]),
)
AIR = (
    Channel("temperature", "°C", "temperature", precision=1, min=-40, max=85),
    Channel("humidity", "%", "humidity", precision=0, min=0, max=100),
)


@options
class Options(PortOptions):
    """The port, and which sensor it is."""

    model: Literal["pms5003", "pms7003", "pms5003t"] = option("pms5003", help="pms5003t: with temperature and humidity")


class Pms5003(Driver[Options]):
    """Cuts the stream into frames; a frame is one reading."""

    options_type = Options
    manufacturer, model = "Plantower", "PMS5003"
    interval = None

    port: SerialPort
    _buffer: bytearray
    _heard_at: float
    _synchronised: bool
    """Whether a frame was seen: what comes before the first is the rest of one."""
    _problems: list[BadReading]
    """Bad frames that are still to be reported."""

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """A PMS5003T measures temperature and humidity in place of the largest particles."""
        return PARTICLES + (AIR if options.model == "pms5003t" else tuple(_count(name) for name in COUNTS[4:]))

    def open(self) -> None:
        """Open the port and see that the sensor talks by itself."""
        self.port = self.serial(self.options.port, 9600, timeout=WAIT)
        self.port.write(WAKE_UP + ACTIVE_MODE)
        self._buffer, self._problems = bytearray(), []
        self._synchronised = False
        self._heard_at = self.elapsed()

    def read(self) -> Result:
        """All frames that came; waits for the first. Bad ones are reported after the good ones."""
        readings: list[Values] = []
        deadline = self.elapsed() + WAIT
        while not readings and not self._problems and self._listen(deadline - self.elapsed()):
            for frame in self._frames():
                try:
                    readings.append(decode(frame, self.options.model))
                except BadReading as problem:
                    self._problems.append(problem)
        if readings or not self._problems:
            return readings or None
        last, self._problems = self._problems[-1], []
        raise last

    def _listen(self, seconds: float) -> bool:
        """Wait for bytes; whether some came."""
        if seconds <= 0:
            return False
        self.port.timeout = seconds
        fresh = self.port.read(max(1, min(self.port.in_waiting, 4096)))
        now = self.elapsed()
        if fresh:
            self._heard_at = now
            self._buffer += fresh
        elif self._buffer and now - self._heard_at >= WAIT / 2:  # within a frame there are no pauses
            self._problems.append(BadReading(f"an incomplete frame: {bytes(self._buffer[:40])!r}"))
            self._buffer.clear()
        elif now - self._heard_at > SILENCE:
            hint = "check TXD and RXD (crossed?), 5 V at VCC, and that SET is not at GND"
            raise DeviceUnavailable(f"{self.options.port}: nothing came for {SILENCE:.0f} s", hint=hint)
        return bool(fresh)

    def _frames(self) -> Iterator[bytes]:
        """Take whole frames with the right checksum out of the buffer, and what is none."""
        skipped = bytearray()
        while len(self._buffer) >= 4:
            length = int.from_bytes(self._buffer[2:4], "big")
            whole = bytes(self._buffer[: 4 + length])
            if not self._buffer.startswith(START):
                skipped.append(self._buffer.pop(0))
            elif length not in (DATA, ANSWER):
                self._problems.append(BadReading(f"no frame of this sensor: {bytes(self._buffer[:40])!r}"))
                del self._buffer[:2]
            elif len(whole) < 4 + length:
                break
            elif sum(whole[:-2]) & 0xFFFF != int.from_bytes(whole[-2:], "big"):
                self._problems.append(BadReading(f"wrong checksum: {whole!r}"))
                skipped.clear()
                del self._buffer[:1]  # the start of the next one may be within
                self._synchronised = False  # and so what follows is the rest of this one
            else:
                self._report(skipped)
                self._synchronised = True
                del self._buffer[: len(whole)]
                if length == DATA:
                    yield whole
        self._report(skipped)

    def _report(self, skipped: bytearray) -> None:
        """Bytes between two frames are a bad reading; before the first they are half a frame."""
        if skipped and self._synchronised:
            self._problems.append(BadReading(f"no frame: {bytes(skipped[:40])!r}", hint="check GND and the cable"))
            self._synchronised = False
        skipped.clear()


def decode(frame: bytes, model: str) -> Values:
    """A frame with the right checksum. ``BadReading`` while the sensor is warming up."""
    words = unpack(">12H", frame[4:28])
    if not any(words[:10]):
        raise BadReading("all zeros: the sensor is warming up")
    values: dict[str, float] = dict(zip(MASS, words, strict=False))
    values |= {name: count / 100 for name, count in zip(COUNTS, words[6:], strict=True)}  # of 0.1 L, in cm³
    if model == "pms5003t":
        del values["n5_0"], values["n10_0"]
        (temperature,) = unpack(">h", frame[24:26])
        values |= {"temperature": temperature / 10, "humidity": words[11] / 10}
    return values
