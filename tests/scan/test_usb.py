"""What a serial port on USB could be."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.catalog import Catalog
from gateway.scan.usb import CHIPS, Adapter, adapter, guess


@pytest.mark.parametrize(
    ("ids", "product", "name", "first"),
    [
        ("1a86:7523", "USB Serial", "CH340", "serial_line"),
        ("0403:6001", "FT232R USB UART", "FTDI", "dsmr_p1"),
        ("0403:6001", "USB-RS485 Cable", "FTDI", "modbus"),
        ("10c4:ea60", "CP2102 USB to UART", "CP210x", "serial_line"),
        ("067b:2303", "P1 Smart Meter cable", "PL2303", "dsmr_p1"),
        ("2341:0043", "", "Arduino", "serial_line"),
        ("2e8a:0005", "Board in FS mode", "Raspberry Pi Pico", "serial_line"),
        ("1546:01a7", "u-blox 7 - GPS/GNSS Receiver", "u-blox", "command"),
        ("1234:5678", "Thing", "USB serial port", "serial_line"),
        ("10c4:ea60", "Sonoff Zigbee 3.0", "CP210x", None),
        ("1cf1:0030", "", "Zigbee", None),
    ],
)
def test_guesses(ids: str, product: str, name: str, first: str | None) -> None:
    """By the numbers of the chip; what the product calls itself is surer."""
    what, drivers = guess(Adapter(ids, product, "", "00"))
    assert what.startswith(name)
    assert (drivers or (None,))[0] == first


def test_every_driver_exists() -> None:
    """None is named that there is not."""
    assert {driver for _, drivers in CHIPS.values() for driver in drivers} <= set(Catalog().names())


def test_the_device_above_a_port(machine: Any) -> None:
    """Its numbers, its name and its serial number, and the interface that tells two ports of one stick apart."""
    machine.usb("ttyUSB0", "1-1.2", "0403:6011", manufacturer="FTDI", product="Quad", serial="FT1")
    assert adapter(machine.tree, "ttyUSB0") == Adapter("0403:6011", "FTDI Quad", "FT1", "00")
    machine.board("ttyAMA0")
    assert adapter(machine.tree, "ttyAMA0") is None
    assert adapter(machine.tree, "ttyUSB9") is None
