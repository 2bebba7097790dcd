"""SPI devices, on spidev. What the kernel says never leaves this file as an error number."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gateway.driver import DeviceUnavailable, Misconfigured
from gateway.hardware.bus import WAIT, Bus, Buses, Rider
from gateway.hardware.on_bus import OnBus
from gateway.hardware.permission import permission_hint
from gateway.hardware.plugged import patiently

DEV = Path("/dev")
LONGEST = 4096
"""Bytes of one transfer: what the kernel's buffer holds where nobody has set ``spidev.bufsiz``."""
FASTEST = 125_000_000
ENABLE = "enable it: sudo raspi-config nonint do_spi 0 (elsewhere: dtparam=spi=on in config.txt)"


class Select(NamedTuple):
    """A chip select of a bus."""

    bus: int
    device: int

    @property
    def path(self) -> str:
        """Its device file."""
        return f"{DEV}/spidev{self.bus}.{self.device}"


class Manner(NamedTuple):
    """How to talk to a device."""

    max_speed_hz: int
    mode: int


class SPIHandle(Protocol):
    """An open device, with the names of spidev."""

    max_speed_hz: int
    mode: int

    def xfer2(self, values: Sequence[int], /) -> Sequence[int]:
        """Send and receive. ``OSError`` when it fails."""

    def close(self) -> None:
        """Close it."""


class Open(Protocol):
    """Opens a device."""

    def __call__(self, bus: int, device: int) -> SPIHandle:
        """``OSError`` when it cannot be opened."""


SPIBuses = Buses[Select, Bus[SPIHandle]]


def open_spidev(bus: int, device: int) -> SPIHandle:
    """The machine's device."""
    handle: SPIHandle = _spidev().SpiDev(bus, device)
    return handle


def make_buses(open: Open = open_spidev, wait: float = WAIT) -> SPIBuses:
    """The devices that ``open`` opens. Each has a lock of its own: the kernel sees to single transfers on a bus."""
    return Buses(lambda select: Bus(select.path, lambda: _open(open, select), wait))


SELECTS = make_buses()
"""Those of this machine. One for the process: that makes the locks mean something."""


def open_device(buses: SPIBuses, owner: str, select: Select, manner: Manner) -> RealSPIDevice:
    """See :meth:`gateway.driver.Driver.spi`; ``owner`` is the name of the device whose it is."""
    if manner.mode not in range(4):
        raise Misconfigured(f"there is no SPI mode {manner.mode}", hint="0, 1, 2 and 3 are possible")
    if not 0 < manner.max_speed_hz <= FASTEST:
        raise Misconfigured(f"no SPI device runs at {manner.max_speed_hz} Hz", hint=f"1 to {FASTEST} are possible")
    bus = buses.bus(select)
    device = RealSPIDevice(bus, bus.rider(owner), manner)
    with device.transaction():
        device.prepare()  # a device that is missing, not permitted or of another mode says so now
    return device


class RealSPIDevice(OnBus[SPIHandle]):
    """A device of the machine. See :class:`gateway.hardware.protocols.SPIDevice`."""

    def __init__(self, bus: Bus[SPIHandle], rider: Rider[SPIHandle], manner: Manner) -> None:
        super().__init__(rider, bus.name)
        self._bus = bus
        self._manner = manner

    def transfer(self, data: bytes) -> bytes:
        """See :class:`gateway.hardware.protocols.SPIDevice`."""
        if not 0 < len(data) <= LONGEST:
            raise ValueError(f"an SPI transfer has 1 to {LONGEST} bytes, not {len(data)}")
        return self._call(lambda handle: bytes(handle.xfer2(list(data))))

    def prepare(self) -> None:
        """Find out whether it can be opened."""
        self._call(lambda _: b"")

    def _call(self, function: Callable[[SPIHandle], bytes]) -> bytes:
        with self._turn() as turn:
            try:
                if turn.selected != self._manner:
                    turn.call(self._set_manner)
                    turn.selected = self._manner
                return turn.call(function)
            except OSError as error:
                raise explain_use(self._bus.name, error) from error

    def _set_manner(self, handle: SPIHandle) -> None:
        handle.max_speed_hz, handle.mode = self._manner


def explain_open(path: str, error: OSError) -> DeviceUnavailable:
    """The reaction to a device that cannot be opened."""
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        here = ", ".join(sorted(path.name.removeprefix("spidev") for path in DEV.glob("spidev*.*")))
        return DeviceUnavailable(f"there is no {path}", hint=f"SPI here: {here}; {ENABLE}" if here else ENABLE)
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceUnavailable(f"no permission to use {path}", hint=permission_hint(path, "spi"))
    return DeviceUnavailable(f"{path} cannot be opened: {_reason(error)}")


def explain_use(path: str, error: OSError) -> DeviceUnavailable:
    """The reaction to a transfer that fails: on SPI that is never the device, but the bus."""
    if error.errno in (errno.ENODEV, errno.ESHUTDOWN, errno.EBADF):
        return DeviceUnavailable(f"{path} is gone", hint="was its adapter unplugged, or its overlay removed?")
    if error.errno == errno.EINVAL:
        return DeviceUnavailable(f"{path} refuses the speed or the mode", hint="not every bus knows all modes")
    return DeviceUnavailable(f"{path}: {_reason(error)}", hint="dmesg says more about the bus")


def _open(open: Open, select: Select) -> SPIHandle:
    try:
        return patiently(lambda: open(*select), select.path)
    except OSError as error:
        raise explain_open(select.path, error) from error


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def _spidev() -> Any:
    try:
        import spidev  # noqa: PLC0415 (an extra; and nothing that a gateway without SPI should pay for)
    except ImportError:
        hint = f"install it where this program runs: {sys.executable} -m pip install spidev"
        raise Misconfigured("SPI needs spidev, which is not installed", hint=hint) from None
    return spidev
