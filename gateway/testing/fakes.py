"""Hardware that a test makes up: all that a driver can be given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.driver import DeviceUnavailable
from gateway.hardware.protocols import LINE_LIMIT, Pull
from gateway.simulation.clockwork import VirtualTime
from gateway.testing.fake_gpio import FakeGPIO
from gateway.testing.fake_i2c import FakeI2C
from gateway.testing.fake_process import FakeProcess
from gateway.testing.fake_serial import FakeSerial, SerialSettings
from gateway.testing.fake_spi import FakeSPI, SPISettings
from gateway.testing.fake_sysfs import FakeSysfs

Place = tuple[int, int] | tuple[int, int, int, int]
"""Where a device is on I2C: bus and address; behind a TCA9548A its address and the channel after them."""


class FakeHardware:
    """What a driver is given, and nothing else.

    The ports by name, I2C devices by :data:`Place`, SPI devices by bus and chip select, pins by number, programs by
    name, the machine's files.
    """

    def __init__(
        self,
        *,
        ports: Mapping[str, FakeSerial] | None = None,
        i2c: Mapping[Place, FakeI2C] | None = None,
        spi: Mapping[tuple[int, int], FakeSPI] | None = None,
        gpio: Mapping[int, FakeGPIO] | None = None,
        processes: Mapping[str, FakeProcess] | None = None,
        sysfs: FakeSysfs | Mapping[str, str] | None = None,
    ) -> None:
        self.ports: dict[str, FakeSerial] = dict(ports or {})
        self.chips: dict[Place, FakeI2C] = dict(i2c or {})
        self.selects: dict[tuple[int, int], FakeSPI] = dict(spi or {})
        self.pins: dict[int, FakeGPIO] = dict(gpio or {})
        self.processes: dict[str, FakeProcess] = dict(processes or {})
        self._sysfs = sysfs if isinstance(sysfs, FakeSysfs) else FakeSysfs(sysfs)

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
    ) -> FakeSerial:
        """Open one of the ports."""
        if port not in self.ports:
            raise DeviceUnavailable(f"there is no port {port}", hint=f"ports here: {', '.join(self.ports) or 'none'}")
        settings = SerialSettings(baudrate, bytesize, parity, stopbits)
        self.ports[port].open(port, settings, timeout, shared=shared)
        return self.ports[port]

    def i2c(self, bus: int, address: int, *, mux: int | None = None, mux_channel: int | None = None) -> FakeI2C:
        """Open one of the I2C devices. Where there is none, one is found that does not answer, as on a real bus."""
        where = f"{address:#04x} on I2C bus {bus}"
        if all(place[0] != bus for place in self.chips):
            raise DeviceUnavailable(f"there is no I2C bus {bus}")
        place = (bus, address) if mux is None or mux_channel is None else (bus, address, mux, mux_channel)
        chip = self.chips.get(place)
        if chip is None:
            chip = FakeI2C()
            chip.unplug()
        chip.open(where)
        return chip

    def spi(self, bus: int, device: int, *, max_speed_hz: int = 1_000_000, mode: int = 0) -> FakeSPI:
        """Open one of the SPI devices."""
        where = f"/dev/spidev{bus}.{device}"
        if (bus, device) not in self.selects:
            raise DeviceUnavailable(f"there is no {where}")
        self.selects[bus, device].open(where, SPISettings(max_speed_hz, mode))
        return self.selects[bus, device]

    def gpio(self, pin: int, *, pull: Pull = "none", active_low: bool = False, debounce: float = 0.0) -> FakeGPIO:
        """Read one of the pins."""
        self._pin(pin).open(pull=pull, active_low=active_low, debounce=debounce)
        return self.pins[pin]

    def gpio_output(self, pin: int, *, initial: bool = False, active_low: bool = False) -> FakeGPIO:
        """Drive one of the pins."""
        self._pin(pin).open(active_low=active_low)
        self.pins[pin].write(initial)
        return self.pins[pin]

    def process(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        line_limit: int = LINE_LIMIT,  # noqa: ARG002 (what a test prints is never too long)
    ) -> FakeProcess:
        """Start one of the programs."""
        if command[0] not in self.processes:
            raise DeviceUnavailable(f"there is no program {command[0]}", hint="install it")
        self.processes[command[0]].open(command, env)
        return self.processes[command[0]]

    def sysfs(self) -> FakeSysfs:
        """The machine's files."""
        return self._sysfs

    def use_time(self, time: VirtualTime) -> None:
        """Let waiting take ``time``."""
        for port in self.ports.values():
            port.time = time
        for pin in self.pins.values():
            pin.time = time
        for program in self.processes.values():
            program.time = time

    def still_open(self) -> list[str]:
        """What is open, in words."""
        every: list[tuple[str, FakeSerial | FakeI2C | FakeSPI | FakeGPIO | FakeProcess]] = [
            *self.ports.items(),
            *((f"{place[1]:#04x} on I2C bus {place[0]}", chip) for place, chip in self.chips.items()),
            *((f"/dev/spidev{bus}.{device}", chip) for (bus, device), chip in self.selects.items()),
            *((f"GPIO {number}", pin) for number, pin in self.pins.items()),
            *self.processes.items(),
        ]
        return [name for name, one in every if one.is_open]

    def _pin(self, number: int) -> FakeGPIO:
        if number not in self.pins:
            raise DeviceUnavailable(f"there is no GPIO {number}")
        return self.pins[number]
