"""What a scan says of SPI."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.load import loads
from gateway.scan import spi
from gateway.scan.finding import Candidate, Finding
from gateway.testing import FakeHardware, FakeSPI


def look(machine: Any, chip: FakeSPI, *, taken: bool = False) -> Finding:
    """What is found at bus 0, chip select 1."""
    machine.file("/dev/spidev0.1")
    found: list[Finding] = []
    spi.look(machine.tree, (0, 1), FakeHardware(spi={(0, 1): chip}), lambda place: taken, found)
    assert not chip.is_open
    (only,) = found
    return only


@pytest.mark.parametrize("version", [0x91, 0x92, 0x88, 0x15, 0x12, 0xB2])
def test_a_reader(machine: Any, version: int) -> None:
    """It tells its version, copies too; nothing but that is asked."""
    chip = FakeSPI(bytes([0, version]))
    found = look(machine, chip)
    assert found.what == f"MFRC522 (version {version:#04x})"
    assert found.candidates == (Candidate("mfrc522", "MFRC522", sure=True),)
    (device,) = loads(found.stanza, strict=True).devices
    assert (device.driver, device.options.bus, device.options.device) == ("mfrc522", 0, 1)
    assert chip.sent == [b"\xee\0"]


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_something_else_or_nothing(machine: Any, level: int) -> None:
    """What cannot be seen is said, with what is often there."""
    found = look(machine, FakeSPI(bytes([level, level])))
    assert found.what == "no MFRC522; other chips cannot be seen"
    assert [candidate.name for candidate in found.candidates] == ["MCP3008", "MAX31855", "MAX6675"]
    assert not any(candidate.sure for candidate in found.candidates)
    assert found.stanza == ""


def test_what_is_configured_is_left_alone(machine: Any) -> None:
    """It is not even opened."""
    chip = FakeSPI(b"\0\x92")
    assert look(machine, chip, taken=True).places == (("spi", 0, 1),)
    assert chip.sent == []


def test_a_bus_that_fails(machine: Any) -> None:
    """The reason, in the words of the hardware."""
    machine.file("/dev/spidev0.0")
    found: list[Finding] = []
    spi.look(machine.tree, (0, 0), FakeHardware(), lambda place: False, found)
    assert [(one.found, one.what) for one in found] == [(False, "there is no /dev/spidev0.0")]


def test_no_rights(machine: Any, no_rights: None) -> None:
    """The group and the line to type."""
    found = look(machine, FakeSPI(b"\0\x92"))
    assert (found.found, found.what) == (False, "not looked at")
    assert found.note.startswith("no permission: ")


def test_selects_and_why_there_are_none(machine: Any) -> None:
    """Device files by bus and chip select; on a Raspberry Pi how to get some."""
    assert "no Raspberry Pi" in spi.off(machine.tree).note
    machine.pi()
    assert "raspi-config nonint do_spi 0" in spi.off(machine.tree).note
    for name in ("spidev0.1", "spidev0.0", "spidev1.2"):
        machine.file(f"/dev/{name}")
    assert spi.selects(machine.tree) == [(0, 0), (0, 1), (1, 2)]
