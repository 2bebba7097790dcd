"""The page on hardware."""

from __future__ import annotations

import pytest

from gateway.catalog import Catalog
from gateway.known.thing import things
from gateway.testing.hardware_page import interface, page


@pytest.mark.parametrize(
    ("driver", "on"),
    [
        ("bme280", "I2C"),
        ("mfrc522", "SPI"),
        ("gpio", "a pin"),
        ("modbus", "a serial port"),
        ("iio", "the kernel's files"),
        ("command", "a program"),
        ("mock", "nothing"),
    ],
)
def test_interfaces(driver: str, on: str) -> None:
    """What a driver's devices are connected to."""
    found = Catalog().find(driver)
    assert found is not None
    assert found.driver is not None
    assert interface(found.driver) == on


def test_the_page_has_them_all() -> None:
    """Every driver with a link to its page, every name, every address; a broken driver is left out."""
    found = [one for name in Catalog().names() if (one := Catalog().find(name)) is not None]
    text = page(found)
    for one in found:
        assert f"[{one.name}](drivers/{one.name}.md)" in text
    for thing in things():
        assert all(f"`{name}`" in text for name in thing.names)
        assert all(f"`{address:#04x}`" in text for address in thing.addresses)
    assert "none yet; `command`" in text
