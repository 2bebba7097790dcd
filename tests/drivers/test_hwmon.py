"""drivers/hwmon.py: the files of kernel drivers, and how a chip is found among them."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.hwmon import CHIPS, Hwmon
from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.testing import DriverHarness, FakeHardware, FakeSysfs

DEVICES = "/sys/class/hwmon"


class Kernel(FakeSysfs):
    """Files, of which some are there but fail."""

    failing: frozenset[str] = frozenset()

    def read(self, path: str) -> str:
        """As the real one when the chip does not answer."""
        if path.rpartition("/")[2] in self.failing:
            raise DeviceUnavailable(f"cannot read {path}: Remote I/O error")
        return super().read(path)


def kernel(*devices: dict[str, str]) -> Kernel:
    """Hwmon devices by number."""
    return Kernel({f"{DEVICES}/hwmon{n}/{f}": text for n, files in enumerate(devices) for f, text in files.items()})


def driver(sysfs: FakeSysfs, **options: Any) -> DriverHarness:
    """The driver on such a kernel."""
    return DriverHarness(Hwmon, hardware=FakeHardware(sysfs=sysfs), **options)


SHT = {"name": "sht3x\n", "temp1_input": "-1250\n", "humidity1_input": "45600\n"}
PC = {
    "name": "coretemp",
    "temp1_label": "Core 0",
    "temp1_input": "41000",
    "temp2_label": "Package id 0",
    "temp2_input": "43000",
    "fan1_input": "1200",
    "in0_input": "1032",
}


def test_known_chips() -> None:
    """Each known chip needs nothing but its name; one that is not known is taken for a thermometer."""
    for chip, inputs in CHIPS.items():
        assert [channel.name for channel in driver(kernel(), chip=chip).channels] == list(inputs)
    with driver(kernel(SHT), chip="sht3x") as it:
        assert it.read() == {"temperature": -1.25, "humidity": 45.6}
    with driver(kernel(PC), chip="coretemp") as it:
        assert it.read() == {"temperature": 41.0}


@pytest.mark.parametrize(
    ("source", "text", "expected", "unit"),
    [
        ("temp3", "23100", 23.1, "°C"),
        ("in0", "3304", 3.304, "V"),
        ("curr1", "-250", -0.25, "A"),
        ("power1", "12500000", 12.5, "W"),
        ("energy1", "7200000000", 2.0, "kWh"),
        ("humidity1", "45600", 45.6, "%"),
        ("fan2", "1200", 1200.0, "rpm"),
        ("freq1", "60000000", 60e6, "Hz"),
    ],
)
def test_units(source: str, text: str, expected: float, unit: str) -> None:
    """The kernel's units become those of Home Assistant's device classes."""
    with driver(kernel({"name": "x", f"{source}_input": text}), chip="x", inputs={"value": source}) as it:
        assert it.read() == {"value": expected}
        assert it.channels[0].unit == unit


def test_by_label() -> None:
    """What an input is called finds it under any number."""
    inputs = {"cpu": "temp:Package id 0", "fan": "fan1"}
    with driver(kernel(PC), chip="coretemp", inputs=inputs) as it:
        assert it.read() == {"cpu": 43.0, "fan": 1200.0}


def test_a_chip_that_fails() -> None:
    """Its own fault bit is null, no answer a bad reading, and so is what is no number."""
    sysfs = kernel(SHT)
    with driver(sysfs, chip="sht3x") as it:
        sysfs.failing = frozenset({"temp1_input"})
        with pytest.raises(BadReading, match="Remote I/O"):
            it.read()
        sysfs.failing = frozenset()
        sysfs.files[f"{DEVICES}/hwmon0/temp1_fault"] = "1\n"
        assert it.read() == {"temperature": None, "humidity": 45.6}
        sysfs.files[f"{DEVICES}/hwmon0/temp1_fault"] = "0\n"
        sysfs.files[f"{DEVICES}/hwmon0/humidity1_input"] = ""
        with pytest.raises(BadReading, match="no number"):
            it.read()


def test_found_again_under_another_number() -> None:
    """After unplugging and in another order at the next start it is still the same chip."""
    sysfs = kernel(SHT)
    with driver(sysfs, chip="sht3x") as it:
        sysfs.files = kernel(PC, SHT).files
        with pytest.raises(DeviceUnavailable, match="another chip"):
            it.read()
        it.reopen()
        assert it.read() == {"temperature": -1.25, "humidity": 45.6}
        sysfs.files = {}
        with pytest.raises(DeviceUnavailable, match="No such file"):
            it.read()


def test_two_chips_with_one_name() -> None:
    """They are told apart by the folder of their bus; without it the message names the folders."""
    sysfs = kernel(SHT, SHT | {"temp1_input": "5000"})
    with pytest.raises(Misconfigured, match="2 chips"):
        driver(sysfs, chip="sht3x").open()
    for number, bus in enumerate(("1-0044", "1-0045")):
        for file, text in list(sysfs.files.items()):
            start = f"{DEVICES}/hwmon{number}/"
            if file.startswith(start):
                sysfs.files[f"/sys/bus/i2c/devices/{bus}/hwmon/hwmon{number}/{file[len(start) :]}"] = text
    with pytest.raises(Misconfigured) as caught:
        driver(sysfs, chip="sht3x").open()
    assert "/sys/bus/i2c/devices/1-0044, /sys/bus/i2c/devices/1-0045" in caught.value.hint
    with driver(sysfs, chip="sht3x", path="/sys/bus/i2c/devices/1-0045") as it:
        assert it.read() == {"temperature": 5.0, "humidity": 45.6}


@pytest.mark.parametrize(
    ("devices", "options", "hint"),
    [
        ([], {"chip": "lm75"}, "none"),
        ([PC], {"chip": "lm75", "path": "/sys/bus/i2c/devices/1-0048"}, "none"),
        ([PC], {"chip": "lm75"}, "coretemp"),
        ([PC], {"chip": "coretemp", "inputs": {"x": "temp7"}}, "fan1, in0, temp1, temp2"),
        ([PC], {"chip": "coretemp", "inputs": {"x": "temp:Core 9"}}, "fan1, in0, temp1, temp2"),
    ],
)
def test_not_there(devices: list[dict[str, str]], options: dict[str, Any], hint: str) -> None:
    """What is missing is said with what there is."""
    with pytest.raises(DeviceUnavailable) as caught:
        driver(kernel(*devices), **options).open()
    assert hint in caught.value.hint


@pytest.mark.parametrize("inputs", [{"x": "pwm1"}, {"x": "temp"}, {"x": ":Core 0"}, {"Not a name": "temp1"}])
def test_refused(inputs: dict[str, str]) -> None:
    """Inputs are what hwmon has, and names what a channel can have."""
    with pytest.raises(Misconfigured):
        driver(kernel(), chip="x", inputs=inputs)
