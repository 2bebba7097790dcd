"""I2C devices, on smbus2. What the kernel says never leaves this file as an error number."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.driver import DeviceUnavailable, Misconfigured
from gateway.hardware.bus import WAIT, Bus, Buses, Rider, Turn
from gateway.hardware.i2c_trouble import explain_open, explain_use, kernel_driver
from gateway.hardware.on_bus import OnBus
from gateway.hardware.plugged import patiently

ADDRESSES = range(0x08, 0x78)
"""What a device can have; the rest is reserved."""
MUXES = range(0x70, 0x78)
"""What a TCA9548A can have, and the TCA9546A and PCA9548A, which work in the same way."""
CHANNELS = range(8)


class I2CHandle(Protocol):
    """An open bus, with the names of smbus2."""

    def i2c_rdwr(self, *messages: Any) -> None:
        """Send and receive, with repeated starts in between. ``OSError`` when it fails."""

    def close(self) -> None:
        """Close it."""


class Open(Protocol):
    """Opens the bus with a number."""

    def __call__(self, number: int) -> I2CHandle:
        """``OSError`` when it cannot be opened."""


@dataclass(frozen=True, slots=True)
class Library:
    """What goes with the handles of a kind of bus."""

    messages: Callable[[], Any]
    """The class that makes messages, with the names of smbus2. ``Misconfigured`` when there is none."""
    in_use: Callable[[int, int], DeviceUnavailable | None]
    """What keeps us from an address on a bus, if something does."""


SMBUS = Library(lambda: _smbus2().i2c_msg, kernel_driver)


class I2CBus(Bus[I2CHandle]):
    """One I2C bus."""

    def __init__(self, number: int, open: Open, wait: float, library: Library) -> None:
        super().__init__(f"I2C bus {number}", self._open_handle, wait)
        self.number = number
        self.library = library
        self.muxes: set[int] = set()
        """Multiplexers on it that have been used. For who has a turn."""
        self._open = open

    def _open_handle(self) -> I2CHandle:
        try:
            return patiently(lambda: self._open(self.number), f"/dev/i2c-{self.number}")
        except OSError as error:
            raise explain_open(self.number, error) from error


def open_smbus(number: int) -> I2CHandle:
    """The machine's bus."""
    library = _smbus2()
    bus = library.SMBus()
    try:
        bus.open(number)
    except OSError:
        bus.close()  # it may have been opened, and refused what makes it an I2C bus
        raise
    if not bus.funcs & library.I2cFunc.I2C:
        bus.close()
        hint = "it serves kernel drivers only; use another bus, or the driver iio"
        raise Misconfigured(f"I2C bus {number} is for SMBus commands only", hint=hint)
    handle: I2CHandle = bus
    return handle


def make_buses(open: Open = open_smbus, wait: float = WAIT, library: Library = SMBUS) -> Buses[int, I2CBus]:
    """The I2C buses that ``open`` opens."""
    return Buses(lambda number: I2CBus(number, open, wait, library))


BUSES = make_buses()
"""Those of this machine. One for the process: that makes the locks mean something."""


@dataclass(frozen=True, slots=True)
class Mux:
    """One channel of a multiplexer."""

    address: int
    channel: int


def open_device(buses: Buses[int, I2CBus], device: str, number: int, address: int, mux: Mux | None) -> RealI2CDevice:
    """See :meth:`gateway.driver.Driver.i2c`; ``device`` is the name of whose it is."""
    if address not in ADDRESSES:
        raise Misconfigured(f"no I2C device has the address {address:#04x}", hint="0x08 to 0x77 are possible")
    bus = buses.bus(number)
    messages = bus.library.messages()
    rider = bus.rider(device)
    bus.open().close()  # a bus that is missing or not permitted says so now
    if taken := bus.library.in_use(number, mux.address if mux else address):
        raise taken
    return RealI2CDevice(bus, rider, address, mux, messages)


def the_mux(mux: int | None, channel: int | None) -> Mux | None:
    """The options of a driver as one thing. ``Misconfigured`` for what cannot be."""
    if mux is None and channel is None:
        return None
    if mux is None or channel is None or mux not in MUXES or channel not in CHANNELS:
        hint = "a TCA9548A has an address from 0x70 to 0x77 and the channels 0 to 7"
        raise Misconfigured(f"no multiplexer: mux = {mux}, mux_channel = {channel}", hint=hint)
    return Mux(mux, channel)


class RealI2CDevice(OnBus[I2CHandle]):
    """A device of the machine. See :class:`gateway.hardware.protocols.I2CDevice`."""

    def __init__(self, bus: I2CBus, rider: Rider[I2CHandle], address: int, mux: Mux | None, messages: Any) -> None:
        """``messages``: the class of smbus2 that makes them."""
        super().__init__(rider, f"{address:#04x} on {bus.name}")
        self._bus = bus
        self._address = address
        self._mux = mux
        self._messages = messages

    def write(self, data: bytes) -> None:
        """See :class:`gateway.hardware.protocols.I2CDevice`."""
        self._transfer(self._messages.write(self._address, data))

    def read(self, size: int) -> bytes:
        """See :class:`gateway.hardware.protocols.I2CDevice`."""
        message = self._messages.read(self._address, size)
        self._transfer(message)
        return bytes(message)

    def write_read(self, data: bytes, size: int) -> bytes:
        """See :class:`gateway.hardware.protocols.I2CDevice`."""
        message = self._messages.read(self._address, size)
        self._transfer(self._messages.write(self._address, data), message)
        return bytes(message)

    def read_register(self, register: int, size: int = 1) -> bytes:
        """See :class:`gateway.hardware.protocols.I2CDevice`."""
        return self.write_read(bytes([register]), size)

    def write_register(self, register: int, value: int | bytes) -> None:
        """See :class:`gateway.hardware.protocols.I2CDevice`."""
        self.write(bytes([register]) + (bytes([value]) if isinstance(value, int) else value))

    def _transfer(self, *messages: Any) -> None:
        with self._turn() as turn:
            if self._mux is not None and turn.selected != self._mux:
                self._select(turn, self._mux)
            self._talk(turn, self._address, *messages)

    def _select(self, turn: Turn[I2CHandle], mux: Mux) -> None:
        """Let the multiplexer lead to the device. It does so once the message has ended, so that takes two.

        It stays as it is afterwards: whoever needs another channel selects that. But what two multiplexers lead to
        would answer both.
        """
        self._bus.muxes.add(mux.address)
        for other in self._bus.muxes - {mux.address}:
            with suppress(DeviceUnavailable):  # one that does not answer leads nowhere
                self._talk(turn, other, self._messages.write(other, b"\0"))
        self._talk(turn, mux.address, self._messages.write(mux.address, bytes([1 << mux.channel])))
        turn.selected = mux

    def _talk(self, turn: Turn[I2CHandle], address: int, *messages: Any) -> None:
        try:
            turn.call(lambda handle: handle.i2c_rdwr(*messages))
        except OSError as error:
            turn.selected = None
            raise explain_use(self._bus.number, address, error, is_mux=address != self._address) from error


def _smbus2() -> Any:
    try:
        import smbus2  # noqa: PLC0415 (an extra; and nothing that a gateway without I2C should pay for)
    except ImportError:
        hint = f"install it where this program runs: {sys.executable} -m pip install smbus2"
        raise Misconfigured("I2C needs smbus2, which is not installed", hint=hint) from None
    return smbus2
