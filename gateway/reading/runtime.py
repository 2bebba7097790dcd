"""What a driver object is given: the device's name, its hardware, the time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from gateway.clocks import Clock
from gateway.driver import DeviceUnavailable
from gateway.hardware.protocols import (
    LINE_LIMIT,
    ChildProcess,
    GPIOInput,
    GPIOOutput,
    Handle,
    Hardware,
    I2CDevice,
    Preparable,
    Pull,
    SerialPort,
    SPIDevice,
    Sysfs,
)

LONGEST_WAIT = 3600.0
MOST_HANDLES = 32
"""So many open things are remembered: a driver that opens one for each read must not fill the memory."""

H = TypeVar("H", bound=Handle)


class ReaderHardware:
    """One reader's view of its device's hardware: it knows what it opened, and gives nothing to a reader that must end.

    That last point matters for a thread that was abandoned in ``open``: when it wakes, it must not take the port from
    the reader that has taken its place.
    """

    def __init__(self, hardware: Hardware, stop: threading.Event) -> None:
        self._hardware = hardware
        self._stop = stop
        self._open: list[Handle] = []

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
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        return self._remember(
            self._hardware.serial(
                port,
                baudrate,
                bytesize=bytesize,
                parity=parity,
                stopbits=stopbits,
                timeout=timeout,
                shared=shared,
            )
        )

    def i2c(self, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None) -> I2CDevice:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        return self._remember(self._hardware.i2c(bus, address, mux=mux, mux_channel=mux_channel))

    def spi(self, bus: int, device: int, *, max_speed_hz: int = 1_000_000, mode: int = 0) -> SPIDevice:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        return self._remember(self._hardware.spi(bus, device, max_speed_hz=max_speed_hz, mode=mode))

    def gpio(self, pin: int, *, pull: Pull = "none", active_low: bool = False, debounce: float = 0.0) -> GPIOInput:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        return self._remember(self._hardware.gpio(pin, pull=pull, active_low=active_low, debounce=debounce))

    def gpio_output(self, pin: int, *, initial: bool = False, active_low: bool = False) -> GPIOOutput:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        return self._remember(self._hardware.gpio_output(pin, initial=initial, active_low=active_low))

    def process(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, line_limit: int = LINE_LIMIT
    ) -> ChildProcess:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        return self._remember(self._hardware.process(command, env=env, line_limit=line_limit))

    def prepare(self, driver: type[Any], options: Any) -> None:
        """A driver object of this class is about to be made, with these options."""
        if isinstance(self._hardware, Preparable):
            self._hardware.prepare(driver, options)

    def sysfs(self) -> Sysfs:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        return self._hardware.sysfs()

    @property
    def waiting(self) -> bool:
        """Whether the driver's thread waits for a bus that others use at this moment."""
        return any(one.waiting for one in self._open)

    def wake(self) -> None:
        """End what the driver's thread waits for, on its ports and for its buses. For any thread."""
        for one in self._open:
            with suppress(Exception):  # it may be going away at this very moment
                one.cancel_wait()

    def forget(self) -> None:
        """The driver has released everything."""
        self._open = []

    def _remember(self, handle: H) -> H:
        self._open = [*self._open[1 - MOST_HANDLES :], handle]
        return handle

    def _refuse_if_ending(self) -> None:
        if self._stop.is_set():
            raise DeviceUnavailable("the device is being stopped")


class DriverRuntime:
    """See :class:`gateway.driver.Runtime`."""

    def __init__(
        self,
        device: str,
        hardware: ReaderHardware,
        clock: Clock,
        stop: threading.Event,
        elapsed: Callable[[], float],
    ) -> None:
        self.device = device
        self.hardware: Hardware = hardware
        self._elapsed = elapsed
        self._clock = clock
        self._stop = stop

    def elapsed(self) -> float:
        """See :class:`gateway.driver.Runtime`."""
        return self._elapsed()

    def wait(self, seconds: float) -> None:
        """See :class:`gateway.driver.Runtime`."""
        if seconds > 0:
            self._clock.wait(self._stop, min(seconds, LONGEST_WAIT))
