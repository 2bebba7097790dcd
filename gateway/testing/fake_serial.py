"""A serial port that a test makes up, and the device at its other end."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.driver import DeviceUnavailable
from gateway.simulation.clockwork import VirtualTime
from gateway.testing.fake_time import FakeTime


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How a driver opened a port."""

    baudrate: int
    bytesize: int
    parity: str
    stopbits: float

    def __str__(self) -> str:
        return f"{self.baudrate} baud, {self.bytesize}{self.parity}{self.stopbits:g}"


class FakeSerial:
    """A serial device, and the port that it is plugged into.

    ``feed`` is the device talking; ``sent`` is what the driver wrote. ``answer`` makes it reply: a mapping from request
    to reply, or a function of what was written that returns the reply.
    """

    def __init__(self, *, answer: Mapping[bytes, bytes] | Callable[[bytes], bytes] | None = None) -> None:
        self.timeout = 1.0
        self.time: VirtualTime = FakeTime()
        """Whose time waiting takes; the harness puts its own here."""
        self.sent = bytearray()
        self.settings: SerialSettings | None = None
        self.is_open = False
        self.shared = False
        """Whether the driver that has it open lets others use it."""
        self.plugged_in = True
        self._answer = answer
        self._arrived = bytearray()
        self._coming: list[tuple[float, bytes]] = []

    # The device's side ------------------------------------------------------------------------------------------------

    def feed(self, data: bytes, *, after: float = 0.0) -> None:
        """The device sends ``data``, now or ``after`` so many seconds. What nobody listens to is lost."""
        insort(self._coming, (self.time.now + after, bytes(data)), key=lambda item: item[0])

    def unplug(self) -> None:
        """Pull the plug: every call of an open port fails, and opening it as well."""
        self.plugged_in = False

    def plug_in(self) -> None:
        """Plug it in again. The driver has to open it anew."""
        self.plugged_in = True
        self.is_open = False
        self._arrived.clear()

    # The port's side, see gateway.hardware.protocols.SerialPort -------------------------------------------------------

    waiting = False

    def open(self, name: str, settings: SerialSettings, timeout: float, *, shared: bool = False) -> None:
        """What :class:`FakeHardware` does for the driver."""
        if not self.plugged_in:
            raise DeviceUnavailable(f"there is no port {name}")
        if self.is_open:
            raise DeviceUnavailable(f"{name} is in use by another device of this gateway")
        self.settings, self.timeout, self.is_open, self.shared = settings, timeout, True, shared

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read without waiting."""
        self._receive()
        return len(self._arrived)

    def read(self, size: int = 1) -> bytes:
        """Wait until ``size`` bytes are there or ``timeout`` has passed; return what came."""
        self._wait_for(lambda: len(self._arrived) >= size)
        return self._take(size)

    def read_until(self, expected: bytes = b"\n", size: int | None = None) -> bytes:
        """Read up to and including ``expected``, at most ``size`` bytes (64 KiB) and ``timeout`` seconds."""
        limit = 64 * 1024 if size is None else size
        self._wait_for(lambda: expected in self._arrived[:limit] or len(self._arrived) >= limit)
        end = self._arrived.find(expected, 0, limit)
        return self._take(end + len(expected) if end >= 0 else limit)

    def write(self, data: bytes) -> int:
        """Send ``data``; the number of bytes sent."""
        self._check()
        self.sent += data
        if callable(self._answer):
            self.feed(self._answer(bytes(data)))
        elif self._answer is not None:
            self.feed(self._answer.get(bytes(data), b""))
        return len(data)

    def reset_input_buffer(self) -> None:
        """Throw away what has arrived and was not read."""
        self._receive()
        self._arrived.clear()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Have a port that devices share for request and answer."""
        self._check()
        if self.shared:
            self.reset_input_buffer()
        yield

    def cancel_wait(self) -> None:
        """Nobody waits here for real."""

    def close(self) -> None:
        """Close the port. Safe to call twice."""
        self.is_open = False
        self._arrived.clear()

    def _check(self) -> None:
        if not self.plugged_in:
            raise DeviceUnavailable("the port is gone: unplugged", hint="check plug and cable")
        if not self.is_open:
            raise DeviceUnavailable("the port is closed")

    def _receive(self) -> None:
        self._check()
        while self._coming and self._coming[0][0] <= self.time.now:
            self._arrived += self._coming.pop(0)[1]

    def _wait_for(self, enough: Callable[[], bool]) -> None:
        deadline = self.time.now + self.timeout
        self._receive()
        while not enough():
            due = self._coming[0][0] if self._coming else deadline
            self.time.wait(min(due, deadline) - self.time.now)
            self._receive()
            if self.time.now >= deadline:
                return

    def _take(self, size: int) -> bytes:
        taken = bytes(self._arrived[:size])
        del self._arrived[:size]
        return taken
