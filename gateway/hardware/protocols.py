"""What a driver can do with hardware. Real, simulated, recorded and replayed hardware all have this shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

Pull = Literal["up", "down", "none"]
"""The resistor of an input pin."""

LINE_LIMIT = 64 * 1024
"""Bytes of the longest line of a child process, where its driver says nothing else."""


class Handle(Protocol):
    """What all that is open has in common."""

    @property
    def waiting(self) -> bool:
        """Whether a call of another thread waits at this moment for what other devices use: a bus, a shared port."""

    def cancel_wait(self) -> None:
        """End what a call in another thread waits for. For any thread."""

    def close(self) -> None:
        """Let go of it. Safe to call twice."""


class SerialPort(Handle, Protocol):
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

    def transaction(self) -> AbstractContextManager[None]:
        """Have a port that devices share for request and answer. It begins with nothing left of other answers.

        Waits for the port at most 5 s: ``BadReading`` says who kept it busy. On a port of one's own it does nothing.
        """


class I2CDevice(Handle, Protocol):
    """A device on an I2C bus that it shares with others.

    Every call has the bus for itself and waits for it at most 5 s: ``BadReading`` says who kept it busy.
    ``DeviceUnavailable`` when the device does not answer, or the bus does not work.
    """

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


class SPIDevice(Handle, Protocol):
    """A device behind a chip select of its own: nobody else talks to it, and others do not wait for it.

    ``DeviceUnavailable`` when the bus does not work. A device that is not there is no error on SPI: what comes then is
    mostly all 00 or all FF, and the driver has to see that.
    """

    def transfer(self, data: bytes) -> bytes:
        """Send ``data`` under one chip select and return what came meanwhile, as many bytes. At most 4096."""

    def transaction(self) -> AbstractContextManager[None]:
        """Have the device for several transfers: none of another thread gets in between, and they cost less."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of an input pin."""

    value: bool
    """What it became: true for active, which with ``active_low`` means low."""
    time: float
    """When, in seconds, taken by the kernel. Only the difference between two of them means anything."""


class GPIOInput(Handle, Protocol):
    """A pin that is read. Each method raises ``DeviceUnavailable`` once the pin is gone."""

    @property
    def value(self) -> bool:
        """Whether it is active now: high, or low with ``active_low``."""

    @property
    def lost(self) -> int:
        """Edges that are missing since the pin was opened, because too many (1024) waited to be told."""

    def wait_for_edge(self, timeout: float) -> Edge | None:
        """The oldest change that was not told yet, also of the time when nobody waited; ``None`` after ``timeout``."""


class GPIOOutput(Handle, Protocol):
    """A pin that is driven until it is closed. Some kernels leave it as it is then: write what is safe in ``close``."""

    def write(self, value: bool) -> None:  # noqa: FBT001 (that is all there is to say)
        """Make it active (high, or low with ``active_low``) or not."""


class ChildProcess(Handle, Protocol):
    """A program that runs as long as its device is open."""

    @property
    def returncode(self) -> int | None:
        """Its exit code; negative for the signal that ended it; ``None`` while it runs."""

    def read_line(self, timeout: float) -> bytes | None:
        """The next line that it prints, without its end; ``None`` when there is none within ``timeout`` s.

        ``BadReading`` for a line longer than the limit, which is lost. ``DeviceUnavailable`` once the program has ended
        and all its lines were read: with its exit code and the last line of what it had to say about that.
        """

    def write(self, data: bytes) -> None:
        """Give it ``data`` on its standard input. ``DeviceUnavailable`` when it does not take it within a second."""


class Sysfs(Protocol):
    """Files of the kernel and the system. Paths are absolute; tests put another root below them."""

    def read(self, path: str) -> str:
        """The text of a file without surrounding white space, at most 64 KiB.

        Raises ``DeviceUnavailable`` when it cannot be read.
        """

    def write(self, path: str, text: str) -> None:
        """Write ``text`` to a file that is there already. Raises ``DeviceUnavailable`` when that fails."""

    def exists(self, path: str) -> bool:
        """Whether the file or folder is there."""

    def glob(self, pattern: str) -> list[str]:
        """The paths that match a shell pattern, sorted."""

    def disk_usage(self, path: str) -> tuple[int, int]:
        """Bytes in total and bytes free (for an unprivileged user) of the file system at ``path``."""


class Hardware(Protocol):
    """Opens hardware for one device."""

    def serial(
        self,
        port: str,
        baudrate: int,
        *,
        bytesize: int,
        parity: str,
        stopbits: float,
        timeout: float,
        shared: bool = False,
    ) -> SerialPort:
        """Open a serial port: exclusively, or ``shared`` with other devices that ask for the same."""

    def i2c(self, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None) -> I2CDevice:
        """A device on an I2C bus; ``mux`` and ``mux_channel``: behind a TCA9548A."""

    def spi(self, bus: int, device: int, *, max_speed_hz: int = 1_000_000, mode: int = 0) -> SPIDevice:
        """The device at a chip select of an SPI bus."""

    def gpio(self, pin: int, *, pull: Pull = "none", active_low: bool = False, debounce: float = 0.0) -> GPIOInput:
        """A pin of the 40-pin header as an input; ``debounce``: seconds that a level has to last."""

    def gpio_output(self, pin: int, *, initial: bool = False, active_low: bool = False) -> GPIOOutput:
        """A pin of the 40-pin header as an output."""

    def process(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, line_limit: int = LINE_LIMIT
    ) -> ChildProcess:
        """Start a program, without a shell. ``env`` is added to the environment."""

    def sysfs(self) -> Sysfs:
        """The machine's files."""


@runtime_checkable
class Preparable(Protocol):
    """Hardware that wants to know for which driver it is, such as that of a simulation."""

    def prepare(self, driver: type[Any], options: Any) -> None:
        """A driver object of this class is about to be made, with these options."""


@runtime_checkable
class Reclaimable(Protocol):
    """Hardware whose open handles can be taken from a thread that hangs in a call on them."""

    def abandon(self) -> None:
        """Take everything from the threads that hold it, so that it can be opened anew. For any thread."""
