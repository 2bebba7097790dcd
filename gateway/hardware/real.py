"""The hardware of this machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

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

    def __init__(self, device: str) -> None:
        self._device = device
        self._lock = threading.Lock()
        self._held: list[tuple[threading.Thread, RealSerialPort]] = []
        self._warned: set[str] = set()

    def serial(
        self, port: str, baudrate: int, *, bytesize: int, parity: str, stopbits: float, timeout: float
    ) -> RealSerialPort:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        me = threading.current_thread()
        self._take_back(lambda owner: owner is not me)
        opened = open_port(port, baudrate, bytesize=bytesize, parity=parity, stopbits=stopbits, timeout=timeout)
        with self._lock:
            self._held.append((me, opened))
        if port not in self._warned and (advice := unstable_name(port)):
            self._warned.add(port)
            log.warning("%s: %s", self._device, advice)
        return opened

    def sysfs(self) -> RealSysfs:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        return RealSysfs()

    def abandon(self) -> None:
        """Take everything from the threads that hold it, so that it can be opened anew. For any thread."""
        self._take_back(lambda _: True)

    def _take_back(self, unwanted: Callable[[threading.Thread], bool]) -> None:
        with self._lock:
            self._held = [(owner, port) for owner, port in self._held if not port.closed]
            taken = [port for owner, port in self._held if unwanted(owner)]
            self._held = [(owner, port) for owner, port in self._held if port not in taken]
        for port in taken:
            port.take_away()
