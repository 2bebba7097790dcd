"""An I2C bus of a test: what smbus2 would talk to, with chips, multiplexers, and calls that do not return."""

from __future__ import annotations

import ctypes
import errno
import os
import threading
import time
from typing import Any

READ = 1
"""The flag of a message that reads (I2C_M_RD)."""


class Chip:
    """256 registers. The first byte written says which one, the others go into it and those after it."""

    def __init__(self, registers: dict[int, int] | None = None) -> None:
        self.registers = bytearray(256)
        for register, value in (registers or {}).items():
            self.registers[register] = value
        self.pointer = 0

    def write(self, data: bytes) -> None:
        """Bytes from the bus."""
        if data:
            self.pointer = data[0]
            for step, byte in enumerate(data[1:]):
                self.registers[(self.pointer + step) % 256] = byte

    def read(self, size: int) -> bytes:
        """Bytes for the bus."""
        return bytes(self.registers[(self.pointer + step) % 256] for step in range(size))


class Mux(Chip):
    """A TCA9548A: one register, one bit a channel; what is behind it answers once the message has ended."""

    def __init__(self, channels: dict[int, dict[int, Chip]]) -> None:
        super().__init__()
        self.channels = channels
        self.open = 0
        self._next = 0

    def write(self, data: bytes) -> None:
        """The channels that are to be open."""
        self._next = data[-1] if data else self._next

    def stop(self) -> None:
        """The message has ended."""
        self.open = self._next

    def behind(self, address: int) -> list[Chip]:
        """The chips with that address on the open channels."""
        return [
            chips[address] for channel, chips in self.channels.items() if self.open >> channel & 1 and address in chips
        ]


class Wire:
    """One bus. ``open`` is what opens it, in the place of smbus2."""

    def __init__(self, chips: dict[int, Chip] | None = None, *, seconds: float = 0.0) -> None:
        """``seconds`` is what one call takes."""
        self.chips = chips or {}
        self.seconds = seconds
        self.errors: dict[int, int] = {}
        """Addresses that fail, with the error."""
        self.calls: list[tuple[str, int]] = []
        """The thread and the address of each call that has begun."""
        self.wrong: list[str] = []
        """What must never happen: two calls at once, two chips that answer."""
        self.handles = 0
        """How many times it is open now."""
        self.hanging = 0
        """How many calls hang now."""
        self._lock = threading.Lock()
        self._inside: str | None = None
        self._gates: dict[int | None, threading.Event] = {}

    def open(self, number: int) -> Handle:
        """Like ``smbus2.SMBus(number)``."""
        with self._lock:
            self.handles += 1
        return Handle(self)

    def hang(self, address: int | None = None) -> None:
        """Calls of this address do not return, or all calls, before :meth:`free`."""
        self._gates.setdefault(address, threading.Event())

    def free(self, address: int | None = None) -> None:
        """They return, with an error, and hang no more."""
        self._gates.pop(address).set()

    def free_all(self) -> None:
        """Nothing hangs any more."""
        for address in tuple(self._gates):
            self.free(address)

    def call(self, messages: tuple[Any, ...]) -> None:
        """What happens on the wire in one call of ``i2c_rdwr``."""
        address, me = messages[0].addr, threading.current_thread().name
        with self._lock:
            self.calls.append((me, address))
        if self._stay(address):
            raise _error(errno.ETIMEDOUT)
        with self._lock:
            if self._inside is not None:
                self.wrong.append(f"{me} calls while {self._inside} does")
            self._inside = me
        try:
            if self.seconds:
                time.sleep(self.seconds)
            for message in messages:
                self._message(message)
            for chip in self.chips.values():
                if isinstance(chip, Mux):
                    chip.stop()
        finally:
            self._inside = None

    def _stay(self, address: int) -> bool:
        gates = [gate for key in (address, None) if (gate := self._gates.get(key)) is not None]
        for gate in gates:
            with self._lock:
                self.hanging += 1
            gate.wait()
            with self._lock:
                self.hanging -= 1
        return bool(gates)

    def _message(self, message: Any) -> None:
        address = message.addr
        if address in self.errors:
            raise _error(self.errors[address])
        found = [self.chips[address]] if address in self.chips else []
        for chip in self.chips.values():
            if isinstance(chip, Mux):
                found += chip.behind(address)
        if not found:
            raise _error(errno.EREMOTEIO)
        if len(found) > 1:
            self.wrong.append(f"{len(found)} chips answer at {address:#04x}")
        if message.flags & READ:
            ctypes.memmove(message.buf, found[0].read(message.len), message.len)
        else:
            found[0].write(bytes(message))


class Handle:
    """The bus, open, with the names of smbus2."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._owner = threading.current_thread()
        self._open = True

    def i2c_rdwr(self, *messages: Any) -> None:
        """Messages of smbus2, filled with what was read."""
        if not self._open:
            raise _error(errno.EBADF)
        self._wire.call(messages)

    def close(self) -> None:
        """Only by the thread that has opened it: another may be in a call."""
        if threading.current_thread() is not self._owner:
            self._wire.wrong.append(f"{threading.current_thread().name} closes what {self._owner.name} has opened")
        if self._open:
            self._open = False
            with self._wire._lock:
                self._wire.handles -= 1


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
