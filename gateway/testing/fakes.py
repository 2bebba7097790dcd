"""Hardware that a test makes up: time, a serial port, the kernel's files."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gateway.driver import DeviceUnavailable
from gateway.testing.fake_i2c import FakeI2C


class FakeTime:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += max(0.0, seconds)


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How a driver opened a port."""

    baudrate: int
    bytesize: int
    parity: str
    stopbits: float


class FakeSerial:
    """A serial device, and the port that it is plugged into.

    ``feed`` is the device talking; ``sent`` is what the driver wrote. ``answer`` makes it reply: a mapping from request
    to reply, or a function of what was written that returns the reply.
    """

    def __init__(self, *, answer: Mapping[bytes, bytes] | Callable[[bytes], bytes] | None = None) -> None:
        self.timeout = 1.0
        self.time = FakeTime()
        """Whose time waiting takes; the harness puts its own here."""
        self.sent = bytearray()
        self.settings: SerialSettings | None = None
        self.is_open = False
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

    def open(self, name: str, settings: SerialSettings, timeout: float) -> None:
        """What :class:`FakeHardware` does for the driver."""
        if not self.plugged_in:
            raise DeviceUnavailable(f"there is no port {name}")
        if self.is_open:
            raise DeviceUnavailable(f"{name} is in use by another device of this gateway")
        self.settings, self.timeout, self.is_open = settings, timeout, True

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

    def cancel_read(self) -> None:
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


class FakeSysfs:
    """Files of a machine, such as ``FakeSysfs({"/proc/uptime": "12.5 40.1"})``. Change ``files`` as you like."""

    def __init__(self, files: Mapping[str, str] | None = None, *, disk: tuple[int, int] | None = None) -> None:
        self.files: dict[str, str] = dict(files or {})
        self.disk = disk
        """Bytes in total and bytes free."""

    def read(self, path: str) -> str:
        """The text of a file."""
        if path not in self.files:
            raise DeviceUnavailable(f"cannot read {path}: No such file or directory")
        return self.files[path][: 64 * 1024].strip()

    def exists(self, path: str) -> bool:
        """Whether the file or folder is there."""
        return path.rstrip("/") in self._paths()

    def glob(self, pattern: str) -> list[str]:
        """The paths that match, sorted."""
        parts = pattern.split("/")
        return sorted(path for path in self._paths() if _matches(path.split("/"), parts))

    def disk_usage(self, path: str) -> tuple[int, int]:
        """Bytes in total and bytes free."""
        if self.disk is None:
            raise DeviceUnavailable(f"cannot read {path}: No such file or directory")
        return self.disk

    def _paths(self) -> set[str]:
        """Every file and the folders above it."""
        found = set()
        for file in self.files:
            path = file
            while path:
                found.add(path)
                path = path.rpartition("/")[0]
        return found


def _matches(path: list[str], pattern: list[str]) -> bool:
    return len(path) == len(pattern) and all(map(fnmatchcase, path, pattern))


Place = tuple[int, int] | tuple[int, int, int, int]
"""Where a device is on I2C: bus and address; behind a TCA9548A its address and the channel after them."""


class FakeHardware:
    """What a driver is given: the ports by name, I2C devices by :data:`Place`, the machine's files; nothing else."""

    def __init__(
        self,
        *,
        ports: Mapping[str, FakeSerial] | None = None,
        i2c: Mapping[Place, FakeI2C] | None = None,
        sysfs: FakeSysfs | Mapping[str, str] | None = None,
    ) -> None:
        self.ports: dict[str, FakeSerial] = dict(ports or {})
        self.chips: dict[Place, FakeI2C] = dict(i2c or {})
        self._sysfs = sysfs if isinstance(sysfs, FakeSysfs) else FakeSysfs(sysfs)

    def serial(
        self, port: str, baudrate: int, *, bytesize: int, parity: str, stopbits: float, timeout: float
    ) -> FakeSerial:
        """Open one of the ports."""
        if port not in self.ports:
            raise DeviceUnavailable(f"there is no port {port}", hint=f"ports here: {', '.join(self.ports) or 'none'}")
        self.ports[port].open(port, SerialSettings(baudrate, bytesize, parity, stopbits), timeout)
        return self.ports[port]

    def i2c(self, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None) -> FakeI2C:
        """Open one of the I2C devices. Where there is none, one is found that does not answer, as on a real bus."""
        where = f"{address:#04x} on I2C bus {bus}"
        if all(place[0] != bus for place in self.chips):
            raise DeviceUnavailable(f"there is no I2C bus {bus}")
        place = (bus, address) if mux is None or mux_channel is None else (bus, address, mux, mux_channel)
        chip = self.chips.get(place)
        if chip is None:
            chip = FakeI2C()
            chip.unplug()
        chip.open(where)
        return chip

    def sysfs(self) -> FakeSysfs:
        """The machine's files."""
        return self._sysfs

    def use_time(self, time: FakeTime) -> None:
        """Let waiting on the ports take ``time``."""
        for port in self.ports.values():
            port.time = time

    def still_open(self) -> list[str]:
        """What is open: the names of ports and I2C devices."""
        chips = [f"{place[1]:#04x} on I2C bus {place[0]}" for place, chip in self.chips.items() if chip.is_open]
        return [name for name, port in self.ports.items() if port.is_open] + chips
