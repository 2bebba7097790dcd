"""Smart electricity meters with a P1 port (DSMR 2 to 5 and what comes of it): energy, power, gas, water, heat.

Wiring: a P1 cable with a USB plug (it turns the signal over and feeds the port) is the simple way. With wires of your
own: the port's data line is inverted and an open collector: it needs 10 kΩ to 3.3 V and an inverter, or a USB adapter
set to inverted RXD (FT_PROG); pin 2 (data request) wants 5 V, pin 3 is GND, pin 5 is data.

Sample:

    [devices.meter]
    driver = "dsmr_p1"
    port = "/dev/serial/by-id/usb-FTDI_P1_Converter-if00-port0"
    version = 5                         # 2 and 3: 9600 baud 7E1, no checksum; 4 and 5: 115200 baud 8N1
    every = "10s"                       # not more than one reading in so long

Traps: nothing but garbage is a signal that is not inverted, or the wrong ``version``. DSMR 5 sends a telegram every
second, older ones every 10 s. Telegrams of versions 2 and 3 have no checksum: a digit that is wrong there cannot be
seen; set ``max`` on the channels. Gas, water and heat come once in 5 minutes or an hour. A meter that was replaced
stays in the telegram with its last value, or none: the newest of a kind counts. What a meter does not send is null;
``phases = 1`` and ``meters`` leave it out.

Sources: Netbeheer Nederland, P1 Companion Standard 5.0.2; Fluvius e-MUCS H 1.7.1; telegrams in the tests of
ndokter/dsmr_parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    Duration,
    PortOptions,
    Result,
    SerialPort,
    Values,
    option,
    options,
)

WAIT = 0.9
"""Seconds that one ``read`` waits for news: it has to be back within 1 s."""
SILENCE = 35.0
"""Seconds without a byte after which the meter is gone; the slowest send every 10 s."""
LONGEST = 16 * 1024
"""Bytes of a telegram; the longest known have 4 KB, with a text message."""
GARBAGE = "is the signal inverted (it has to be turned over), and is version right?"
TELEGRAM = re.compile(rb"/[^/!]*\r\n!([0-9A-Fa-f]{0,4})\r\n")
LINE = re.compile(r"(\d+-\d+:\d+\.\d+\.\d+)((?:\([^()]*\))+)")

Codes = dict[str, tuple[str, str | None]]
"""Channel to its code, and to the unit that has to stand behind the number."""

TARIFFS: Codes = {
    "energy_import_t1": ("1-0:1.8.1", "kWh"),
    "energy_import_t2": ("1-0:1.8.2", "kWh"),
    "energy_export_t1": ("1-0:2.8.1", "kWh"),
    "energy_export_t2": ("1-0:2.8.2", "kWh"),
    "tariff": ("0-0:96.14.0", None),
}
TOTALS: Codes = {"energy_import": ("1-0:1.8.0", "kWh"), "energy_export": ("1-0:2.8.0", "kWh")}
POWER: Codes = {"power_import": ("1-0:1.7.0", "kW"), "power_export": ("1-0:2.7.0", "kW")}
CAPACITY: Codes = {"power_average": ("1-0:1.4.0", "kW"), "power_peak": ("1-0:1.6.0", "kW")}
FAILURES: Codes = {"power_failures": ("0-0:96.7.21", None), "long_power_failures": ("0-0:96.7.9", None)}
ENERGY = {"nl": TARIFFS, "be": TARIFFS | CAPACITY, "lu": TOTALS, "se": TOTALS}
PHASES: dict[str, tuple[str, str]] = {
    f"{name}_l{phase}": (f"1-0:{code + 20 * phase}.7.0", unit)
    for phase in (1, 2, 3)
    for name, code, unit in (("voltage", 12, "V"), ("current", 11, "A"), ("power_import", 1, "kW"))
} | {f"power_export_l{phase}": (f"1-0:{2 + 20 * phase}.7.0", "kW") for phase in (1, 2, 3)}

METERS = {"gas": (("003",), "m3"), "water": (("006", "007"), "m3"), "heat": (("004", "012"), "GJ")}
"""What hangs on the meter's M-Bus: the types of device by their numbers, and the unit."""
READINGS = ("24.2.1", "24.2.3", "24.3.0")
"""Codes of a meter's value: of most; of gas in Belgium; in versions 2 and 3."""

