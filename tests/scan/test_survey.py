"""The whole scan of machines that a test makes up."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gateway.config.load import loads
from gateway.hardware.gpio_kernel import Chip
from gateway.hardware.real import RealHardware
from gateway.scan.configured import taken
from gateway.scan.finding import Finding
from gateway.scan.survey import survey
from gateway.simulation.i2c import SimulatedI2CBus
from gateway.simulation.models.ws1850s import attach as attach_ws1850s
from gateway.simulation.registers import RegisterChip
from gateway.simulation.world import World
from gateway.testing import FakeHardware, FakeI2C, FakeSPI

HEADER = Chip("/dev/gpiochip0", "pinctrl-bcm2711", 58)


class BME280(RegisterChip):
    """As much of one as a scan asks for."""

    defaults = {0xD0: 0x60}  # noqa: RUF012 (as the models have it)


def house(machine: Any) -> FakeHardware:
    """A Raspberry Pi with something on every bus."""
    machine.pi()
    machine.usb("ttyUSB0", "1-1.2", "1a86:7523", product="USB Serial")
    machine.usb("ttyACM0", "1-1.3", "2341:0043", product="Uno", serial="857")
    machine.link("/dev/serial/by-id/usb-Arduino_Uno_857-if00", "/dev/ttyACM0")
    machine.board("ttyS0", "4")
    machine.link("/dev/serial0", "/dev/ttyS0")
    for node in ("i2c-1", "spidev0.0", "spidev0.1", "gpiochip0"):
        machine.file(f"/dev/{node}")
    machine.file("/sys/bus/w1/devices/w1_bus_master1/name")
    machine.file("/sys/bus/w1/devices/28-3c01d6079f4e/name")
    machine.file("/sys/bus/w1/devices/28-3c01d607a1b2/name")
    machine.chip("iio", 0, "dht11@4", "/sys/devices/platform/dht11@4", in_temp_input="21500")
    machine.chip("hwmon", 0, "cpu_thermal", "/sys/devices/virtual/thermal/thermal_zone0")
    chips = {0x28: FakeI2C({0x37: 0x15}), 0x44: FakeI2C(), 0x76: FakeI2C({0xD0: 0x60}), 0x77: FakeI2C({0xD0: 0x60})}
    return FakeHardware(
        i2c={(1, address): chip for address, chip in chips.items()},
        spi={(0, 0): FakeSPI(b"\0\x92"), (0, 1): FakeSPI(b"\0\0")},
    )


def look(machine: Any, hardware: FakeHardware, **others: Any) -> list[Finding]:
    """All that is found."""
    return survey(machine.tree, lambda _: hardware, lambda: [HEADER], **others)


def test_a_house(machine: Any) -> None:
    """All kinds of buses in their order; all stanzas together are a configuration."""
    hardware = house(machine)
    found = look(machine, hardware)
    assert [one.bus for one in found] == [
        *["serial"] * 3,
        *["i2c"] * 4,
        *["spi"] * 2,
        *["onewire"] * 2,
        "gpio",
        "iio",
        "machine",
    ]
    assert all(one.found for one in found)
    settings = loads("\n".join(one.stanza for one in found), strict=True)
    drivers = [device.driver for device in settings.devices]
    assert drivers == [
        *["serial_line"] * 3,
        *["ws1850s", "hwmon", "bme280", "bme280"],
        "mfrc522",
        *["ds18b20"] * 2,
        "iio",
        "system",
    ]
    assert hardware.still_open() == []


def test_pasted_once_there_is_nothing_left_to_paste(machine: Any) -> None:
    """With those stanzas in the configuration, each is marked with its name, and has no stanza."""
    hardware = house(machine)
    stanzas = [one.stanza for one in look(machine, hardware)]
    devices = loads("\n".join(stanzas), strict=True).devices
    names = [device.device for device in devices]
    found = look(machine, hardware, taken=taken(devices, machine.tree), names=names)
    assert [one.stanza for one in found if one.stanza] == []
    assert {one.configured for one in found if one.configured} == set(names)
    (waiting,) = [one for one in found if one.configured == "sht31"]
    assert "dtoverlay=i2c-sensor,sht3x" in waiting.note  # the kernel does not have it yet


def test_an_empty_machine(machine: Any) -> None:
    """Every kind says why it sees nothing."""
    found = look(machine, FakeHardware())
    assert [one.bus for one in found if not one.found] == ["serial", "i2c", "spi", "onewire", "gpio"]
    assert found[-1].bus == "machine"


def test_what_is_left_out(machine: Any) -> None:
    """It is not touched."""
    hardware = house(machine)
    found = look(machine, hardware, skip=("spi", "i2c", "kernel"))
    assert {one.bus for one in found} == {"serial", "onewire", "gpio"}
    assert [select.sent for select in hardware.selects.values()] == [[], []]
    assert [chip.sent for chip in hardware.chips.values()] == [[], [], [], []]


def test_one_bus_that_hangs(machine: Any) -> None:
    """It is told, with what was found on it until then; the others are all there, and the scan ends."""
    hardware = house(machine)
    machine.file("/dev/i2c-3")
    never = threading.Event()

    def hang(data: bytes, size: int) -> bytes:
        never.wait(30)
        return bytes(size)

    hardware.chips[3, 0x20] = FakeI2C({0: 1})
    hardware.chips[3, 0x28] = FakeI2C(answer=hang)
    try:
        found = look(machine, hardware, patience=0.3)
    finally:
        never.set()
    on_three = [one for one in found if one.where.startswith("bus 3")]
    assert [(one.found, one.where) for one in on_three] == [(True, "bus 3, 0x20"), (False, "bus 3")]
    assert "does not answer in time" in on_three[-1].what
    assert [one.what for one in found if one.where == "bus 1, 0x76"] == ["BME280"]
    for thread in threading.enumerate():
        if thread.name.startswith("scan"):
            thread.join(5)


def test_a_mistake_of_ours_hides_nothing(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever one kind of bus raises, the others are seen."""
    hardware = house(machine)
    monkeypatch.setattr("gateway.scan.onewire.look", lambda tree: 1 / 0)
    found = look(machine, hardware)
    (wrong,) = [one for one in found if not one.found]
    assert (wrong.bus, wrong.what) == ("onewire", "not looked at: ZeroDivisionError: division by zero")
    assert len(found) == 13


