"""What a scan says of chips that the kernel looks after."""

from __future__ import annotations

from typing import Any

from gateway.config.load import loads
from gateway.scan import kernel
from gateway.scan.finding import Candidate, Finding

SOC = "/sys/devices/platform/soc"
I2C = f"{SOC}/fe804000.i2c/i2c-1"


def look(machine: Any) -> list[Finding]:
    """All but the machine itself."""
    return kernel.look(machine.tree)[:-1]


def test_a_chip_that_its_driver_knows(machine: Any) -> None:
    """Its name is enough."""
    machine.chip("iio", 0, "dht11@4", f"{SOC}/dht11@4", in_temp_input="21500")
    (found,) = look(machine)
    assert (found.bus, found.where, found.what) == ("iio", "iio:device0", "dht11@4")
    assert found.candidates == (Candidate("iio", "dht11@4", sure=True),)
    (device,) = loads(found.stanza, strict=True).devices
    assert (device.driver, device.options.chip) == ("iio", "dht11")
    assert found.places == (("iio", "dht11@4", ""), ("iio", "dht11", ""))


def test_a_chip_that_nobody_knows(machine: Any) -> None:
    """Its inputs are in the stanza."""
    machine.chip("iio", 1, "ads1015", f"{I2C}/1-0048", in_voltage0_raw="1", in_voltage0_scale="3", in_temp_input="1")
    (found,) = look(machine)
    (device,) = loads(found.stanza, strict=True).devices
    assert device.options.inputs == {"voltage0": "voltage0", "temperature": "temp"}


def test_a_chip_without_a_thermometer(machine: Any) -> None:
    """What hwmon takes a chip to measure it may not have: then its inputs are in the stanza."""
    machine.chip("hwmon", 0, "ina3221", f"{I2C}/1-0041", in1_input="5000", curr1_input="10", fan2_input="900")
    (found,) = look(machine)
    (device,) = loads(found.stanza, strict=True).devices
    assert device.options.inputs == {"voltage": "in1", "current": "curr1", "fan2": "fan2"}


def test_two_chips_of_one_name(machine: Any) -> None:
    """Told apart by the folder of the bus that they are on."""
    for number, address in ((0, "0048"), (1, "0049")):
        machine.chip("hwmon", number, "lm75", f"{I2C}/1-{address}", temp1_input="21500")
        machine.link(f"/sys/bus/i2c/devices/1-{address}", f"{I2C}/1-{address}")
    devices = [loads(found.stanza, strict=True).devices[0] for found in look(machine)]
    assert [device.options.path for device in devices] == [f"/sys/bus/i2c/devices/1-{end}" for end in ("0048", "0049")]


def test_two_chips_of_one_name_on_no_bus(machine: Any) -> None:
    """Where no bus has them, their folders tell them apart."""
    machine.file("/sys/bus/i2c/devices/1-0048/name", "lm75")
    for number, gpio in ((0, "a"), (1, "b")):
        machine.chip("iio", number, "dht11", f"{SOC}/dht11@{gpio}", in_temp_input="21500")
    devices = [loads(found.stanza, strict=True).devices[0] for found in look(machine)]
    assert [device.options.path for device in devices] == [f"{SOC}/dht11@a", f"{SOC}/dht11@b"]


def test_a_chip_that_is_called_by_its_place(machine: Any) -> None:
    """Some drivers name it 1-0040: its name is looked up."""
    machine.chip("iio", 0, "1-0040", f"{I2C}/1-0040", in_temp_raw="1")
    machine.file("/sys/bus/i2c/devices/1-0040/name", "hdc1000")
    (found,) = look(machine)
    assert found.what == "hdc1000"


def test_a_name_that_would_be_configuration(machine: Any) -> None:
    """A chip's name stays a name."""
    machine.chip("iio", 0, 'a"\n[devices.evil]', f"{I2C}/1-0048", in_temp_input="1")
    (found,) = look(machine)
    (device,) = loads(found.stanza, strict=True).devices
    assert (device.device, device.options.chip) == ("a-devices-evil", 'a"\n[devices.evil]')


def test_the_machines_own(machine: Any) -> None:
    """They are no sensors that somebody has connected: one line, with the driver system."""
    machine.pi()
    machine.chip("hwmon", 0, "cpu_thermal", "/sys/devices/virtual/thermal/thermal_zone0")
    machine.chip("hwmon", 1, "rpi_volt", f"{SOC}/soc:firmware/raspberrypi-hwmon")
    machine.chip("hwmon", 2, "sht3x", f"{I2C}/1-0044", temp1_input="21500")
    machine.chip("hwmon", 3, "w1_slave_temp", "/sys/devices/w1_bus_master1/28-3c01d6079f4e")
    sensor, own = kernel.look(machine.tree)
    assert (sensor.bus, sensor.what) == ("hwmon", "sht3x")
    assert (own.bus, own.what) == ("machine", "Raspberry Pi 4 Model B Rev 1.5")
    assert own.note.endswith("cpu_thermal, rpi_volt")
    (device,) = loads(own.stanza, strict=True).devices
    assert device.driver == "system"


def test_nothing(machine: Any) -> None:
    """A machine is always there."""
    (found,) = kernel.look(machine.tree)
    assert (found.what, found.places) == ("a computer", (("machine",),))


def test_a_chip_without_a_value(machine: Any) -> None:
    """It is named, and nothing is offered to paste."""
    machine.chip("iio", 0, "strange", f"{I2C}/1-0011")
    (found,) = look(machine)
    assert (found.what, found.stanza) == ("strange", "")
