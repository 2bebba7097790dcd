"""Chips that are made of registers, on I2C or SPI, and the FIFO that many of them have."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import ClassVar

from gateway.simulation.model import I2CModel


class RegisterChip(I2CModel):
    """A chip with registers of one byte and a pointer that goes on by itself.

    ``defaults`` is what they hold after power on. The first byte of a message says which register is meant; what
    follows is written into it and those after it, and reading goes on from there. Extend ``on_write`` for what the chip
    does, and ``on_read`` for what it measures.
    """

    defaults: ClassVar[Mapping[int, int | bytes]] = {}
    standing: ClassVar[frozenset[int]] = frozenset()
    """Registers at which the pointer stays, such as that of a FIFO."""
    empty: ClassVar[int] = 0x00
    """What a register holds that ``defaults`` does not name."""

    registers: bytearray
    pointer: int

    def power_on(self) -> None:
        """All registers as ``defaults`` say."""
        self.registers = bytearray([self.empty]) * 256
        self.pointer = 0
        for register, value in self.defaults.items():
            self.put(register, value)

    def put(self, register: int, value: int | bytes) -> None:
        """Set a register, or with bytes several from there on, as the chip itself does."""
        data = bytes([value]) if isinstance(value, int) else value
        self.registers[register : register + len(data)] = data

    def on_write(self, register: int, value: int) -> None:
        """The host writes a register. Extend it for commands; without ``super()`` the register keeps what it holds."""
        self.registers[register] = value

    def on_read(self, register: int) -> int:
        """What the host reads there."""
        return self.registers[register]

    def write(self, data: bytes) -> None:
        """See :class:`gateway.simulation.model.I2CModel`."""
        if data:
            self.pointer = data[0]
        for value in data[1:]:
            self.on_write(self.pointer, value)
            self._go_on()

    def read(self, size: int) -> bytes:
        """See :class:`gateway.simulation.model.I2CModel`."""
        got = bytearray()
        for _ in range(size):
            got.append(self.on_read(self.pointer) & 0xFF)
            self._go_on()
        return bytes(got)

    def _go_on(self) -> None:
        if self.pointer not in self.standing:
            self.pointer = (self.pointer + 1) % 256


class RegisterSPI(RegisterChip):
    """The same on SPI, where bit 7 of the first byte means reading, as with most sensors."""

    def transfer(self, data: bytes) -> bytes:
        """See :class:`gateway.simulation.model.SPIModel`."""
        self.pointer = data[0] & 0x7F
        if data[0] & 0x80:
            return b"\0" + self.read(len(data) - 1)
        for value in data[1:]:
            self.on_write(self.pointer, value)
            self._go_on()
        return bytes(len(data))


class Fifo:
    """Bytes in, bytes out, bounded. What does not fit is lost and shows in ``overflowed``."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._bytes: deque[int] = deque()
        self.overflowed = False

    def __len__(self) -> int:
        return len(self._bytes)

    def push(self, data: bytes | int) -> None:
        """Put in a byte, or several."""
        for byte in bytes([data]) if isinstance(data, int) else data:
            if len(self._bytes) < self._size:
                self._bytes.append(byte)
            else:
                self.overflowed = True

    def pop(self, otherwise: int = 0) -> int:
        """The oldest byte, or ``otherwise`` when there is none."""
        return self._bytes.popleft() if self._bytes else otherwise

    def take(self) -> bytes:
        """All of them."""
        taken = bytes(self._bytes)
        self.flush()
        return taken

    def flush(self) -> None:
        """Forget everything."""
        self._bytes.clear()
        self.overflowed = False