def test_simulated_hardware(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the simulation's bus, beside multiplexers that stay as they are; the wire carries no long word."""
    carried: list[tuple[int, bytes]] = []
    carry = SimulatedI2CBus._carry

    def watched(bus: SimulatedI2CBus, message: Any) -> None:
        if not message.reading:
            carried.append((message.address, message.data))
        carry(bus, message)

    monkeypatch.setattr(SimulatedI2CBus, "_carry", watched)
    world = World()
    world.connect_i2c(BME280(), 1, 0x76)
    world.connect_i2c(BME280(), 1, 0x40, mux=0x70, mux_channel=2)
    world.connect_i2c(BME280(), 1, 0x41, mux=0x77, mux_channel=2)
    options = loads('[devices.desk]\ndriver = "ws1850s"').devices[0].options
    attach_ws1850s(world, options)
    machine.file("/dev/i2c-1")
    found = survey(machine.tree, lambda name: RealHardware(name, world.machine), list)
    on_i2c = {one.where: one.what for one in found if one.bus == "i2c"}
    assert on_i2c == {
        "bus 1, 0x28": "WS1850S (M5Stack Unit RFID2)",
        "bus 1, 0x70": "could be TCA9548A",
        "bus 1, 0x76": "BME280",
        "bus 1, 0x77": "TCA9548A",
    }
    assert all(len(data) <= 1 for _, data in carried)
    assert {data for address, data in carried if address == 0x70} == {b""}
    assert [data for address, data in carried if address == 0x77] == [b"", b"\xd0", b"\0"]
