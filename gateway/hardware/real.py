"""The hardware of this machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from gateway.hardware.bus import Buses
from gateway.hardware.i2c import BUSES, I2CBus, RealI2CDevice, open_device, the_mux
from gateway.hardware.serial import RealSerialPort, open_port
from gateway.hardware.serial_trouble import unstable_name
from gateway.hardware.sysfs import RealSysfs

log = logging.getLogger(__name__)


class RealHardware:
    """What one device is given, for the whole run: it outlives the device's drivers and threads.

    A thread that hangs in a driver call keeps its port open, and nobody else could open that port again. So when
    another thread of the same device asks for a port, or :meth:`abandon` is called, what the old thread holds is taken
    from it.
    """

    def __init__(self, device: str, i2c_buses: Buses[I2CBus] = BUSES) -> None:
        self._device = device
        self._i2c_buses = i2c_buses
        self._lock = threading.Lock()
        self._held: list[tuple[threading.Thread, RealSerialPort | RealI2CDevice]] = []
        self._warned: set[str] = set()

    def serial(
        self, port: str, baudrate: int, *, bytesize: int, parity: str, stopbits: float, timeout: float
    ) -> RealSerialPort:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._take_from_others()
        opened = open_port(port, baudrate, bytesize=bytesize, parity=parity, stopbits=stopbits, timeout=timeout)
        self._hold(opened)
        if port not in self._warned and (advice := unstable_name(port)):
            self._warned.add(port)
            log.warning("%s: %s", self._device, advice)
        return opened

    def i2c(self, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None) -> RealI2CDevice:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._take_from_others()
        opened = open_device(self._i2c_buses, self._device, bus, address, the_mux(mux, mux_channel))
        self._hold(opened)
        return opened

    def sysfs(self) -> RealSysfs:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        return RealSysfs()

    def abandon(self) -> None:
        """Take everything from the threads that hold it, so that it can be opened anew. For any thread."""
        self._take_back(lambda _: True)

    def _hold(self, opened: RealSerialPort | RealI2CDevice) -> None:
        with self._lock:
            self._held.append((threading.current_thread(), opened))

    def _take_from_others(self) -> None:
        me = threading.current_thread()
        self._take_back(lambda owner: owner is not me)

    def _take_back(self, unwanted: Callable[[threading.Thread], bool]) -> None:
        with self._lock:
            self._held = [(owner, one) for owner, one in self._held if not one.closed]
            taken = [one for owner, one in self._held if unwanted(owner)]
            self._held = [(owner, one) for owner, one in self._held if one not in taken]
        for one in taken:
            one.take_away()