CLASSES = {"kWh": "energy", "kW": "power", "V": "voltage", "A": "current"}
MBUS = {
    "gas": Channel("gas", "m³", "gas", precision=3, min=0),
    "water": Channel("water", "m³", "water", precision=3, min=0),
    "heat": Channel("heat", "GJ", "energy", precision=3, min=0),
}


@options
class Options(PortOptions):
    """The port, and what the meter sends."""

    version: Literal[2, 3, 4, 5] = option(5, help="of DSMR; it stands on the meter, or behind 1-3:0.2.8 in a telegram")
    country: Literal["nl", "be", "lu", "se"] = option(
        "nl", help="be: with monthly peak; lu, se: energy without tariffs"
    )
    phases: Literal[1, 3] = option(3, help="how many phases the connection has")
    meters: tuple[Literal["gas", "water", "heat"], ...] = option(
        ("gas", "water", "heat"), help="the other meters that hang on this one"
    )
    every: Duration = option("0s", help="no more than one reading in so long", min=0)


class DsmrP1(Driver[Options]):
    """Cuts the stream into telegrams; a telegram is one reading."""

    options_type = Options
    model = "P1 port"
    interval = None

    port: SerialPort
    _buffer: bytearray
    _heard_at: float
    _telegram_at: float
    _next_at: float
    """When the next reading may be."""
    _synchronised: bool
    """Whether a telegram was seen: what comes before the first is the rest of one."""
    _problems: list[BadReading]
    """Bad telegrams that are still to be reported."""

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """By country, phases and meters."""
        named = tuple(_channel(name, unit) for name, (_, unit) in codes(options).items())
        return named + tuple(MBUS[meter] for meter in dict.fromkeys(options.meters))

    def open(self) -> None:
        """Open the port; the meter talks by itself."""
        slow = self.options.version < 4
        baudrate, bytesize, parity = (9600, 7, "E") if slow else (115200, 8, "N")
        self.port = self.serial(self.options.port, baudrate, bytesize=bytesize, parity=parity, timeout=WAIT)
        self._buffer, self._problems = bytearray(), []
        self._synchronised = False
        self._heard_at = self._telegram_at = self._next_at = self.elapsed()

    def read(self) -> Result:
        """All telegrams that came; waits for the first. Bad ones are reported after the good ones."""
        readings: list[Values] = []
        deadline = self.elapsed() + WAIT
        while not readings and not self._problems and self._listen(deadline - self.elapsed()):
            for telegram in self._telegrams():
                try:
                    values = decode(telegram, self.options)
                except BadReading as problem:
                    self._problems.append(problem)
                    continue
                if self._is_due():
                    readings.append(values)
        if readings or not self._problems:
            return readings or None
        last, self._problems = self._problems[-1], []
        raise last

    def _is_due(self) -> bool:
        """Whether ``every`` has passed; on a grid, so that a telegram that is a little early costs no second."""
        late, every = self.elapsed() - self._next_at, self.options.every
        if late >= 0 and every:
            self._next_at += every * (late // every + 1)
        return late >= 0

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
            if now - self._telegram_at > SILENCE:
                self._problems.append(BadReading(f"bytes, but no telegram for {SILENCE:.0f} s", hint=GARBAGE))
                self._telegram_at = now
        elif b"/" in self._buffer and now - self._heard_at > WAIT - 0.2:  # within a telegram there are no pauses
            self._problems.append(BadReading(f"an incomplete telegram: ...{bytes(self._buffer[-40:])!r}"))
            self._buffer.clear()
        elif now - self._heard_at > SILENCE:
            hint = "is the plug in the right port, and 5 V at pin 2 (data request)?"
            raise DeviceUnavailable(f"{self.options.port}: nothing came for {SILENCE:.0f} s", hint=hint)
        return bool(fresh)

    def _telegrams(self) -> Iterator[bytes]:
        """Take whole telegrams with the right checksum out of the buffer, and what is none."""
        end = 0
        for match in TELEGRAM.finditer(self._buffer):
            if match.start() > end and self._synchronised:
                self._problems.append(BadReading(f"no telegram: {bytes(self._buffer[end:][:40])!r}"))
            end = match.end()
            telegram = bytes(match[0])
            body = telegram[: telegram.rindex(b"!") + 1]
            if not match[1] and self.options.version < 4:
                yield telegram
            elif not match[1] or int(match[1], 16) != crc(body):  # some meters leave out leading zeros
                said = match[1].decode() or "none"
                self._problems.append(BadReading(f"wrong checksum: {said} instead of {crc(body):04X}"))
            else:
                yield telegram
            self._synchronised = True
            self._telegram_at = self.elapsed()
        del self._buffer[:end]
        if len(self._buffer) > LONGEST:
            self._problems.append(BadReading(f"no telegram in {len(self._buffer)} bytes", hint=GARBAGE))
            self._buffer.clear()


def _channel(name: str, unit: str | None) -> Channel:
    if unit is None:
        counts = "failures" in name
        return Channel(name, None, state_class="total_increasing" if counts else "none", entity_category="diagnostic")
    return Channel(name, unit, CLASSES[unit], precision={"V": 1, "A": 2}.get(unit, 3), min=0)


def codes(options: Options) -> Codes:
    """Channel to code and unit, for the electricity."""
    phases = {name: code for name, code in PHASES.items() if int(name[-1]) <= options.phases}
    return {**ENERGY[options.country], **POWER, **FAILURES, **phases}


def crc(data: bytes) -> int:
    """CRC-16/ARC: polynomial 0x8005 reflected, from zero."""
    value = 0
    for byte in data:
        value = value >> 8 ^ TABLE[(value ^ byte) & 0xFF]
    return value


def _table_entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


TABLE = tuple(_table_entry(byte) for byte in range(256))


def decode(telegram: bytes, options: Options) -> Values:
    """One reading from a whole telegram; what it does not have is null. Raises ``BadReading``."""
    found: dict[str, list[str]] = {}
    text = telegram.decode("ascii", errors="replace").replace("\r\n(", "(")  # a value may be on a line of its own
    for line in text.split("\r\n")[1:]:
        match = LINE.fullmatch(line)
        if match:
            found[match[1]] = match[2][1:-1].split(")(")
        elif line and not line.startswith("!") and options.version < 4:  # where no checksum says that it is right
            raise BadReading(f"a line that is none of DSMR: {line[:80]!r}")
    values = {name: number(found.get(code, [""])[-1], unit) for name, (code, unit) in codes(options).items()}
    values |= {meter: mbus(found, *METERS[meter]) for meter in options.meters}
    if all(value is None for value in values.values()):
        raise BadReading(f"a telegram without a known value: {telegram[:40]!r}...")
    return values


def number(text: str, unit: str | None) -> float | None:
    """``0230.0*V`` as a number; ``None`` for anything else."""
    digits, star, given = text.partition("*")
    if (given if star else None) != unit or not re.fullmatch(r"\d+(\.\d+)?", digits):
        return None
    return float(digits) if "." in digits or unit else int(digits)


def mbus(found: dict[str, list[str]], types: tuple[str, ...], unit: str) -> float | None:
    """The newest value of a meter of these types, whatever its channel."""
    newest: tuple[str, float] | None = None
    for channel in (1, 2, 3, 4):
        if found.get(f"0-{channel}:24.1.0", [""])[-1].rjust(3, "0") not in types:
            continue
        for code in READINGS:
            time, *_, value = found.get(f"0-{channel}:{code}", ["", ""])
            if "*" not in value and code == "24.3.0":  # version 3: time, status and more, code, unit, number
                value = f"{value}*{found.get(f'0-{channel}:{code}', ['', ''])[-2]}"
            amount = number(value, unit)
            century = "19" if time > "70" else "20"  # what was never read is of 1970
            if amount is not None and (newest is None or century + time > newest[0]):
                newest = century + time, amount
    return newest[1] if newest else None
