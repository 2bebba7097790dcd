"""Lines of text from an Arduino or any serial device: CSV, JSON, key=value, or a regular expression.

Wiring: USB, or the header's TXD and RXD with `enable_uart=1` and the serial console off. The header is 3.3 V: a 5 V
board needs a level shifter or two resistors in front of RXD. Use the port's name in /dev/serial/by-id.

Sample:

    [devices.greenhouse]
    driver = "serial_line"
    port = "/dev/serial/by-id/usb-Arduino_Uno-if00"
    format = "csv"                      # a line such as 21.5,40
    fields = [
        { name = "temperature", unit = "°C", device_class = "temperature" },
        { name = "humidity", unit = "%", device_class = "humidity" },
    ]

Traps: opening the port resets most Arduinos, so the first line comes after a second or two. The first line after
opening may be half a line and is dropped (`skip_first`). A line has no checksum: a byte that was lost in the middle of
a number cannot be seen, so set `min` and `max` on the channels. `nan`, as Arduino libraries print it for a sensor that
failed, is published as null. Garbage all the time is a wrong baudrate.

Sources: pyserial for the ports; RFC 8259 for JSON; the Arduino reference of Serial.println (lines end with CR LF).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, Literal

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    Duration,
    Misconfigured,
    Result,
    Scalar,
    SerialPort,
    option,
    options,
)

WAIT = 0.9
"""Seconds that one ``read`` waits for news: it has to be back within 1 s."""
LINE_TIME = 5.0
"""Seconds from a line's first byte to its last; a line that takes longer is given up."""
HELPING = 64 * 1024
"""Bytes that one ``read`` takes in at most, however fast they come."""
TYPES: dict[str, Any] = {"number": float, "text": str, "boolean": bool}
WORDS = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
NOT_A_NUMBER = re.compile(r"[+-]?(nan|inf|ovf|infinity)", re.IGNORECASE)  # ovf: what Arduino prints for overflow
PAIR = re.compile(r"([^\s=:,;]+)\s*[=:]\s*([^\s,;]*)")


@options
class Field:
    """One value in a line, and the channel that it becomes."""

    name: str = option(help="the channel's name; csv: empty for a column to skip")
    source: str = option(default="", help="its key in the line, or the group's name in `pattern`; default: `name`")
    unit: str | None = option(default=None, help="its unit")
    device_class: str | None = option(default=None, help="its device class in Home Assistant")
    type: Literal["number", "text", "boolean"] = option(default="number", help="what the value is")

    @property
    def key(self) -> str:
        """What the line calls it."""
        return self.source or self.name


@options
class Options:
    """The port, and what a line looks like."""

    port: str = option(help="the serial port, best by its name in /dev/serial/by-id; or socket://HOST:PORT")
    baudrate: int = option(default=9600, min=50, max=4_000_000, help="bits a second")
    bytesize: Literal[5, 6, 7, 8] = option(default=8, help="data bits")
    parity: Literal["N", "E", "O"] = option(default="N", help="none, even or odd")
    stopbits: Literal[1, 2] = option(default=1, help="stop bits")
    fields: tuple[Field, ...] = option(help="the values in a line; csv: in the order of the columns")
    format: Literal["csv", "json", "keyvalue", "regex"] = option(default="csv", help="21.5,40 or {...} or t=21.5 h=40")
    delimiter: str = option(default=",", help="csv: what is between two columns")
    pattern: str = option(default="", help="regex: a regular expression with a named group, `(?P<name>...)`, per field")
    ignore: str = option(default="", help="a regular expression; lines in which it is found are skipped")
    encoding: str = option(default="utf-8", help="how text is encoded; bytes that are not are a bad reading")
    terminator: str = option(default="\n", help="what ends a line; white space around it is cut off")
    max_line: int = option(default=4096, min=8, max=65536, help="bytes of the longest line; longer ones are dropped")
    skip_first: bool = option(default=True, help="drop the first line after opening, which may be half a line")
    silence: Duration | None = option(default=None, min=1, help="a device that says nothing for so long is offline")


