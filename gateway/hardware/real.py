"""The hardware of this machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from gateway.hardware.i2c import RealI2CDevice, the_mux
from gateway.hardware.i2c import open_device as open_i2c
from gateway.hardware.machine import THIS, Machine, Takeable
from gateway.hardware.protocols import LINE_LIMIT, ChildProcess, GPIOInput, GPIOOutput, Pull, Sysfs
from gateway.hardware.serial import RealSerialPort
from gateway.hardware.shared_serial import Line, Sharer, open_shared
from gateway.hardware.spi import Manner, RealSPIDevice, Select
from gateway.hardware.spi import open_device as open_spi

log = logging.getLogger(__name__)


T = TypeVar("T", bound=Takeable)


class RealHardware:
    """What one device is given, for the whole run: it outlives the device's drivers and threads.

    A thread that hangs in a driver call keeps its port open, and nobody else could open that port again. So when
    another thread of the same device asks for a port, or :meth:`abandon` is called, what the old thread holds is taken
    from it.
    """

    def __init__(self, device: str, machine: Machine = THIS) -> None:
        self._device = device
        self._machine = machine
        self._lock = threading.Lock()
        self._held: list[tuple[threading.Thread, Takeable]] = []
        self._warned: set[str] = set()

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
    ) -> RealSerialPort | Sharer:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._take_from_others()
        line = Line(baudrate, bytesize, parity, stopbits)
        opened: RealSerialPort | Sharer
        machine = self._machine
        if shared:
            opened = open_shared(
                machine.shared_ports, self._device, port, line, timeout=timeout, open=machine.open_port
            )
        else:
            opened = machine.open_port(port, line, timeout)
        if port not in self._warned and (advice := machine.advice(port)):
            self._warned.add(port)
            log.warning("%s: %s", self._device, advice)
        return self._hold(opened)

    def i2c(self, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None) -> RealI2CDevice:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._take_from_others()
        opened = open_i2c(self._machine.i2c, self._device, bus, address, the_mux(mux, mux_channel))
        return self._hold(opened)

    def spi(self, bus: int, device: int, *, max_speed_hz: int = 1_000_000, mode: int = 0) -> RealSPIDevice:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._take_from_others()
        opened = open_spi(self._machine.spi, self._device, Select(bus, device), Manner(max_speed_hz, mode))
        return self._hold(opened)

    def gpio(self, pin: int, *, pull: Pull = "none", active_low: bool = False, debounce: float = 0.0) -> GPIOInput:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._take_from_others()
        return self._hold(
            self._machine.open_input(self._device, pin, pull=pull, active_low=active_low, debounce=debounce)
        )

    def gpio_output(self, pin: int, *, initial: bool = False, active_low: bool = False) -> GPIOOutput:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._take_from_others()
        return self._hold(self._machine.open_output(self._device, pin, initial=initial, active_low=active_low))

    def process(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, line_limit: int = LINE_LIMIT
    ) -> ChildProcess:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        self._take_from_others()
        return self._hold(self._machine.start(command, env, line_limit))

    def sysfs(self) -> Sysfs:
        """See :class:`gateway.hardware.protocols.Hardware`."""
        return self._machine.sysfs

    def abandon(self) -> None:
        """Take everything from the threads that hold it, so that it can be opened anew. For any thread."""
        self._take_back(lambda _: True)

    def _hold(self, opened: T) -> T:
        with self._lock:
            self._held.append((threading.current_thread(), opened))
        return opened

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
