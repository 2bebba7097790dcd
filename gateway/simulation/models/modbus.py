"""A Modbus device on a line that it shares with others, or behind Modbus TCP."""

from __future__ import annotations

from struct import pack, unpack
from typing import Any

from gateway.simulation.serial_model import AnsweringSerial
from gateway.simulation.world import World

HOUSE = (
    *((0x00, 230.2), (0x02, 231.0), (0x04, 229.7), (0x34, 1260.0), (0x46, 50.0), (0x48, 1234.5), (0x4A, 12.25)),
    *((address, 0.98) for address in (0x1E, 0x20, 0x22)),
)
"""What meters of Eastron have where, as far as it is not zero."""
FORMATS = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "uint64": ">Q", "int64": ">q"}
FORMATS |= {"float32": ">f", "float64": ">d"}
PIECES = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


class Slave(AnsweringSerial):
    """Set ``registers`` by function and address: ``slave.registers[4, 0] = 2302``; ``missing`` are refused."""

    def __init__(self, unit: int, *, tcp: bool = False) -> None:
        self.unit = unit
        self._tcp = tcp
        self.registers: dict[tuple[int, int], int] = {}
        self.missing: set[int] = set()
        super().__init__()

    def put(self, function: int, address: int, data: bytes) -> None:
        """Set registers from an address on."""
        for place, word in enumerate(unpack(f">{len(data) // 2}H", data)):
            self.registers[function, address + place] = word

    def request_in(self, heard: bytearray) -> bytes | None:
        """A frame with the right checksum, from between whatever is on the line; of TCP one with a header."""
        if self._tcp:
            size = 6 + int.from_bytes(heard[4:6], "big")
            frame = bytes(heard[:size]) if 6 < size <= len(heard) else None
            del heard[: size if frame else 0]
            return frame
        while len(heard) >= 8:
            frame = bytes(heard[:8])
            if crc(frame[:6]) == frame[6:]:
                del heard[:8]
                return frame
            del heard[0]
        return None

    def answer(self, request: bytes) -> bytes | None:
        """What it has, or an exception; nothing to what is for another unit."""
        header, pdu = (request[:4], request[6:]) if self._tcp else (b"", request[:6])
        unit, function, first, count = unpack(">BBHH", pdu[:6])
        if unit != self.unit:
            return None
        said = bytes([unit, function]) + self._data(function, first, count)
        if self.missing & set(range(first, first + count)):
            said = bytes([unit, function | 0x80, 2])
        return header + len(said).to_bytes(2, "big") + said if self._tcp else said + crc(said)

    def _data(self, function: int, first: int, count: int) -> bytes:
        words = [self.registers.get((function, first + place), 0) for place in range(count)]
        if function in (1, 2):
            bits = sum(bool(word) << place for place, word in enumerate(words))
            data = bits.to_bytes((count + 7) // 8, "little")
        else:
            data = pack(f">{count}H", *words)
        return bytes([len(data)]) + data


class House(Slave):
    """A device that measures: what it says swings by some percent around what is in it."""

    def answer(self, request: bytes) -> bytes | None:
        """See :class:`Slave`."""
        for address, usual in HOUSE:
            factor = 1.0 if address in (0x48, 0x4A) else self.swing(0.98, 1.02)
            self.put(4, address, pack(">f", usual * factor + (self.now / 3600 if address == 0x48 else 0)))
        for phase in range(3):
            self.put(4, 0x06 + 2 * phase, pack(">f", self.swing(1.5, 2.0)))
            self.put(4, 0x0C + 2 * phase, pack(">f", self.swing(345, 460)))
            self.put(4, 0x12 + 2 * phase, pack(">f", self.swing(352, 469)))
            self.put(4, 0x18 + 2 * phase, pack(">f", self.swing(69, 92)))
        return super().answer(request)


def device(options: Any) -> Slave:
    """The device that a profile is of, or one with a value in every register of the options."""
    unit = options.unit or (254 if options.profile == "senseair_s8" else 1)
    tcp = options.framing == "tcp"
    if options.profile in ("sdm120", "sdm630"):
        return House(unit, tcp=tcp)
    slave = Slave(unit, tcp=tcp)
    if options.profile == "pzem_004t":
        slave.put(4, 0, bytes.fromhex("08d1 006c 0000 00f4 0000 0026 0000 01f4 0064 0000"))
    if options.profile == "senseair_s8":
        slave.put(4, 0, pack(">4H", 0, 0, 0, 612))
    for register in options.registers:
        fill(slave, register)
    return slave


def fill(slave: Slave, register: Any) -> None:
    """Put something plausible into a register of a table: about twenty of its unit."""
    function = PIECES[register.kind]
    if function in (1, 2):
        slave.registers[function, register.address] = 1
        return
    form = FORMATS[register.type]
    number = 21.5 / (register.scale or 1)
    data = pack(form, number if register.type.startswith("float") else round(number) & 0x7FFF)
    words = [data[place : place + 2] for place in range(0, len(data), 2)]
    slave.put(function, register.address, b"".join(words if register.words == "high_first" else reversed(words)))


def crc(data: bytes) -> bytes:
    """CRC-16/MODBUS as it is sent, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def attach(world: World, options: Any) -> Slave:
    """The device of the profile, or of the table, with the unit of the options."""
    slave = device(options)
    world.connect(slave, options)
    return slave
