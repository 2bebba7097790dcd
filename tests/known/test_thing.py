"""What people call things, and that the way that is shown works."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from gateway.catalog import Catalog
from gateway.config.load import loads
from gateway.known.thing import Thing, called, names, plain, things

ASKED = (
    "dht22 am2302 dht11 rc522 mfrc-522 ads1115 ads1015 bmp280 bme680 bmp180 sht31 sht3x sht4x aht20 bh1750 scd40 "
    "scd41 scd30 sgp30 ccs811 ina219 veml7700 tsl2561 mpu6050 vl53l0x max31855 mcp3008 ds18s20 pms7003 pmsa003 "
    "sds011 mh_z19 hx711 hcsr04 pir button reed relay rtl_433 sdm120 sdm630 pzem004t senseair_s8 p1 dsmr id12la "
    "rdm630 ws1850 rfid2 arduino gps "
)
"""As people look for them."""


def title(thing: Thing) -> str:
    """For the names of tests."""
    return thing.names[0]


@pytest.mark.parametrize("thing", [thing for thing in things() if thing.driver], ids=title)
def test_a_stanza_is_valid(thing: Thing) -> None:
    """It can be pasted as it stands, and is of the driver that is named."""
    (device,) = loads(thing.stanza(), strict=True).devices
    assert device.driver == thing.driver


@pytest.mark.parametrize("thing", [thing for thing in things() if thing.addresses and thing.driver], ids=title)
def test_a_stanza_says_where(thing: Thing) -> None:
    """The bus and the address of an I2C chip, unless the kernel keeps them."""
    (device,) = loads(thing.stanza(bus=3, address=thing.addresses[-1]), strict=True).devices
    if thing.driver in ("iio", "hwmon", "command"):
        assert not hasattr(device.options, "address")
    else:
        assert (device.options.bus, device.options.address) == (3, thing.addresses[-1])


@pytest.mark.parametrize("name", ASKED.split())
def test_a_name_that_is_often_asked_for(name: str) -> None:
    """It is a driver, or there is an answer that says which driver or why none."""
    thing = called(name)
    if thing is None:
        assert Catalog().find(name) is not None
    else:
        assert thing.driver or thing.note
        assert thing.title in thing.way()


def test_how_a_name_is_written_does_not_matter() -> None:
    """Capitals, hyphens and underscores say nothing."""
    assert called("MH-Z19") is called("mhz19") is called("mh_z19")
    assert called("MH-Z19") is not None
    assert called("no such thing") is None


def test_no_name_means_two_things() -> None:
    """Each name is in the table once, however it is written."""
    assert [name for name, times in Counter(map(plain, names())).items() if times > 1] == []


def test_what_the_kernel_needs_is_said() -> None:
    """Every thing that the kernel looks after has its line for config.txt, with the address where it has several."""
    for thing in things():
        if thing.driver in ("iio", "hwmon"):
            assert re.fullmatch(r"[a-z0-9-]+(,addr=\{address\}|,[a-z0-9=_-]+)*", thing.overlay), thing.names
            assert thing.kernels_name
    bh1750 = called("bh1750")
    assert bh1750 is not None
    assert "dtoverlay=i2c-sensor,bh1750,addr=0x5c in" in bh1750.needs(address=0x5C)


def test_what_a_library_is_called_is_said() -> None:
    """Every thing that a library of Adafruit's reads names the package that has its module."""
    for thing in things():
        if thing.driver == "circuitpython":
            module = re.search(r'module = "(\w+)', thing.options)
            assert module is not None
            assert thing.library == "adafruit-circuitpython-" + module[1].removeprefix("adafruit_")


def test_an_honest_no() -> None:
    """What no driver reads yet is not told to be served."""
    thing, relay = called("sds011"), called("relay")
    assert thing is not None
    assert relay is not None
    assert "no driver reads it yet; the nearest way is the driver command" in thing.way()
    assert "no driver reads it;" in relay.way()
    assert relay.stanza() == ""
    assert (thing.is_served, relay.is_served) == (False, False)
