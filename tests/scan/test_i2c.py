"""What a scan says of I2C buses."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from gateway.config.load import loads
from gateway.driver import DeviceUnavailable
from gateway.known.thing import things
from gateway.scan import i2c
from gateway.scan.finding import Candidate, Finding, Place
from gateway.testing import FakeHardware, FakeI2C

BME280 = {0xD0: 0x60}


def look(machine: Any, chips: dict[int, FakeI2C], number: int = 1, taken: set[Place] | None = None) -> list[Finding]:
    """What is found on a bus with these chips."""
    machine.file(f"/dev/i2c-{number}")
    there = {(number, address): chip for address, chip in chips.items()}
    absent = FakeI2C()
    absent.unplug()
    found: list[Finding] = []
    hardware = FakeHardware(i2c=there or {(number, 0x08): absent})  # type: ignore[arg-type] # a place without a mux
    i2c.look(machine.tree, number, hardware, (taken or set()).__contains__, found)
    return found


def test_a_chip_that_is_known(machine: Any) -> None:
    """Sure, with the place of the bus and a stanza that reads it."""
    (found,) = look(machine, {0x77: FakeI2C(BME280)}, number=3)
    assert (found.where, found.what) == ("bus 3, 0x77", "BME280")
    assert found.candidates == (Candidate("bme280", "BME280", sure=True),)
    (device,) = loads(found.stanza, strict=True).devices
    assert (device.driver, device.options.bus, device.options.address) == ("bme280", 3, 0x77)
    assert found.places == (("i2c", 3, 0x77, None, None),)


def test_a_chip_that_does_not_tell(machine: Any) -> None:
    """All that it could be, none of them sure, and a stanza for the first, with what it needs."""
    (found,) = look(machine, {0x44: FakeI2C()})
    assert found.what.startswith("could be SHT30, SHT31, SHT35, or SHT40")
    assert [candidate.sure for candidate in found.candidates] == [False] * len(found.candidates)
    assert "the stanza is for SHT30" in found.note
    assert "dtoverlay=i2c-sensor,sht3x,addr=0x44" in found.note
    (device,) = loads(found.stanza, strict=True).devices
    assert device.driver == "hwmon"


def test_a_chip_that_would_have_told(machine: Any) -> None:
    """What has its register, and another content there, is left out; unless that content changes with use."""
    (found,) = look(machine, {0x44: FakeI2C(), 0x76: FakeI2C(BME280)})[:1]
    assert "INA219" in found.what
    (found,) = look(machine, {0x28: FakeI2C({0x37: 0x55, 0x00: 0x55})})
    assert (found.what, found.candidates, found.stanza) == ("a chip that is not known here", (), "")
    assert "docs/writing-a-driver.md" in found.note


def test_a_multiplexer(machine: Any) -> None:
    """What is behind it is not looked for, and how to reach it is said."""
    mux = FakeI2C(answer=lambda data, size: (data or b"\x01") * size)
    (found,) = look(machine, {0x77: mux})
    assert found.what == "TCA9548A"
    assert (found.candidates, found.stanza) == ((Candidate("", "TCA9548A", sure=True),), "")
    assert "give them mux and mux_channel" in found.note
    (found,) = look(machine, {0x70: FakeI2C()})
    assert found.what == "could be TCA9548A"
    assert "give them mux and mux_channel" in found.note


def test_an_address_of_the_kernel(machine: Any) -> None:
    """It is told whose it is, and not touched."""
    machine.link("/sys/bus/i2c/devices/1-0076/driver", "/sys/bus/i2c/drivers/bmp280")
    machine.file("/sys/bus/i2c/drivers/bmp280/uevent")
    chip = FakeI2C(BME280)
    (found,) = look(machine, {0x76: chip})
    assert (found.where, found.what) == ("bus 1, 0x76", "held by the kernel's driver bmp280")
    assert "iio or hwmon" in found.note
    assert (chip.sent, found.stanza) == ([], "")


def test_what_is_configured_is_left_alone(machine: Any) -> None:
    """A byte is read to see whether it is there."""
    chip = FakeI2C(BME280)
    here, there = look(machine, {0x76: chip}, taken={("i2c", 1, 0x76, None, None), ("i2c", 1, 0x23, None, None)})[::-1]
    assert (here.where, here.what, chip.sent) == ("bus 1, 0x76", "answers", [])
    assert (there.where, there.what) == ("bus 1, 0x23", "does not answer")


def test_nobody(machine: Any) -> None:
    """A bus on which nobody answers."""
    (found,) = look(machine, {})
    assert (found.found, found.what, found.where) == (False, "nobody answers", "bus 1")


def test_a_bus_that_fails_half_way(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found until then stays, and the reason is told."""
    stuck = FakeI2C()

    def fail(data: bytes) -> None:
        cause = OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        raise DeviceUnavailable("I2C bus 1 is gone", hint="was its adapter unplugged?") from cause

    monkeypatch.setattr(stuck, "write", fail)
    first, last = look(machine, {0x28: FakeI2C({0x37: 0x15}), 0x44: stuck, 0x76: FakeI2C(BME280)})
    assert first.what.startswith("WS1850S")
    assert (last.found, last.what, last.note) == (False, "I2C bus 1 is gone", "was its adapter unplugged?")


def test_no_rights(machine: Any, no_rights: None) -> None:
    """The group and the line to type."""
    (found,) = look(machine, {0x76: FakeI2C(BME280)})
    assert (found.found, found.what) == (False, "not looked at")
    assert found.note.startswith("no permission: ")


def test_the_bus_of_a_monitor(machine: Any) -> None:
    """A monitor is no sensor, and is not asked."""
    machine.file("/sys/bus/i2c/devices/i2c-20/name", "fef04500.i2c")
    chip = FakeI2C()
    (found,) = look(machine, {0x50: chip}, number=20)
    assert (found.found, found.what) == (False, "the bus of a monitor, which is not looked at")
    assert chip.sent == []


def test_why_there_is_no_bus(machine: Any) -> None:
    """Switched off on a Raspberry Pi, a missing module, or no Raspberry Pi."""
    assert "no Raspberry Pi" in i2c.off(machine.tree).note
    machine.pi()
    assert "raspi-config nonint do_i2c 0" in i2c.off(machine.tree).note
    machine.file("/sys/bus/i2c/devices/i2c-1/name", "bcm2835 (i2c@7e804000)")
    assert "modprobe i2c-dev" in i2c.off(machine.tree).note


def test_buses(machine: Any) -> None:
    """In the order of their numbers."""
    for number in (10, 1, 3):
        machine.file(f"/dev/i2c-{number}")
    machine.file("/dev/i2c-stub")
    assert i2c.buses(machine.tree) == [1, 3, 10]


@pytest.mark.parametrize("address", sorted({address for thing in things() for address in thing.addresses}))
def test_every_stanza_is_valid(machine: Any, address: int) -> None:
    """Whatever is at an address: what is shown can be pasted."""
    (found,) = look(machine, {address: FakeI2C()})
    if found.stanza:
        loads(found.stanza, strict=True)