class SerialLine(Driver[Options]):
    """Cuts the stream into lines; a line is one reading."""

    options_type = Options
    interval = None

    _port: SerialPort
    _buffer: bytearray
    """The beginning of a line."""
    _began_at: float | None
    """When the first byte of an unfinished line came."""
    _heard_at: float
    _skipping: bool
    """Whether what comes belongs to a line that is dropped."""
    _given_up: bool
    """Whether that was reported."""
    _problems: list[BadReading]
    """Bad lines that are still to be reported."""

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """One for each field that has a name."""
        check(options)
        try:
            channels = [Channel(f.name, f.unit, f.device_class, type=TYPES[f.type]) for f in options.fields if f.name]
        except ValueError as error:
            raise Misconfigured(f"fields: {error}") from error
        if not channels or len({channel.name for channel in channels}) < len(channels):
            raise Misconfigured("fields: at least one with a name, and no two with the same")
        return tuple(channels)

    def open(self) -> None:
        """Open the port and forget what an earlier connection left."""
        o = self.options
        self._port = self.serial(
            o.port, o.baudrate, bytesize=o.bytesize, parity=o.parity, stopbits=o.stopbits, timeout=WAIT
        )
        self._buffer = bytearray()
        self._began_at = None
        self._heard_at = self.elapsed()
        self._skipping = o.skip_first
        self._given_up = False
        self._problems = []

    def read(self) -> Result:
        """All whole lines that are there; waits up to 1 s for the first. Bad ones are reported after the good ones."""
        readings = []
        for line in [] if self._problems else self._lines():
            try:
                reading = parse(line, self.options)
            except BadReading as problem:
                self._problems.append(problem)
            else:
                readings += [] if reading is None else [reading]
        if readings or not self._problems:
            return readings or None
        (*others, last), self._problems = self._problems, []
        more = f" (the last of {len(others) + 1} bad lines)" if others else ""
        raise BadReading(f"{last}{more}", hint="check baudrate and format, then the cable")

    def _lines(self) -> list[bytes]:
        """Wait for a line, and take all that are there."""
        taken, now = 0, self.elapsed()
        deadline = now + WAIT
        while taken < HELPING and now < deadline:
            self._port.timeout = deadline - now
            fresh = self._port.read(min(max(1, self._port.in_waiting), self.options.max_line))
            now = self.elapsed()
            if not fresh:
                break
            taken += len(fresh)
            self._heard_at = now
            if (lines := self._cut(fresh, now)) or self._problems:
                return lines
        silence = self.options.silence
        if silence is not None and now - self._heard_at > silence:
            raise DeviceUnavailable(f"{self.options.port}: nothing came for {now - self._heard_at:.0f} s")
        return []

    def _cut(self, fresh: bytes, now: float) -> list[bytes]:
        """Add what came to the buffer and take the whole lines out of it."""
        if self._began_at is not None and now - self._began_at > LINE_TIME:
            self._give_up(f"no end of line after {LINE_TIME:g} s", now)
        end = self.options.terminator.encode(self.options.encoding)
        *lines, rest = bytes(self._buffer + fresh).split(end)
        self._buffer = bytearray(rest)
        if lines or self._began_at is None:
            self._began_at = now if rest else None
        if lines and self._skipping:
            self._skipping = self._given_up = False
            del lines[0]
        if len(rest) > self.options.max_line:
            if not self._given_up:
                self._give_up(f"no end of line in {len(rest)} bytes", now)
            del self._buffer[: len(rest) - (len(end) - 1)]  # half an end of line may be waiting for the other half
        return lines

    def _give_up(self, why: str, now: float) -> None:
        """Drop the line that has begun, with all that still comes of it."""
        self._problems.append(BadReading(f"{why}: {shown(bytes(self._buffer))}"))
        self._skipping = self._given_up = True
        self._began_at = now


