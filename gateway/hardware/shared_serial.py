"""Serial ports that several devices of this gateway use: one opened port, each device for one transaction.

The turns are those of :mod:`gateway.hardware.bus`. The port stays open between them, because opening one resets many
devices, loses what is coming, and takes long; it is closed with the last of its users. When it fails, whoever notices
closes it; the others are told with their next call, and open their devices anew as after any loss.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from gateway.driver import DeviceUnavailable, Misconfigured
from gateway.hardware.bus import WAIT, Bus, Buses
from gateway.hardware.on_bus import OnBus
from gateway.hardware.serial import RealSerialPort

T = TypeVar("T")


class Line(NamedTuple):
    """The settings of the line, which all that share a port have in common."""

    baudrate: int
    bytesize: int
    parity: str
    stopbits: float

    def __str__(self) -> str:
        return f"{self.baudrate} baud, {self.bytesize}{self.parity}{self.stopbits:g}"


OpenPort = Callable[[str, Line, float], RealSerialPort]


class Lease:
    """The open port, for one turn."""

    def __init__(self, port: RealSerialPort) -> None:
        self.port = port

    def close(self) -> None:
        """The port stays open."""


class SharedPort:
    """One port and those who use it."""

    def __init__(self, name: str, wait: float = WAIT) -> None:
        self.name = name
        self.bus: Bus[Lease] = Bus(name, self._lease, wait)
        self._lock = threading.Lock()  # for what follows
        self._members: dict[Sharer, Line] = {}
        self._port: RealSerialPort | None = None
        self._open: Callable[[], RealSerialPort] | None = None

    def join(self, member: Sharer, line: Line, open: Callable[[], RealSerialPort]) -> None:
        """One more. ``Misconfigured`` when another device wants another line."""
        with self._lock:
            for other, theirs in self._members.items():
                if other.device != member.device and theirs != line:
                    raise Misconfigured(
                        f"{self.name} is shared with {other.device} at {theirs}, and not at {line}",
                        hint="devices on one line have the same baudrate, bytesize, parity and stopbits",
                    )
            self._members[member] = line
            self._open = open

    def leave(self, member: Sharer) -> None:
        """One less; the last one closes the port."""
        with self._lock:
            self._members.pop(member, None)
            port = None if self._members else self._port
            if port is not None:
                self._port = None
        if port is not None:
            port.close()

    def drop(self, port: RealSerialPort) -> None:
        """It is of no more use. By the thread that has the turn."""
        with self._lock:
            if self._port is port:
                self._port = None
        port.close()

    def take_away(self) -> None:
        """A thread hangs in a call on the port: the others get another."""
        with self._lock:
            port, self._port = self._port, None
        if port is not None:
            port.take_away()

    def _lease(self) -> Lease:
        with self._lock:
            port, opener = self._port, self._open
        if port is None:
            assert opener is not None
            port = opener()
            with self._lock:
                self._port = port
        return Lease(port)


SharedPorts = Buses[str, SharedPort]


def make_ports(wait: float = WAIT) -> SharedPorts:
    """Ports that can be shared, by where their names lead to."""
    return Buses(lambda name: SharedPort(name, wait))


PORTS = make_ports()
"""Those of this process: that makes the locks mean something."""


def open_shared(ports: SharedPorts, device: str, port: str, line: Line, *, timeout: float, open: OpenPort) -> Sharer:
    """See :meth:`gateway.driver.Driver.serial`, for a driver that shares its port; ``device`` is whose it is."""
    shared = ports.bus(port if "://" in port else os.path.realpath(port))
    sharer = Sharer(shared, device, timeout)
    shared.join(sharer, line, lambda: open(port, line, timeout))
    try:
        sharer.begin()
    except BaseException:
        sharer.close()
        raise
    return sharer


class Sharer(OnBus[Lease]):
    """One device's view of a port that it shares. See :class:`gateway.hardware.protocols.SerialPort`."""

    def __init__(self, shared: SharedPort, device: str, timeout: float) -> None:
        super().__init__(shared.bus.rider(device), shared.name)
        self.device = device
        self.timeout = timeout
        self._shared = shared
        self._port: RealSerialPort | None = None
        """The port as it was when this device was opened."""

    def begin(self) -> None:
        """Have the port opened, if that is not so yet. Raises what opening it raises."""
        with self._rider.turn() as turn:
            self._port = turn.call(lambda lease: lease.port)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        with self._turn() as turn:
            if turn.depth == 1:
                self._call(lambda port: port.reset_input_buffer())
            yield

    @property
    def in_waiting(self) -> int:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        return self._call(lambda port: port.in_waiting)

    def read(self, size: int = 1) -> bytes:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        return self._call(lambda port: port.read(size))

    def read_until(self, expected: bytes = b"\n", size: int | None = None) -> bytes:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        return self._call(lambda port: port.read_until(expected, size))

    def write(self, data: bytes) -> int:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        return self._call(lambda port: port.write(data))

    def reset_input_buffer(self) -> None:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        self._call(lambda port: port.reset_input_buffer())

    def cancel_wait(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""
        self._rider.cancel()
        port = self._port
        if port is not None and self._rider.has_turn:
            port.cancel_wait()

    def close(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""
        if not self.closed:
            self.closed = True
            self._shared.leave(self)

    def take_away(self) -> None:
        """For another thread than the owner's: let the others go on although the owner may hang in a call."""
        if self._rider.revoke():
            self._shared.take_away()
        self._shared.leave(self)

    def _call(self, function: Callable[[RealSerialPort], T]) -> T:
        with self._turn() as turn:
            return turn.call(lambda lease: self._use(lease.port, function))

    def _use(self, port: RealSerialPort, function: Callable[[RealSerialPort], T]) -> T:
        if port is not self._port:
            raise DeviceUnavailable(f"{self._shared.name} was gone in between", hint="check plug and cable")
        port.timeout = self.timeout
        try:
            return function(port)
        except DeviceUnavailable:
            self._shared.drop(port)
            raise
