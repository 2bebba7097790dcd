"""gateway/config/collisions.py: two devices at one place."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.workshop import Workshop

from gateway.catalog import Catalog
from gateway.config.collisions import places_of
from gateway.driver import NoOptions

DRIVERS = {
    "air": ("I2COptions", "", "    address: int = option(0x76, help='where')\n"),
    "tags": ("SPIOptions", "", ""),
    "door": ("GPIOOptions", "", "    led_pin: int | None = option(None, help='a light')\n"),
    "scale": ("SerialOptions", "", ""),
    "modbus": ("SerialOptions", "    shares_port = True\n", "    unit: int = option(1, help='which')\n"),
}
FILE = '''"""Measures something."""

from gateway.driver import Channel, Driver, {base}, option, options


@options
class Options({base}):
    """Where it is."""

{more}

class One(Driver[Options]):
    options_type = Options
    channels = (Channel("value"),)
{shares}
    def read(self):
        return None
'''


@pytest.fixture
def site(workshop: Workshop, tmp_path: Path) -> Workshop:
    """With a driver for each kind of place."""
    folder = tmp_path / "drivers"
    folder.mkdir()
    for name, (base, shares, more) in DRIVERS.items():
        (folder / f"{name}.py").write_text(FILE.format(base=base, shares=shares, more=more))
    return dataclasses.replace(workshop, drivers=folder, catalog=Catalog(folder))


def two(first: str, second: str) -> str:
    """A configuration of two devices."""
    return f"[devices.one]\n{first}\n[devices.two]\n{second}\n"


@pytest.mark.parametrize(
    ("first", "second", "mistake"),
    [
        (
            'driver = "air"',
            'driver = "air"\naddress = 0x76',
            (
                "sensorpost.toml:5: devices.two.address: address 0x76 on I2C bus 1 is that of one already; "
                "each device has a place of its own"
            ),
        ),
        (
            'driver = "air"\nmux = 0x70\nmux_channel = 3',
            'driver = "air"\nmux = 0x70\nmux_channel = 3',
            (
                "sensorpost.toml:5: devices.two.address: address 0x76 on I2C bus 1 behind channel 3 of 0x70 is that of "
                "one already; each device has a place of its own"
            ),
        ),
        (
            'driver = "tags"',
            'driver = "tags"\ndevice = 0',
            (
                "sensorpost.toml:5: devices.two.device: chip select 0 of SPI bus 0 is that of one already; "
                "each device has a place of its own"
            ),
        ),
        (
            'driver = "door"\npin = 4',
            'driver = "door"\npin = 5\nled_pin = 4',
            "sensorpost.toml:7: devices.two.led_pin: GPIO 4 is that of one already; each device has a place of its own",
        ),
        (
            'driver = "modbus"\nport = "/dev/x"',
            'driver = "scale"\nport = "/dev/x"',
            (
                "sensorpost.toml:6: devices.two.port: port /dev/x is that of one already, and scale does not share its "
                "port; a port serves one device, but for those of one driver on one line, such as Modbus"
            ),
        ),
        (
            'driver = "modbus"\nport = "/dev/x"',
            'driver = "modbus"\nport = "/dev/x"\nbaudrate = 2400',
            (
                "sensorpost.toml:6: devices.two.port: port /dev/x is shared with one at 9600 8 N 1, and here it is "
                "2400 8 N 1; devices on one line have the same baudrate, bytesize, parity, stopbits"
            ),
        ),
    ],
    ids=["i2c", "mux", "spi", "pin", "port", "line"],
)
def test_refused(site: Workshop, first: str, second: str, mistake: str) -> None:
    """Where, what, and both names."""
    assert site.mistakes(two(first, second)) == [mistake]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('driver = "air"', 'driver = "air"\naddress = 0x77'),
        ('driver = "air"', 'driver = "air"\nbus = 3'),
        ('driver = "air"\nmux = 0x70\nmux_channel = 2', 'driver = "air"\nmux = 0x70\nmux_channel = 3'),
        ('driver = "tags"', 'driver = "tags"\ndevice = 1'),
        ('driver = "air"\nbus = 0', 'driver = "tags"'),
        ('driver = "door"\npin = 4', 'driver = "door"\npin = 5'),
        ('driver = "scale"\nport = "/dev/x"', 'driver = "scale"\nport = "/dev/y"'),
        ('driver = "modbus"\nport = "/dev/x"', 'driver = "modbus"\nport = "/dev/x"\nunit = 2'),
        ('driver = "scale"\nport = "/dev/x"', 'driver = "scale"\nport = "/dev/x"\nenabled = false'),
    ],
)
def test_side_by_side(site: Workshop, first: str, second: str) -> None:
    """Different places, a port that both share, a device that is switched off."""
    assert len(site.load(two(first, second)).devices) == 2


def test_two_names_of_one_port(site: Workshop, tmp_path: Path) -> None:
    """A link in by-id and what it leads to."""
    (tmp_path / "by-id").symlink_to("/dev/null")
    text = two(f'driver = "scale"\nport = "{tmp_path}/by-id"', 'driver = "scale"\nport = "/dev/null"')
    assert "port /dev/null is that of one already" in site.mistakes(text)[0]


@pytest.mark.parametrize("options", [{"port": 1883}, {"bus": None, "address": 3}, {"address": 3}, {"device": "x"}])
def test_nowhere(options: dict[str, Any]) -> None:
    """Options with these names that mean something else."""
    assert list(places_of(SimpleNamespace(**options))) == []
    assert list(places_of(NoOptions())) == []
