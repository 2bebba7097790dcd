"""SPI, I2C and 1-Wire that are off, half on, or not as the configuration says."""

from __future__ import annotations

import pytest
from support.sickbed import PI5, Sickbed, found, only

from gateway.doctor import buses
from gateway.doctor.finding import State

CONFIG = "/boot/firmware/config.txt"
DOOR = '[devices.door]\ndriver = "mfrc522"\n'
OFFICE = '[devices.office]\ndriver = "bme280"\n'
CCS811 = (
    '[devices.air]\ndriver = "circuitpython"\nmodule = "adafruit_ccs811"\nclass = "CCS811"\naddress = 0x5A\n'
    'fields = [{ name = "eco2" }]\n'
)
ONEWIRE = '[devices.fridge]\ndriver = "ds18b20"\nid = "28-0000075a1b2c"\n'


def test_spi_commented_out(bed: Sickbed) -> None:
    """The line is there, asleep."""
    bed.file(CONFIG, "# dtparam=spi=on\n")
    bed.remove("/dev/spidev0.0")
    state, text, fix = only(buses.spi, bed.patient(DOOR))
    assert (state, fix) == (State.PROBLEM, "sudo raspi-config nonint do_spi 0 && sudo reboot")
    why = f'SPI is off (the line "dtparam=spi=on" in {CONFIG} is commented out)'
    assert text == f"{why}: there is no /dev/spidev0.0, and [devices.door] needs it"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dtparam=i2c_arm=on\n", "does not switch it on"),
        ("dtparam=spi=on\ndtparam=spi=off\n", "does not switch it on"),
        ("[pi5]\ndtparam=spi=on\n", "does not switch it on"),
        ("[none]\ndtparam=spi=on\n", "does not switch it on"),
        ("[pi4]\ndtparam=i2c_arm=on,spi=on\n", "next start"),
        ("[pi5]\n[all]\ndtparam=spi\n", "next start"),
    ],
)
def test_what_config_txt_says(bed: Sickbed, text: str, says: str) -> None:
    """The last line wins, and those for other models do not count; what is on waits for a restart."""
    bed.file(CONFIG, text)
    bed.remove("/dev/spidev0.0")
    assert says in only(buses.spi, bed.patient(DOOR))[1]


def test_the_old_place_of_config_txt(bed: Sickbed) -> None:
    """Until bullseye it was /boot."""
    bed.remove(CONFIG)
    bed.file("/boot/config.txt", "#dtparam=spi=on\n")
    bed.remove("/dev/spidev0.0")
    assert "/boot/config.txt" in only(buses.spi, bed.patient(DOOR))[1]


def test_another_spi_bus_wants_its_overlay(bed: Sickbed) -> None:
    """And bus 0 has two chip selects."""
    fix = only(buses.spi, bed.patient(DOOR + "bus = 1\n"))[2]
    assert fix == f"echo dtoverlay=spi1-3cs | sudo tee -a {CONFIG} && sudo reboot"
    assert "two chip selects" in only(buses.spi, bed.patient(DOOR + "device = 2\n"))[1]


def test_off_and_nobody_needs_it(bed: Sickbed) -> None:
    """Then each is a hint, on a Raspberry Pi alone."""
    bed.file(CONFIG, "")
    for node in ("spidev0.0", "spidev0.1", "i2c-1"):
        bed.remove(f"/dev/{node}")
    bed.remove("/sys/bus/w1/devices/w1_bus_master1/w1_master_slaves")
    bed.machine.path("/sys/bus/w1/devices/w1_bus_master1").rmdir()
    checks = (buses.spi, buses.i2c, buses.onewire)
    assert [only(check, bed.patient())[0] for check in checks] == [State.HINT] * 3
    bed.remove("/proc/device-tree/model")
    assert [found(check, bed.patient()) for check in checks] == [[], [], []]


def test_a_device_that_is_switched_off_needs_nothing(bed: Sickbed) -> None:
    """``enabled = false``."""
    bed.remove("/dev/spidev0.0")
    assert found(buses.spi, bed.patient(DOOR + "enabled = false\n")) == []


def test_i2c_off_for_several(bed: Sickbed) -> None:
    """One finding for a bus, with all who need it."""
    bed.file(CONFIG, "#dtparam=i2c_arm=on\n")
    bed.remove("/dev/i2c-1")
    state, text, fix = only(buses.i2c, bed.patient(OFFICE + '[devices.hall]\ndriver = "bme280"\naddress = 0x77\n'))
    assert (state, fix) == (State.PROBLEM, "sudo raspi-config nonint do_i2c 0 && sudo reboot")
    assert "commented out" in text
    assert text.endswith("[devices.office] and [devices.hall] need it")


def test_i2c_without_its_module(bed: Sickbed) -> None:
    """The bus is there and its device file is not: then it is i2c-dev."""
    bed.remove("/dev/i2c-1")
    bed.file("/sys/bus/i2c/devices/i2c-1/name")
    assert only(buses.i2c, bed.patient(OFFICE))[2].startswith("sudo modprobe i2c-dev")


def test_i2c_of_another_number(bed: Sickbed) -> None:
    """The header's is 1 on every model."""
    state, text, fix = only(buses.i2c, bed.patient(OFFICE + "bus = 0\n"))
    assert state is State.PROBLEM
    assert "bus 1 on every Raspberry Pi" in text
    assert fix.startswith("bus = 1 in [devices.office]")


def test_onewire_off(bed: Sickbed) -> None:
    """The overlay, or a restart for it."""
    bed.remove("/sys/bus/w1/devices/w1_bus_master1/w1_master_slaves")
    bed.machine.path("/sys/bus/w1/devices/w1_bus_master1").rmdir()
    assert only(buses.onewire, bed.patient(ONEWIRE))[2] == "sudo reboot"
    bed.file(CONFIG, "")
    assert only(buses.onewire, bed.patient(ONEWIRE))[2].startswith("echo dtoverlay=w1-gpio | sudo tee -a")


def test_chips_that_stretch_the_clock(bed: Sickbed) -> None:
    """A hint on a Pi 0 to 4, unless the bus is slow; not on a Pi 5."""
    state, text, _ = only(buses.clock_stretching, bed.patient(CCS811))
    assert state is State.HINT
    assert "CCS811 of [devices.air]" in text
    assert found(buses.clock_stretching, bed.patient(OFFICE)) == []
    bed.file(CONFIG, "dtparam=i2c_arm=on,i2c_arm_baudrate=10000\n")
    assert found(buses.clock_stretching, bed.patient(CCS811)) == []
    bed.file(CONFIG, "")
    bed.file("/proc/device-tree/model", PI5)
    assert found(buses.clock_stretching, bed.patient(CCS811)) == []


def test_another_board(bed: Sickbed) -> None:
    """No words about config.txt where there is none."""
    bed.file("/proc/device-tree/model", "Radxa ROCK 5B")
    bed.remove("/dev/spidev0.0")
    bed.remove("/dev/i2c-1")
    for check, config in ((buses.spi, DOOR), (buses.i2c, OFFICE)):
        state, text, fix = only(check, bed.patient(config))
        assert state is State.PROBLEM
        assert "config.txt" not in text + fix
