"""What a scan says of serial ports, none of which is opened."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.load import loads
from gateway.scan import serial
from gateway.scan.finding import Finding

ARDUINO = "usb-Arduino__www.arduino.cc__0043_85735313832351-if00"
CH340 = "usb-1a86_USB_Serial-if00-port0"


def look(machine: Any) -> dict[str, Finding]:
    """What is found, by where it is."""
    return {found.where: found for found in serial.look(machine.tree)}


def test_an_arduino(machine: Any) -> None:
    """Its name in by-id, what it calls itself, and a stanza that reads its lines."""
    says = {"manufacturer": "Arduino (www.arduino.cc)", "product": "Uno", "serial": "85735313832351"}
    machine.usb("ttyACM0", "1-1.2", "2341:0043", **says)
    machine.link(f"/dev/serial/by-id/{ARDUINO}", "/dev/ttyACM0")
    (found,) = look(machine).values()
    assert found.where == f"/dev/serial/by-id/{ARDUINO}"
    assert found.what == "Arduino: Arduino (www.arduino.cc) Uno (2341:0043, serial number 85735313832351)"
    assert [candidate.driver for candidate in found.candidates] == ["serial_line"]
    (device,) = loads(found.stanza, strict=True).devices
    assert (device.driver, device.options.port) == ("serial_line", found.where)
    assert found.places == (("port", "/dev/ttyACM0"),)
    assert found.note == ""


def test_two_adapters_with_the_same_name(machine: Any) -> None:
    """Copies without serial numbers: each is named by its socket, and it is said why."""
    for port, socket in (("ttyUSB0", "1-1.2"), ("ttyUSB1", "1-1.3")):
        machine.usb(port, socket, "1a86:7523", product="USB Serial")
        machine.link(f"/dev/serial/by-path/platform-usb-0:{socket}:1.0-port0", f"/dev/{port}")
    machine.link(f"/dev/serial/by-id/{CH340}", "/dev/ttyUSB1")
    found = look(machine)
    assert list(found) == [f"/dev/serial/by-path/platform-usb-0:{socket}:1.0-port0" for socket in ("1-1.2", "1-1.3")]
    for one in found.values():
        assert "has the same name in by-id" in one.note
        assert one.what.startswith("CH340 adapter")


def test_an_adapter_alone(machine: Any) -> None:
    """One copy has its name in by-id; without udev only the bare name is left, and that changes."""
    machine.usb("ttyUSB0", "1-1.2", "1a86:7523", product="USB Serial")
    (found,) = look(machine).values()
    assert (found.where, found.note) == ("/dev/ttyUSB0", "it can get another number when it is plugged in again")
    machine.link(f"/dev/serial/by-id/{CH340}", "/dev/ttyUSB0")
    (found,) = look(machine).values()
    assert (found.where, found.note) == (f"/dev/serial/by-id/{CH340}", "")


def test_one_of_several_drivers(machine: Any) -> None:
    """An adapter may have anything behind it: the others are named in the stanza, which stays valid."""
    machine.usb("ttyUSB0", "1-1.2", "0403:6001", product="FT232R USB UART", serial="A50285BI")
    (found,) = look(machine).values()
    assert [candidate.driver for candidate in found.candidates][:2] == ["dsmr_p1", "modbus"]
    assert "# or modbus, serial_line" in found.stanza
    (device,) = loads(found.stanza, strict=True).devices
    assert device.driver == "dsmr_p1"


@pytest.mark.parametrize("driver", [*serial.EXAMPLES])
def test_every_stanza_is_valid(driver: str) -> None:
    """That of each driver that a port can be for, with the port that was found."""
    (device,) = loads(serial.stanza("/dev/serial/by-id/x", (driver, "serial_line")), strict=True).devices
    assert device.driver == driver
    if driver != "command":
        assert device.options.port == "/dev/serial/by-id/x"


def test_a_name_that_would_be_configuration() -> None:
    """A port's name stays a name."""
    name = '/dev/serial/by-id/a"\\1\n[devices.evil]'
    (device,) = loads(serial.stanza(name, ("serial_line",)), strict=True).devices
    assert device.options.port == name


def test_a_stick_that_is_not_for_us(machine: Any) -> None:
    """A Zigbee stick is named, and has no stanza."""
    machine.usb("ttyUSB0", "1-1.2", "10c4:ea60", product="Sonoff Zigbee 3.0 USB Dongle Plus", serial="7a")
    (found,) = look(machine).values()
    assert (found.candidates, found.stanza) == ((), "")
    assert "zigbee2mqtt" in found.note


def test_the_header(machine: Any) -> None:
    """/dev/serial0 is what stays; the Bluetooth chip's port is told apart, and the mini UART has its limits."""
    machine.pi()
    machine.board("ttyS0", "4")
    machine.board("ttyAMA0")
    machine.link("/dev/serial0", "/dev/ttyS0")
    machine.link("/dev/serial1", "/dev/ttyAMA0")
    found = look(machine)
    assert found["/dev/serial0"].what == "TXD and RXD of the header (pins 8 and 10)"
    assert "no parity" in found["/dev/serial0"].note
    assert found["/dev/ttyAMA0"].what == "the port of the Bluetooth chip"
    assert found["/dev/ttyAMA0"].stanza == ""
    (device,) = loads(found["/dev/serial0"].stanza, strict=True).devices
    assert device.options.port == "/dev/serial0"


@pytest.mark.parametrize("console", ["serial0", "ttyS0"])
def test_the_console(machine: Any, console: str) -> None:
    """The kernel writes there: that is said with the fix, and nothing is offered to paste."""
    machine.pi()
    machine.board("ttyS0", "4")
    machine.link("/dev/serial0", "/dev/ttyS0")
    machine.file("/proc/cmdline", f"console=tty1 console={console},115200 root=PARTUUID=1-2 rootwait")
    found = look(machine)["/dev/serial0"]
    assert "raspi-config nonint do_serial_cons 1" in found.note
    assert f"console={console},…" in found.note
    assert found.stanza == ""


def test_a_raspberry_pi_5(machine: Any) -> None:
    """/dev/serial0 is the small connector there; the header's port is another, and off."""
    machine.pi("Raspberry Pi 5 Model B Rev 1.0")
    machine.board("ttyAMA10")
    machine.link("/dev/serial0", "/dev/ttyAMA10")
    found = look(machine)["/dev/ttyAMA10"]
    assert found.what == "the debug connector of a Raspberry Pi 5"
    assert "dtparam=uart0=on" in found.note
    machine.board("ttyAMA0")
    assert look(machine)["/dev/ttyAMA0"].what.startswith("TXD and RXD")


def test_names_without_hardware(machine: Any) -> None:
    """Most of ttyS are only names."""
    machine.board("ttyS0", "4")
    machine.board("ttyS1", "0")
    assert list(look(machine)) == ["/dev/ttyS0"]


def test_no_rights(machine: Any, no_rights: None) -> None:
    """The group and the line to type; what it is, is seen all the same."""
    machine.usb("ttyUSB0", "1-1.2", "0403:6001")
    (found,) = look(machine).values()
    assert "no permission: " in found.note
    assert found.what.startswith("FTDI")


def test_why_there_is_nothing(machine: Any) -> None:
    """No port at all; on a Raspberry Pi how to switch the header's on."""
    (found,) = serial.look(machine.tree)
    assert (found.found, found.what) == (False, "no serial port")
    machine.pi()
    (found,) = serial.look(machine.tree)
    assert (found.found, found.what) == (False, "the header's serial port is off")
    assert "enable_uart=1" in found.note
