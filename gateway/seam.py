"""How a driver gets hold of hardware: the methods that :class:`gateway.driver.Driver` inherits.

Whatever is opened here is closed with the driver, also after an ``open`` that failed half-way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import ClassVar, Protocol, TypeVar

from gateway.hardware.protocols import (
    LINE_LIMIT,
    ChildProcess,
    GPIOInput,
    GPIOOutput,
    Handle,
    Hardware,
    I2CDevice,
    Pull,
    SerialPort,
    SPIDevice,
    Sysfs,
)

H = TypeVar("H", bound=Handle)


class _Given(Protocol):
    """The part of :class:`gateway.driver.Runtime` that matters here."""

    hardware: Hardware


class Seam:
    """What one driver has open."""

    shares_port: ClassVar[bool] = False
    """Whether several devices with drivers that say so may use one serial port, each for one ``transaction()``."""

    def __init__(self, runtime: _Given) -> None:
        self._given = runtime
        self._stack = ExitStack()

    def serial(
        self,
        port: str,
        baudrate: int = 9600,
        *,
        bytesize: int = 8,
        parity: str = "N",
        stopbits: float = 1,
        timeout: float = 1.0,
    ) -> SerialPort:
        """Open a serial port. ``timeout`` (seconds) bounds every read and write.

        It is this driver's alone, or shared where the class says ``shares_port = True``: then ``transaction()`` has it
        for a request and its answer. Raises ``DeviceUnavailable`` when the port is missing, busy or not permitted,
        ``Misconfigured`` for settings that no port can have, or other than those of a device that shares it.
        """
        return self._keep(
            self._given.hardware.serial(
                port,
                baudrate,
                bytesize=bytesize,
                parity=parity,
                stopbits=stopbits,
                timeout=timeout,
                shared=self.shares_port,
            )
        )

    def i2c(self, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None) -> I2CDevice:
        """Talk to the device at ``address`` (7 bits), where there is a TCA9548A through one of its channels.

        Other devices share the bus: each call has it for itself, and so has a ``with self.chip.transaction():`` around
        several. ``DeviceUnavailable`` when the bus is missing or not permitted, ``Misconfigured`` for an address that
        no device can have.
        """
        return self._keep(self._given.hardware.i2c(bus, address, mux=mux, mux_channel=mux_channel))

    def spi(self, bus: int, device: int, *, max_speed_hz: int = 1_000_000, mode: int = 0) -> SPIDevice:
        """Talk to the device at a chip select (``/dev/spidevBUS.DEVICE``). ``mode`` is 0 to 3.

        ``DeviceUnavailable`` when it is missing or not permitted, ``Misconfigured`` for a mode or speed that cannot be.
        """
        return self._keep(self._given.hardware.spi(bus, device, max_speed_hz=max_speed_hz, mode=mode))

    def gpio(self, pin: int, *, pull: Pull = "none", active_low: bool = False, debounce: float = 0.0) -> GPIOInput:
        """Read a pin; ``pin`` is the number of the GPIO (BCM), not of the place on the header.

        ``debounce``: seconds that a level has to last before it counts, at most 1. ``DeviceUnavailable`` when the pin
        is used by another program, missing or not permitted.
        """
        return self._keep(self._given.hardware.gpio(pin, pull=pull, active_low=active_low, debounce=debounce))

    def gpio_output(self, pin: int, initial: bool = False, *, active_low: bool = False) -> GPIOOutput:  # noqa: FBT001, FBT002 (reads well)
        """Drive a pin until the device is closed. ``close`` is the place to write the level that is safe afterwards."""
        return self._keep(self._given.hardware.gpio_output(pin, initial=initial, active_low=active_low))

    def process(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, line_limit: int = LINE_LIMIT
    ) -> ChildProcess:
        """Start a program that runs until the device is closed. There is no shell: ``command`` is a list of words.

        ``env`` is added to the environment. ``DeviceUnavailable`` when there is no such program, or no room for it. It
        ends with the device, and so does what it has started; also when the gateway is killed.
        """
        if isinstance(command, str):
            raise TypeError("a command is a list of words, not one text: nothing takes it apart")
        return self._keep(self._given.hardware.process(command, env=env, line_limit=line_limit))

    def sysfs(self) -> Sysfs:
        """Files that the kernel or the system keeps: /sys, /proc, /etc."""
        return self._given.hardware.sysfs()

    def close_hardware(self) -> None:
        """Close all that is open, the newest first. Safe to call twice."""
        stack, self._stack = self._stack, ExitStack()
        stack.close()

    def _keep(self, handle: H) -> H:
        self._stack.callback(handle.close)
        return handle
