"""What a driver object is given: the device's name, its hardware, the time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from gateway.clocks import Clock
from gateway.driver import DeviceUnavailable
from gateway.hardware.protocols import Hardware, I2CDevice, SerialPort, Sysfs

LONGEST_WAIT = 3600.0
MOST_PORTS = 16
"""Ports, and devices on buses, that are remembered: a driver that opens one for each read must not fill the memory."""


class ReaderHardware:
    """One reader's view of its device's hardware: it knows what it opened, and gives nothing to a reader that must end.

    That last point matters for a thread that was abandoned in ``open``: when it wakes, it must not take the port from
    the reader that has taken its place.
    """

    def __init__(self, hardware: Hardware, stop: threading.Event) -> None:
        self._hardware = hardware
        self._stop = stop
        self._ports: list[SerialPort] = []
        self._on_buses: list[I2CDevice] = []

    def serial(
        self, port: str, baudrate: int, *, bytesize: int, parity: str, stopbits: float, timeout: float
    ) -> SerialPort:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        opened = self._hardware.serial(
            port, baudrate, bytesize=bytesize, parity=parity, stopbits=stopbits, timeout=timeout
        )
        self._ports = [*self._ports[1 - MOST_PORTS :], opened]
        return opened

    def i2c(self, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None) -> I2CDevice:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        opened = self._hardware.i2c(bus, address, mux=mux, mux_channel=mux_channel)
        self._on_buses = [*self._on_buses[1 - MOST_PORTS :], opened]
        return opened

    def sysfs(self) -> Sysfs:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._refuse_if_ending()
        return self._hardware.sysfs()

    @property
    def waiting(self) -> bool:
        """Whether the driver's thread waits for a bus that others use at this moment."""
        return any(one.waiting for one in self._on_buses)

    def wake(self) -> None:
        """End what the driver's thread waits for on its ports and for its buses. For any thread."""
        for port in tuple(self._ports):
            with suppress(Exception):  # the port may be going away at this very moment
                port.cancel_read()
        for one in self._on_buses:
            one.cancel_wait()

    def forget(self) -> None:
        """The driver has released everything."""
        self._ports = []
        self._on_buses = []

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
