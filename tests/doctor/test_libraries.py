"""Packages that are missing, in each other's way, or for another machine."""

from __future__ import annotations

import pytest
from support.sickbed import PI5, Sickbed, found, only

from gateway.doctor import libraries
from gateway.doctor.finding import State
from gateway.doctor.patient import Python, has_module, packages

DOOR = '[devices.door]\ndriver = "mfrc522"\n'
ALL = (
    DOOR
    + '[devices.office]\ndriver = "bme280"\n[devices.air]\ndriver = "circuitpython"\nmodule = "adafruit_ccs811"\n'
    + 'class = "CCS811"\naddress = 0x5A\nfields = [{ name = "eco2" }]\n'
)
PIP = "/opt/venv/bin/python -m pip"


def test_what_the_drivers_import(bed: Sickbed) -> None:
    """One finding for a package, with the devices that need it and the line for this environment."""
    bed.probes["has_module"] = lambda _: False
    findings = {finding.fix.rpartition(" ")[2]: finding for finding in libraries.missing(bed.patient(ALL))}
    assert list(findings) == [
        "smbus2",
        "spidev",
        "mfrc522-python",
        "adafruit-circuitpython-ccs811",
        "adafruit-circuitpython-busdevice",
        "adafruit-circuitpython-register",
    ]
    assert "[devices.office], [devices.air] cannot work" in findings["smbus2"].text
    assert findings["mfrc522-python"].fix == f"{PIP} install --no-deps mfrc522-python"
    assert findings["spidev"].fix == f"{PIP} install spidev"


def test_nothing_is_missing(bed: Sickbed) -> None:
    """And what no device needs is not asked for."""
    asked = []
    bed.probes["has_module"] = asked.append
    assert found(libraries.missing, bed.patient('[devices.a]\ndriver = "system"\n')) == []
    assert asked == []


@pytest.mark.parametrize(
    ("package", "fix"),
    [
        ("smbus2", "sudo apt install python3-smbus2"),
        ("mfrc522-python", "venv/bin/pip install --no-deps mfrc522-python"),
    ],
)
def test_a_python_that_pip_must_leave_alone(package: str, fix: str) -> None:
    """PEP 668: Debian's package, else a virtual environment."""
    python = Python("/usr/bin/python3", is_venv=False, is_managed=True)
    assert libraries.install(python, package).endswith(fix)
    assert libraries.install(Python("/p", is_venv=False, is_managed=False), "smbus2") == "/p -m pip install smbus2"


def test_rpi_gpio(bed: Sickbed) -> None:
    """Fine on a Pi 4 alone; not on a Pi 5, and nowhere beside rpi-lgpio."""
    bed.installed(rpi_gpio="0.7.1")
    assert found(libraries.gpio, bed.patient()) == []
    bed.file("/proc/device-tree/model", PI5)
    assert only(libraries.gpio, bed.patient())[2] == f"{PIP} uninstall -y RPi.GPIO && {PIP} install rpi-lgpio"
    bed.installed(rpi_gpio="0.7.1", rpi_lgpio="0.6")
    state, text, fix = only(libraries.gpio, bed.patient())
    assert state is State.PROBLEM
    assert "both installed" in text
    assert fix.endswith("install --force-reinstall rpi-lgpio")
    bed.installed(rpi_lgpio="0.6")
    assert found(libraries.gpio, bed.patient()) == []


def test_two_packages_called_mfrc522(bed: Sickbed) -> None:
    """Both, or the wrong one for the driver."""
    bed.installed(mfrc522="0.0.7", mfrc522_python="0.0.9")
    fix = f"{PIP} uninstall -y mfrc522 mfrc522-python && {PIP} install --no-deps mfrc522-python"
    assert only(libraries.mfrc522, bed.patient())[2] == fix
    bed.installed(mfrc522="0.0.7")
    assert only(libraries.mfrc522, bed.patient(DOOR))[2] == fix
    assert found(libraries.mfrc522, bed.patient()) == []
    bed.installed(mfrc522_python="0.0.9")
    assert found(libraries.mfrc522, bed.patient(DOOR)) == []


def test_this_environment() -> None:
    """Normalised names; modules are found without being imported."""
    assert "paho-mqtt" in packages()
    assert has_module("paho")
    assert not has_module("no_such_module_here")
