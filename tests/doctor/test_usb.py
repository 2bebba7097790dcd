"""Adapters that cannot be told apart, and ports by number."""

from __future__ import annotations

from support.sickbed import Sickbed, found, only

from gateway.doctor import usb
from gateway.doctor.finding import State

CLONE = "usb-1a86_USB_Serial-if00-port0"
AIR = '[devices.air]\ndriver = "pms5003"\nport = "{}"\n'
BY_ID = AIR.format(f"/dev/serial/by-id/{CLONE}")


def test_two_clones(bed: Sickbed) -> None:
    """They share a name: wrong when a device goes by it, else worth knowing. The sockets' names tell them apart."""
    bed.usb("ttyUSB0", by_id=CLONE, by_path="platform-usb-0:1.1")
    assert found(usb.twins, bed.patient(BY_ID)) == []
    bed.usb("ttyUSB1", by_id=CLONE, by_path="platform-usb-0:1.2")
    state, text, fix = only(usb.twins, bed.patient(BY_ID))
    assert state is State.PROBLEM
    assert text.startswith("/dev/ttyUSB0 and /dev/ttyUSB1 are adapters of one kind (1a86:7523) with no serial number")
    assert "[devices.air] may get the other one" in text
    assert "/dev/serial/by-path/platform-usb-0:1.2 is /dev/ttyUSB1" in fix
    assert only(usb.twins, bed.patient(AIR.format("/dev/serial/by-path/platform-usb-0:1.2")))[0] is State.HINT
    assert only(usb.twins, bed.patient())[0] is State.HINT


def test_adapters_with_serial_numbers(bed: Sickbed) -> None:
    """Two of a kind that say who they are."""
    bed.usb("ttyUSB0", "A1")
    bed.usb("ttyUSB1", "A2")
    assert found(usb.twins, bed.patient()) == []


def test_a_port_by_number(bed: Sickbed) -> None:
    """A hint while there is one adapter; wrong when another could take its number. The better name is in the fix."""
    config = AIR.format("/dev/ttyUSB0")
    bed.usb("ttyUSB0", "A1", by_id="usb-A1")
    fix = 'port = "/dev/serial/by-id/usb-A1" in [devices.air]'
    assert only(usb.names, bed.patient(config))[::2] == (State.HINT, fix)
    bed.usb("ttyUSB1", "A2")
    assert only(usb.names, bed.patient(config))[::2] == (State.PROBLEM, fix)
    assert found(usb.names, bed.patient(AIR.format("/dev/serial0"))) == []