def check(options: Options) -> None:
    """Refuse what could never work. Raises ``Misconfigured``."""
    if not options.terminator or not options.delimiter:
        raise Misconfigured("terminator and delimiter: at least one character")
    try:
        b"".decode(options.encoding)
        options.terminator.encode(options.encoding)
    except (LookupError, UnicodeEncodeError) as error:
        raise Misconfigured(f"encoding and terminator: {error}") from error
    for name in ("ignore", "pattern"):
        try:
            groups = re.compile(getattr(options, name)).groupindex
        except re.error as error:
            raise Misconfigured(f"{name} is no regular expression: {error}") from error
    if options.format == "regex":
        missing = [field.key for field in options.fields if field.key not in groups]
        if missing:
            raise Misconfigured(f"pattern has no group {', '.join(f'(?P<{name}>...)' for name in missing)}")
    if options.format != "csv" and not all(field.name for field in options.fields):
        raise Misconfigured("fields: only a csv column can be skipped with an empty name")


def parse(line: bytes, options: Options) -> dict[str, Scalar] | None:
    """One reading from one line; ``None`` for a line to skip. Raises ``BadReading``, which shows the line."""
    try:
        text = line.decode(options.encoding).strip("\r\n\0")
    except UnicodeDecodeError:
        raise BadReading(f"not {options.encoding}: {shown(line)}") from None
    if not text.strip() or (options.ignore and re.search(options.ignore, text)):
        return None
    found = SPLITTERS[options.format](text, options) if len(line) <= options.max_line else None
    if found is None or not any(field.key in found for field in options.fields):
        raise BadReading(f"no {options.format} line with {len(options.fields)} fields: {shown(line)}")
    try:
        return {field.name: convert(found.get(field.key), field) for field in options.fields if field.name}
    except ValueError as error:
        raise BadReading(f"{error} in {shown(line)}") from None


def split_csv(text: str, options: Options) -> dict[str, Any] | None:
    """The cells by field; ``None`` when there are more or fewer of them than fields."""
    cells = text.split(None if options.delimiter == " " else options.delimiter)
    if len(cells) != len(options.fields):
        return None
    return {field.key: cell.strip() for field, cell in zip(options.fields, cells, strict=True)}


def split_json(text: str, _: Options) -> dict[str, Any] | None:
    """The members of a flat object."""
    try:
        found = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def split_pairs(text: str, _: Options) -> dict[str, Any] | None:
    """``key=value`` or ``key: value``, separated by white space, commas or semicolons; no key twice."""
    pairs = PAIR.findall(text)
    found = dict(pairs)
    return found if len(found) == len(pairs) else None  # a key comes twice where two lines were glued together


def split_regex(text: str, options: Options) -> dict[str, Any] | None:
    """The named groups."""
    match = re.search(options.pattern, text)
    return match.groupdict() if match else None


SPLITTERS: dict[str, Callable[[str, Options], dict[str, Any] | None]] = {
    "csv": split_csv,
    "json": split_json,
    "keyvalue": split_pairs,
    "regex": split_regex,
}


def convert(raw: Any, field: Field) -> Scalar:
    """One value as its channel wants it; ``None`` for an empty one and for nan. Raises ``ValueError``."""
    if raw is None or (raw == "" and field.type != "text"):
        return None
    word = raw if isinstance(raw, str) else json.dumps(raw)
    if field.type == "text" and not isinstance(raw, dict | list):
        return word
    if field.type == "boolean" and word.lower() in WORDS:
        return WORDS[word.lower()]
    if field.type == "number" and NUMBER.fullmatch(word):
        number = float(word)
        if word.isdecimal() and len(word) <= 15:  # exact as a float in JavaScript, too
            return int(word)
        return number if math.isfinite(number) else None
    if field.type == "number" and NOT_A_NUMBER.fullmatch(word):
        return None
    raise ValueError(f"{field.key} is no {field.type}")


def shown(line: bytes) -> str:
    """The beginning of a line as it can be printed."""
    return repr(line) if len(line) <= 60 else f"{line[:60]!r}... ({len(line)} bytes)"
