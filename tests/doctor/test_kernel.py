"""Chips of the kernel that are not there."""

from __future__ import annotations

import pytest
from support.sickbed import Sickbed, found, only

from gateway.doctor.finding import State
from gateway.doctor.kernel import overlays

CONFIG = "/boot/firmware/config.txt"
DHT22 = '[devices.cellar]\ndriver = "iio"\nchip = "dht11"\n'
SHT31 = '[devices.attic]\ndriver = "hwmon"\nchip = "sht3x"\n'


@pytest.mark.parametrize(
    ("config", "line"),
    [(DHT22, "dtoverlay=dht11,gpiopin=4"), (SHT31, "dtoverlay=i2c-sensor,sht3x,addr=0x44")],
)
def test_the_overlay_is_missing(bed: Sickbed, config: str, line: str) -> None:
    """With the line to add; another chip's overlay is not it."""
    bed.file(CONFIG, "dtoverlay=i2c-sensor,bme680\n#dtoverlay=dht11\n")
    state, text, fix = only(overlays, bed.patient(config))
    assert (state, fix) == (State.PROBLEM, f"echo {line} | sudo tee -a {CONFIG} && sudo reboot")
    assert text.endswith("its overlay is not loaded")
    bed.file(CONFIG, f"{line.rpartition(',')[0]},more=1\n")
    assert "is in /boot/firmware/config.txt" in only(overlays, bed.patient(config))[1]


@pytest.mark.parametrize("name", ["dht11@4", "dht11", "1-0040"])
def test_the_chip_is_there(bed: Sickbed, name: str) -> None:
    """Under its name, with or without its place; where the name is only a place, it may be."""
    bed.file("/sys/bus/iio/devices/iio:device3/name", f"{name}\n")
    assert found(overlays, bed.patient(DHT22)) == []


def test_a_chip_that_nobody_knows_the_overlay_of(bed: Sickbed) -> None:
    """Or a machine without overlays."""
    bed.file("/sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    assert "sensorpost scan" in only(overlays, bed.patient(SHT31.replace("sht3x", "max31722")))[2]
    bed.remove("/proc/device-tree/model")
    assert "sensorpost scan" in only(overlays, bed.patient(SHT31))[2]
    assert found(overlays, bed.patient('[devices.a]\ndriver = "system"\n')) == []
