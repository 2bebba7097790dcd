"""What a scan says of 1-Wire."""

from __future__ import annotations

from typing import Any

from gateway.config.load import loads
from gateway.scan import onewire
from gateway.scan.finding import Candidate

BUS = "/sys/bus/w1/devices"


def test_thermometers(machine: Any) -> None:
    """Each with its id; of several it is said that they can measure at once."""
    machine.file(f"{BUS}/w1_bus_master1/name", "w1_bus_master1")
    machine.file(f"{BUS}/28-3c01d6079f4e/name")
    (found,) = onewire.look(machine.tree)
    assert (found.where, found.what, found.note) == ("28-3c01d6079f4e", "DS18B20, a thermometer", "")
    assert found.candidates == (Candidate("ds18b20", "DS18B20", sure=True),)
    (device,) = loads(found.stanza, strict=True).devices
    assert device.options.id == "28-3c01d6079f4e"
    assert found.places == (("onewire", "28-3c01d6079f4e"), ("onewire", ""))
    machine.file(f"{BUS}/10-000802824e58/name")
    first, second = onewire.look(machine.tree)
    assert first.what == "DS18S20, a thermometer"
    assert "`sensors` of one device" in second.note
    assert second.places == (("onewire", "28-3c01d6079f4e"),)


def test_other_devices(machine: Any) -> None:
    """What they are, and that no driver reads them."""
    machine.file(f"{BUS}/w1_bus_master1/name")
    machine.file(f"{BUS}/26-0000015cc5f0/name")
    machine.file(f"{BUS}/f0-000000000001/name")
    first, second = onewire.look(machine.tree)
    assert first.what == "DS2438: a battery monitor"
    assert second.what == "a device of family f0"
    assert (first.stanza, first.candidates[0].driver) == ("", "")


def test_why_there_is_nothing(machine: Any) -> None:
    """Switched off, no Raspberry Pi, nobody there, or a resistor that is missing."""
    (found,) = onewire.look(machine.tree)
    assert (found.found, found.note) == (False, "this machine is no Raspberry Pi")
    machine.pi()
    (found,) = onewire.look(machine.tree)
    assert "dtoverlay=w1-gpio in /boot/firmware/config.txt" in found.note
    machine.file("/boot/config.txt")
    assert "dtoverlay=w1-gpio in /boot/config.txt" in onewire.look(machine.tree)[0].note
    machine.file(f"{BUS}/w1_bus_master1/name")
    (found,) = onewire.look(machine.tree)
    assert (found.found, found.what) == (False, "nobody answers")
    machine.file(f"{BUS}/00-400000000000/name")
    (found,) = onewire.look(machine.tree)
    assert "the resistor of 4.7 kΩ" in found.note
    assert (found.found, found.what) == (False, "ids that begin with 00-")
