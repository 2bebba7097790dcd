"""What is below the seam: the buses, ports, pins, files and programs that a device's hardware is made of.

There is one for the machine itself (:data:`THIS`). A simulation has another, in which only the lowest layer is made up:
locks, limits and the words for what goes wrong are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.hardware.bus import Buses
from gateway.hardware.gpio import open_input, open_output
from gateway.hardware.i2c import BUSES, I2CBus
from gateway.hardware.process import start
from gateway.hardware.protocols import ChildProcess, GPIOInput, GPIOOutput, Pull, Sysfs
from gateway.hardware.serial import RealSerialPort, open_port
from gateway.hardware.serial_trouble import unstable_name
from gateway.hardware.shared_serial import PORTS, Line, SharedPorts
from gateway.hardware.spi import SELECTS, SPIBuses
from gateway.hardware.sysfs import RealSysfs


class Takeable(Protocol):
    """Something open that can be taken from the thread that has it."""

    @property
    def closed(self) -> bool:
        """Whether its owner has closed it."""

    def take_away(self) -> None:
        """Free what it stands for, although its owner may hang in a call on it. For any thread."""


class Input(GPIOInput, Takeable, Protocol):
    """An input that can be taken."""


class Output(GPIOOutput, Takeable, Protocol):
    """An output that can be taken."""


class Program(ChildProcess, Takeable, Protocol):
    """A program that can be taken."""


class OpenInput(Protocol):
    """See :func:`gateway.hardware.gpio.open_input`."""

    def __call__(self, owner: str, pin: int, *, pull: Pull, active_low: bool, debounce: float) -> Input:
        """Open it."""


class OpenOutput(Protocol):
    """See :func:`gateway.hardware.gpio.open_output`."""

    def __call__(self, owner: str, pin: int, *, initial: bool, active_low: bool) -> Output:
        """Open it."""


Start = Callable[[Sequence[str], Mapping[str, str] | None, int], Program]


def _open_port(port: str, line: Line, timeout: float) -> RealSerialPort:
    return open_port(port, **line._asdict(), timeout=timeout)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One machine; what is not said is that of this machine."""

    i2c: Buses[int, I2CBus] = BUSES
    spi: SPIBuses = SELECTS
    shared_ports: SharedPorts = PORTS
    open_port: Callable[[str, Line, float], RealSerialPort] = _open_port
    open_input: OpenInput = open_input
    open_output: OpenOutput = open_output
    start: Start = start
    sysfs: Sysfs = field(default_factory=RealSysfs)
    advice: Callable[[str], str] = unstable_name
    """What is to be said of a port's name."""


THIS = Machine()
