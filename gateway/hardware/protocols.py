"""What a driver can do with hardware. Real, simulated, recorded and replayed hardware all have this shape."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable


class SerialPort(Protocol):
    """An open serial port, with pyserial's names. Each method raises ``DeviceUnavailable`` once the port is gone."""

    timeout: float
    """Seconds that one call waits at most."""

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read without waiting."""

    def read(self, size: int = 1) -> bytes:
        """Wait until ``size`` bytes are there or ``timeout`` has passed; return what came."""

    def read_until(self, expected: bytes = b"\n", size: int | None = None) -> bytes:
        """Read up to and including ``expected``, at most ``size`` bytes (64 KiB) and ``timeout`` seconds."""

    def write(self, data: bytes) -> int:
        """Send ``data``; the number of bytes sent."""

    def reset_input_buffer(self) -> None:
        """Throw away what has arrived and was not read."""

    def cancel_read(self) -> None:
        """Wake a ``read`` that is waiting in another thread."""

    def close(self) -> None:
        """Close the port. Safe to call twice."""


class I2CDevice(Protocol):
    """A device on an I2C bus that it shares with others.

    Every call has the bus for itself and waits for it at most 5 s: ``BadReading`` says who kept it busy.
    ``DeviceUnavailable`` when the device does not answer, or the bus does not work.
    """

    @property
    def waiting(self) -> bool:
        """Whether a call of another thread waits for the bus at this moment."""

    def write(self, data: bytes) -> None:
        """Send ``data``."""

    def read(self, size: int) -> bytes:
        """Receive ``size`` bytes."""

    def write_read(self, data: bytes, size: int) -> bytes:
        """Send ``data``, then receive ``size`` bytes, with a repeated start in between."""

    def read_register(self, register: int, size: int = 1) -> bytes:
        """``size`` bytes from a register with a number of one byte, and those after it."""

    def write_register(self, register: int, value: int | bytes) -> None:
        """Put one byte, or several, into a register and those after it."""

    def transaction(self) -> AbstractContextManager[None]:
        """Have the bus for several calls: no other device gets in between. Keep it short."""

    def cancel_wait(self) -> None:
        """Let a call that waits for the bus in another thread fail."""

    def close(self) -> None:
        """Let go of the device. Safe to call twice."""


class Sysfs(Protocol):
    """Files of the kernel and the system. Paths are absolute; tests put another root below them."""

    def read(self, path: str) -> str:
        """The text of a file without surrounding white space, at most 64 KiB.

        Raises ``DeviceUnavailable`` when it cannot be read.
        """

    def exists(self, path: str) -> bool:
        """Whether the file or folder is there."""

    def glob(self, pattern: str) -> list[str]:
        """The paths that match a shell pattern, sorted."""

    def disk_usage(self, path: str) -> tuple[int, int]:
        """Bytes in total and bytes free (for an unprivileged user) of the file system at ``path``."""


class Hardware(Protocol):
    """Opens hardware for one device."""

    def serial(
        self, port: str, baudrate: int, *, bytesize: int, parity: str, stopbits: float, timeout: float
    ) -> SerialPort:
        """Open a serial port, exclusively."""

    def i2c(self, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None) -> I2CDevice:
        """A device on an I2C bus; ``mux`` and ``mux_channel``: behind a TCA9548A."""

    def sysfs(self) -> Sysfs:
        """The machine's files."""


@runtime_checkable
class Reclaimable(Protocol):
    """Hardware whose open handles can be taken from a thread that hangs in a call on them."""

    def abandon(self) -> None:
        """Take everything from the threads that hold it, so that it can be opened anew. For any thread."""
