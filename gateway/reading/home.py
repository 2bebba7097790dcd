"""A driver as its reader sees it, and where it lives: in the reader's thread; in a process, see ``remote``."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.clocks import Clock
from gateway.config.settings import DeviceSettings
from gateway.driver import Driver, Settable
from gateway.hardware.protocols import Hardware
from gateway.reading.freeze import Frozen, freeze
from gateway.reading.memory import DeviceMemory
from gateway.reading.runtime import DriverRuntime, ReaderHardware


@dataclass(frozen=True, slots=True, eq=False)
class Beat:
    """A call into the driver that is under way. Each call has an object of its own."""

    what: str
    """start, reset, open, read, write or close."""
    limit: float
    """Seconds after which it counts as hung."""
    began_ns: int
    """Boot time."""


class Openable(Protocol):
    """What a reader does with a driver."""

    def open(self) -> None:
        """See :meth:`gateway.driver.Driver.open`."""

    def read(self) -> Any:
        """See :meth:`gateway.driver.Driver.read`; what it returns is for :meth:`Home.check`."""

    def write(self, channel: str, value: Settable) -> None:
        """See :meth:`gateway.driver.Driver.write`."""

    def reset(self) -> None:
        """See :meth:`gateway.driver.Driver.reset`."""

    def release(self) -> None:
        """See :meth:`gateway.driver.Driver.release`."""


class Home(Protocol):
    """Makes a device's drivers, one after the other."""

    moving_in: float
    """Seconds that making a driver may take."""

    def new_driver(self) -> Openable:
        """Make a driver object. Raises what making it raises."""

    def check(self, result: Any) -> Frozen:
        """Check what ``read`` returned, and make plain values of it. Raises ``BadReading``."""

    @property
    def waiting(self) -> bool:
        """Whether the driver waits for a bus that other devices use: that is not the time of its call."""

    def wake(self) -> None:
        """End what the driver waits for. For any thread."""

    def forget(self) -> None:
        """The driver has released everything."""


class Here:
    """In this process."""

    def __init__(
        self, settings: DeviceSettings, hardware: Hardware, clock: Clock, memory: DeviceMemory, stop: threading.Event
    ) -> None:
        assert settings.driver_type is not None
        self.moving_in = settings.open_timeout
        self._type: type[Driver[Any]] = settings.driver_type
        self._options = settings.options
        self._kind = settings.kind
        self._channels = {one.channel.name: one.channel for one in settings.channels}
        self._hardware = ReaderHardware(hardware, stop)
        self._runtime = DriverRuntime(settings.device, self._hardware, clock, stop, memory.elapsed)

    def new_driver(self) -> Openable:
        """See :class:`Home`."""
        self._hardware.prepare(self._type, self._options)
        return self._type(self._options, self._runtime)

    def check(self, result: Any) -> Frozen:
        """See :class:`Home`."""
        return freeze(result, self._channels, self._kind)

    @property
    def waiting(self) -> bool:
        """See :class:`Home`."""
        return self._hardware.waiting

    def wake(self) -> None:
        """See :class:`Home`."""
        self._hardware.wake()

    def forget(self) -> None:
        """See :class:`Home`."""
        self._hardware.forget()
