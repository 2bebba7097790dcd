"""Asks the addresses of an I2C bus who is there and what it is, without changing anything.

Who is there is found as i2cdetect does: by a message without content, or by reading a byte where a message could do
harm (memories). What it is, some chips tell in a register. Asking for one means to send its number, a single byte, and
nothing longer is ever sent. To some chips a single byte is a command, though, so it is not sent

- to 0x20 to 0x27 and 0x38 to 0x3F: the pins of a PCF8574 would follow it;
- to 0x48 to 0x4F: a PCF8591 would switch its output off;
- to 0x70 to 0x75: a TCA9548A would switch its channels;
- to 0x68 to 0x6F when what is there repeats one byte without end: an MCP3421 would be set by it.

At 0x76 and 0x77 there may be a BME280, or a TCA9548A, whose one register is read and written without a number. So one
byte is read first, then the number of the register is sent and its content read. A multiplexer gives the number itself
back: then it gets the first byte again, before anybody else has the bus. Nothing is sent through it in between.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from gateway.driver import DeviceUnavailable, DriverError, I2CDevice
from gateway.known.thing import Thing

ADDRESSES = range(0x08, 0x78)
MEMORIES = frozenset((*range(0x30, 0x38), *range(0x50, 0x60)))
NEVER_ASKED = frozenset((*range(0x20, 0x28), *range(0x38, 0x40), *range(0x48, 0x50), *range(0x70, 0x76)))
SHY = frozenset(range(0x68, 0x70))
PERHAPS_MUX = frozenset((0x76, 0x77))

SILENT = frozenset({None, errno.EREMOTEIO, errno.ENXIO, errno.EIO, errno.EAGAIN})
"""What "nobody is there" is, with different adapters; ``None`` where there is no kernel."""
UNABLE = frozenset({errno.EOPNOTSUPP, errno.EINVAL})
"""The adapter cannot send a message without content."""
PATIENCE = 2
"""So many addresses may keep the bus for a second each, then it is left alone."""


class Open(Protocol):
    """Opens the device at an address of the bus."""

    def __call__(self, address: int) -> I2CDevice:
        """Raises one of the driver errors."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody at an address."""

    address: int
    thing: Thing | None = None
    """What it has told to be."""
    is_mux: bool = False
    asked: frozenset[int] = frozenset()
    """The registers that it has given."""


class Stuck(Exception):
    """The bus does not work; what it says is for people."""

    def __init__(self, error: DriverError) -> None:
        super().__init__(str(error))
        self.hint = error.hint


class Probe:
    """One bus."""

    def __init__(self, open: Open, known: Sequence[Thing]) -> None:
        self._open = open
        self._known = known
        self._by_reading = False
        """The adapter cannot do otherwise."""
        self._timeouts = 0

    def answers(self, skip: Callable[[int], bool] = lambda _: False) -> Iterator[Answer]:
        """Everybody who answers, one after the other. Raises :class:`Stuck`."""
        for address in ADDRESSES:
            if skip(address):
                continue
            with self._opened(address) as device:
                if self._is_there(device, address):
                    yield self._identify(device, address)

    @contextmanager
    def _opened(self, address: int) -> Iterator[I2CDevice]:
        try:
            device = self._open(address)
        except DriverError as error:
            raise Stuck(error) from error
        try:
            yield device
        finally:
            device.close()

    def _is_there(self, device: I2CDevice, address: int) -> bool:
        if not self._by_reading and address not in MEMORIES:
            reason = self._try(lambda: device.write(b""))
            if reason not in UNABLE:
                return reason == 0
            self._by_reading = True
        return self._try(lambda: device.read(1)) == 0

    def _try(self, call: Callable[[], object]) -> int | None:
        """0 when it works, else the number of the error. :class:`Stuck` when it is the bus."""
        try:
            call()
        except DeviceUnavailable as error:
            number = getattr(error.__cause__, "errno", None)
            self._timeouts += number == errno.ETIMEDOUT
            if number in SILENT | UNABLE or (number == errno.ETIMEDOUT and self._timeouts < PATIENCE):
                return number
            raise Stuck(error) from error
        except DriverError as error:
            raise Stuck(error) from error
        return 0

    def _identify(self, device: I2CDevice, address: int) -> Answer:
        """What it is, as far as it tells."""
        known = [thing for thing in self._known if thing.register is not None and address in thing.addresses]
        if address in NEVER_ASKED or not known:
            return Answer(address)
        try:
            if address in SHY and _repeats(device):
                return Answer(address)
            if address in PERHAPS_MUX and _is_mux(device, known[0].register):
                return Answer(address, is_mux=True)
        except DriverError:
            return Answer(address)
        given: dict[tuple[int, int], bytes] = {}
        for thing in known:
            for answer in thing.answers:
                key = (thing.register or 0, len(answer))
                if key not in given:
                    given[key] = self._register(device, *key)
                if given[key] == answer:
                    return Answer(address, thing, asked=frozenset(register for register, _ in given))
        return Answer(address, asked=frozenset(register for (register, _), value in given.items() if value))

    def _register(self, device: I2CDevice, register: int, size: int) -> bytes:
        """Its content; empty when the chip has no such register."""
        found = b""

        def ask() -> None:
            nonlocal found
            found = device.read_register(register, size)

        self._try(ask)
        return found


def _repeats(device: I2CDevice) -> bool:
    """Whether the chip says the same byte again and again, so that it may have no registers."""
    said = device.read(8)
    return len(set(said[4:])) == 1


def _is_mux(device: I2CDevice, register: int | None) -> bool:
    """Whether it is a multiplexer, which afterwards is as it was."""
    number = bytes([register or 0])
    with device.transaction():
        before = device.read(1)
        if device.write_read(number, 1) != number:
            return False
        try:
            device.write(before)
        except DeviceUnavailable:
            device.write(before)  # it is worth a second attempt: its channels would stay where the number led
    return True
