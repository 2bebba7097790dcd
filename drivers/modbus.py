"""Modbus devices, RTU or TCP: meters SDM120, SDM630 and PZEM-004T, the CO2 sensor S8, or any table of registers.

Wiring: RS-485 needs an adapter (USB, or a module at the header's TXD and RXD): A to A, B to B, and GND; 120 Ω at both
ends of a long line. Any number of devices share a line, each with a ``unit`` number of its own. The Senseair S8 and
the PZEM-004T have TTL ports instead: TXD to RXD and RXD to TXD, 3.3 V for the S8's signals. Modbus TCP: ``port =
"socket://192.168.1.20:502"`` with ``framing = "tcp"``; a serial server that passes bytes on keeps ``"rtu"``.

Sample:

    [devices.heat-pump]
    driver = "modbus"
    port = "/dev/serial/by-id/usb-FTDI_RS485-if00-port0"
    unit = 3
    profile = "sdm120"                  # or sdm630, pzem_004t, senseair_s8, or a table of your own:
    # registers = [
    #     { name = "voltage", address = 0x0000, type = "float32", unit = "V", device_class = "voltage" },
    #     { name = "running", address = 7, kind = "coil" },
    # ]

Traps: addresses count from 0; a manual that writes 30001 or 40001 means 0. Numbers of 32 bits have their high word
first in most devices, their low word in some (``words = "low_first"``). All devices on one line need the same
``baudrate``: an SDM120 comes with 2400, which its keys change. A PZEM-004T sees nothing, and does not answer, without
mains at its terminals; it leaves the factory with unit 1, so give each one its own before they share a line. The S8
answers on unit 254, as long as it is alone. An adapter that echoes what is sent does no harm.

Sources: Modbus Application Protocol V1.1b3 and Modbus over Serial Line V1.02; Eastron's protocol documents of SDM120
and SDM630; Peacefair's PZEM-004T V3.0 manual; Senseair TDE2067 (Modbus on S8).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from struct import pack, unpack
from typing import Any, Literal

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    Duration,
    Misconfigured,
    Scalar,
    SerialOptions,
    SerialPort,
    Values,
    option,
    options,
)

FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
MOST = {"coil": 2000, "discrete": 2000, "holding": 125, "input": 125}
"""How many of a kind one request may ask for."""
INTEGERS = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "uint64": ">Q", "int64": ">q"}
TYPES = INTEGERS | {"float32": ">f", "float64": ">d"}
EXCEPTIONS = {1: "no such function", 2: "no such register", 3: "not so many at once", 4: "it failed", 5: "still at it"}
EXCEPTIONS |= {6: "it is busy", 10: "the gateway between has no way to it", 11: "the gateway between hears nothing"}
Number = Literal["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
SILENCE = 0.05
"""Seconds without a byte after which an answer has ended."""


@options
class Register:
    """One value, and the channel that it becomes."""

    name: str = option(help="the channel's name")
    address: int = option(min=0, max=65535, help="the first register, counted from 0")
    kind: Literal["holding", "input", "coil", "discrete"] = option("holding", help="what it is; the last two are bits")
    type: Number = option("uint16", help="how the number is written; not for bits")
    words: Literal["high_first", "low_first"] = option("high_first", help="the order of registers in a longer number")
    scale: float = option(1.0, help="what the number is multiplied by")
    unit: str | None = option(None, help="its unit")
    device_class: str | None = option(None, help="its device class in Home Assistant")
    state_class: str | None = option(None, help="measurement, total or total_increasing; default: the usual one")

    @property
    def size(self) -> int:
        """How many registers or bits it takes."""
        return 1 if self.kind in ("coil", "discrete") else int(self.type[-2:]) // 16


def _input(name: str, address: int, type_: Any, scale: float, *of: str | None, words: Any = "high_first") -> Register:
    unit, device_class = of
    known = {"kind": "input", "state_class": None if unit or device_class else "none", "words": words}
    return Register(name=name, address=address, type=type_, scale=scale, unit=unit, device_class=device_class, **known)


QUANTITIES = (
    *(("voltage", "V", "voltage"), ("current", "A", "current"), ("power", "W", "power")),
    *(("apparent_power", "VA", "apparent_power"), ("reactive_power", "var", "reactive_power")),
    ("power_factor", None, "power_factor"),
)
TOTALS = (
    _input("frequency", 0x46, "float32", 1, "Hz", "frequency"),
    _input("energy_import", 0x48, "float32", 1, "kWh", "energy"),
    _input("energy_export", 0x4A, "float32", 1, "kWh", "energy"),
)
PZEM = (
    *(("voltage", 0, "uint16", 0.1, "V", "voltage"), ("current", 1, "uint32", 0.001, "A", "current")),
    *(("power", 3, "uint32", 0.1, "W", "power"), ("energy", 5, "uint32", 1, "Wh", "energy")),
    *(("frequency", 7, "uint16", 0.1, "Hz", "frequency"), ("power_factor", 8, "uint16", 0.01, None, "power_factor")),
    ("alarm", 9, "uint16", 1, None, None),
)
S8 = (("meter_status", 0, "uint16", 1, None, None), ("co2", 3, "uint16", 1, "ppm", "carbon_dioxide"))
PROFILES: dict[str, tuple[Register, ...]] = {
    "": (),
    "sdm120": (*(_input(name, 6 * n, "float32", 1, *of) for n, (name, *of) in enumerate(QUANTITIES)), *TOTALS),
    "sdm630": (
        *(
            _input(f"{name}_l{phase + 1}", 6 * n + 2 * phase, "float32", 1, *of)
            for n, (name, *of) in enumerate(QUANTITIES)
            for phase in range(3)
        ),
        _input("power", 0x34, "float32", 1, "W", "power"),
        *TOTALS,
    ),
    "pzem_004t": tuple(_input(*row, words="low_first") for row in PZEM),
    "senseair_s8": tuple(_input(*row) for row in S8),
}
USUAL = dict.fromkeys(PROFILES, (9600, 1, 0)) | {"sdm120": (2400, 1, 0), "senseair_s8": (9600, 254, 2)}
"""Baudrate and unit that a device leaves its factory with, and the gap between registers that it does not mind."""


@options
class Options(SerialOptions):
    """The line, the device on it, and what it has."""

    framing: Literal["rtu", "tcp"] = option("rtu", help="tcp: Modbus TCP, with a port such as socket://HOST:502")
    baudrate: int = option(0, min=0, max=4_000_000, help="bits a second; 0: the profile's, or 9600")
    unit: int | None = option(None, min=1, max=255, help="its number on the line; default: the profile's, or 1")
    profile: Literal["", "sdm120", "sdm630", "pzem_004t", "senseair_s8"] = option("", help="what device it is")
    registers: tuple[Register, ...] = option((), help="what it has, for other devices; or more than the profile has")
    fields: tuple[str, ...] = option((), help="names of the values to read; default: all")
    gap: int | None = option(None, min=0, max=100, help="registers in between to read along, which saves requests")
    answer_within: Duration = option("1s", min=0.02, max=5, help="how long the device may take to answer")


class Modbus(Driver[Options]):
    """Asks for blocks of registers, one after the other."""

    options_type = Options
    shares_port = True
    timeout = "15s"

    port: SerialPort
    _transaction: int

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """One for each value that is read."""
        names = [register.name for register in (*PROFILES[options.profile], *options.registers)]
        unknown = sorted(set(options.fields) - set(names))
        if unknown:
            raise Misconfigured(f"fields: there is no {', '.join(unknown)}", hint=f"there is: {', '.join(names)}")
        if not names or len(set(names)) < len(names):
            raise Misconfigured("set profile, or registers with a name of its own for each")
        try:
            return tuple(channel(register) for register in wanted(options))
        except ValueError as error:
            raise Misconfigured(f"registers: {error}") from error

    def open(self) -> None:
        """Open the line, which other devices may be using."""
        o = self.options
        baudrate, self._unit = o.baudrate or USUAL[o.profile][0], o.unit or USUAL[o.profile][1]
        self._transaction = 0
        self._gap = max(0.00175, 3.5 * 11 / baudrate)  # between two frames: 3.5 characters, never less than at 19200
        self.port = self.serial(o.port, baudrate, bytesize=o.bytesize, parity=o.parity, stopbits=o.stopbits)

    def read(self) -> Values:
        """All values, with as few requests as the device likes."""
        values: dict[str, Scalar] = {}
        gap = USUAL[self.options.profile][2] if self.options.gap is None else self.options.gap
        for block in blocks(wanted(self.options), gap):
            first = block[0].address
            count = max(register.address + register.size for register in block) - first
            data = self._ask(FUNCTIONS[block[0].kind], first, count)
            values |= {register.name: decode(data, register, first) for register in block}
        return {register.name: values[register.name] for register in wanted(self.options)}

    def _ask(self, function: int, first: int, count: int) -> bytes:
        """The data of one answer."""
        size = (count + 7) // 8 if function in (1, 2) else 2 * count
        request = pack(">BBHH", self._unit, function, first, count)
        with self.port.transaction():
            answer = self._tcp(request) if self.options.framing == "tcp" else self._rtu(request, size)
        asked = f"{'bits' if size < count else 'registers'} {first} to {first + count - 1}"
        if answer is None:
            hint = "check unit, baudrate, A and B (crossed?), and the power of the device"
            raise BadReading(f"no answer from unit {self._unit} for {asked}", hint=hint)
        if answer[1] & 0x80:
            what = EXCEPTIONS.get(answer[2], "unknown")
            raise BadReading(f"unit {self._unit} refuses {asked}: exception {answer[2]}, {what}")
        if answer[0] != self._unit or answer[1] != function or answer[2] != size or len(answer) != 3 + size:
            raise BadReading(f"unit {self._unit} answers something else: {answer[:40]!r}")
        return answer[3:]

    def _rtu(self, request: bytes, size: int) -> bytes | None:
        """The answer without its checksum, from between whatever else is on the line."""
        self.wait(self._gap)
        self.port.reset_input_buffer()
        frame = request + crc(request)
        self.port.write(frame)
        self.port.timeout = self.options.answer_within
        heard = self.port.read(5)
        while heard and (answer := find_answer(heard, frame, size)) is None:
            self.port.timeout = SILENCE
            fresh = self.port.read(max(1, min(self.port.in_waiting, 512)))
            if not fresh:
                rest = heard.removeprefix(frame)
                if not rest:
                    return None  # nothing but an echo
                hint = "check baudrate and parity, 120 Ω at both ends, and that no two devices have the same unit"
                raise BadReading(f"unit {self._unit}: wrong checksum or half a frame: {rest[:40]!r}", hint=hint)
            heard += fresh
        return answer if heard else None

    def _tcp(self, request: bytes) -> bytes | None:
        """The answer without its header. ``DeviceUnavailable`` when the connection cannot be trusted any more."""
        self._transaction = (self._transaction + 1) & 0xFFFF
        self.port.write(pack(">HHH", self._transaction, 0, len(request)) + request)
        self.port.timeout = self.options.answer_within
        while header := self.port.read(6):
            transaction, protocol, length = unpack(">HHH", header) if len(header) == 6 else (0, 1, 0)
            body = self.port.read(length) if not protocol and 3 <= length <= 260 else b""
            if not body or len(body) < length:
                raise DeviceUnavailable(f"this is no Modbus TCP: {header + body!r}", hint='is framing = "rtu" meant?')
            if transaction == self._transaction:
                return body
        return None


def wanted(options: Options) -> list[Register]:
    """The registers to read, in the order of the profile or table."""
    every = (*PROFILES[options.profile], *options.registers)
    return [register for register in every if not options.fields or register.name in options.fields]


def channel(register: Register) -> Channel:
    """The channel of a register. ``ValueError`` when there can be no such channel."""
    bit = register.kind in ("coil", "discrete")
    type_ = bool if bit else float
    return Channel(register.name, register.unit, register.device_class, type=type_, state_class=register.state_class)


def blocks(registers: Sequence[Register], gap: int) -> list[list[Register]]:
    """Registers of one kind that follow each other closely, so that one request gets them."""
    found: list[list[Register]] = []
    for register in sorted(registers, key=lambda register: (register.kind, register.address)):
        last = found[-1] if found else []
        end = register.address + register.size
        near = bool(last) and register.address <= max(r.address + r.size for r in last) + gap
        if near and last[0].kind == register.kind and end - last[0].address <= MOST[register.kind]:
            last.append(register)
        else:
            found.append([register])
    return found


def decode(data: bytes, register: Register, first: int) -> Scalar:
    """One value out of the data of an answer that begins with register ``first``; null for what is no number."""
    at = register.address - first
    if register.kind in ("coil", "discrete"):
        return bool(data[at // 8] >> at % 8 & 1)
    words = [data[2 * n : 2 * n + 2] for n in range(at, at + register.size)]
    raw = b"".join(words if register.words == "high_first" else reversed(words))
    (number,) = unpack(TYPES[register.type], raw)
    if not math.isfinite(number):
        return None
    if register.type == "float32":  # the shortest number that is the same: 230.2 and not 230.1999969482422
        number = next(n for digits in range(6, 10) if pack(">f", n := float(f"{number:.{digits}g}")) == raw)
    steps = 1 / register.scale if register.scale else 1  # 2257 / 10 is 225.7, times 0.1 it is not
    value: float = number / round(steps) if steps > 1 and math.isclose(steps, round(steps)) else number * register.scale
    return int(value) if isinstance(number, int) and value == int(value) else value


def find_answer(heard: bytes, request: bytes, size: int) -> bytes | None:
    """The answer or exception, with the right checksum, behind echo, noise and late answers of other devices."""
    start = len(request) if heard.startswith(request) else 0
    for at in range(start, len(heard) - 4):
        if heard[at] == request[0] and heard[at + 1] & 0x7F == request[1]:
            length = 3 if heard[at + 1] & 0x80 else 3 + size
            frame = heard[at : at + length]
            right = len(frame) == 3 or frame[2] == size
            if right and heard[at + length : at + length + 2] == crc(frame):
                return frame
    return None


def crc(data: bytes) -> bytes:
    """CRC-16/MODBUS as it is sent, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")
