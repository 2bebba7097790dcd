"""drivers/ds18b20.py: what the kernel's w1_therm writes, for one sensor and for several."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.vectors import Vector, check_vector, vectors

from drivers.ds18b20 import Ds18b20, parse
from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.testing import DriverHarness, FakeHardware, FakeSysfs

DEVICES = "/sys/bus/w1/devices"
A, B = "28-3c01d6079f4e", "10-000802b5a1c3"
GOOD = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
COLD = "5e ff 4b 46 7f ff 02 10 b6 : crc=b6 YES\n5e ff 4b 46 7f ff 02 10 b6 t=-10125\n"


def bus(**sensors: str) -> FakeSysfs:
    """A bus with these sensors; the text is their ``w1_slave``."""
    files = {f"{DEVICES}/{sensor}/w1_slave": text for sensor, text in sensors.items()}
    return FakeSysfs({f"{DEVICES}/w1_bus_master1/w1_master_slave_count": "1"} | files)


def driver(sysfs: FakeSysfs, **options: Any) -> DriverHarness:
    """The driver on such a bus."""
    return DriverHarness(Ds18b20, hardware=FakeHardware(sysfs=sysfs), **options)


@pytest.mark.parametrize("vector", vectors("ds18b20"))
def test_vectors(vector: Vector) -> None:
    """Every case, in the file that it is from."""
    file = vector["interface"].split()[-1]
    sysfs = FakeSysfs({f"{DEVICES}/{A}/{file}": vector["input"]["text"]})
    with driver(sysfs) as it:
        check_vector(vector, it.read, it.channels)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 05 4b 46 7f ff 10 10 00 : crc=00 YES\n50 05 4b 46 7f ff 10 10 00 t=85000", 85.0),
        ("50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000", "power-on"),
        ("85000", "power-on"),
        ("ff 07 4b 46 7f ff 01 10 00 : crc=00 YES\nff 07 4b 46 7f ff 01 10 00 t=127937", "too little power"),
        ("", "no answer"),
        ("\n", "no answer"),
        ("72 01 4b : crc=57 YES", "this is no temperature"),
        ("-55000", -55.0),
        ("0", 0.0),
    ],
)
def test_traps(text: str, expected: float | str) -> None:
    """What a sensor says without having measured is a bad reading; 0 °C and a real 85 °C are not."""
    if isinstance(expected, float):
        assert parse(text) == expected
    else:
        with pytest.raises(BadReading, match=expected):
            parse(text)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=100), st.text("0123456789abcdef :=YESNOcrt-\n", max_size=100)))
def test_any_text(text: str) -> None:
    """Whatever a file holds is a temperature or a bad reading."""
    with suppress(BadReading):
        assert isinstance(parse(text), float)


@pytest.mark.parametrize("family", ["10", "22", "28", "3b", "42"])
def test_the_only_sensor_needs_no_id(family: str) -> None:
    """Any relative is found; the bus itself, noise and devices of other families are none."""
    sysfs = bus(**{f"{family}-0123456789ab": GOOD, "00-400000000000": "", "29-000000123456": ""})
    with driver(sysfs) as it:
        assert it.read() == {"temperature": 23.125}


def test_which_of_several() -> None:
    """Of two sensors one has to be named, and the message names both."""
    sysfs = bus(**{A: GOOD, B: COLD})
    with pytest.raises(Misconfigured, match=f"{B}, {A}"):
        driver(sysfs).open()
    with driver(sysfs, id=B) as it:
        assert it.read() == {"temperature": -10.125}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no 1-Wire bus"),
        ({f"{DEVICES}/w1_bus_master1/uevent": ""}, "no thermometer"),
        ({f"{DEVICES}/00-400000000000/id": ""}, "noise"),
        ({f"{DEVICES}/{B}/w1_slave": GOOD}, f"no sensor {A}"),
    ],
)
def test_nothing_there(files: dict[str, str], message: str) -> None:
    """Each reason has its words and a hint."""
    with pytest.raises(DeviceUnavailable, match=message) as caught:
        driver(FakeSysfs(files), id=A).open()
    assert caught.value.hint


def test_unplugged_and_back() -> None:
    """First the file is empty, then its folder is gone; the sensor is found again when it is back."""
    sysfs = bus(**{A: GOOD, "22-000000000001": COLD})
    with driver(sysfs, id=A) as it:
        sysfs.files[f"{DEVICES}/{A}/w1_slave"] = ""
        with pytest.raises(BadReading, match=A):
            it.read()
        del sysfs.files[f"{DEVICES}/{A}/w1_slave"]
        with pytest.raises(DeviceUnavailable, match="gone"):
            it.read()
        it.close()
        sysfs.files[f"{DEVICES}/{A}/w1_slave"] = COLD
        it.open()
        assert it.read() == {"temperature": -10.125}


def test_several_in_one_device() -> None:
    """One channel each, null for one that fails; an error only when all do."""
    sysfs = bus(**{A: GOOD, B: COLD})
    with driver(sysfs, sensors={"flow": A, "return_": B}) as it:
        assert it.read() == {"flow": 23.125, "return_": -10.125}
        del sysfs.files[f"{DEVICES}/{A}/w1_slave"]
        assert it.read() == {"flow": None, "return_": -10.125}
        sysfs.files[f"{DEVICES}/{B}/w1_slave"] = ""
        with pytest.raises(BadReading, match=B):
            it.read()


class Master(FakeSysfs):
    """A bus whose sensors can convert all at once, if the user may say so."""

    allowed = True
    busy = 2

    def read(self, path: str) -> str:
        """-1 while they convert."""
        if path.endswith("therm_bulk_read") and self.busy:
            self.busy -= 1
            return "-1"
        return super().read(path)

    def write(self, path: str, text: str) -> None:
        """Only root may, where no rule says otherwise."""
        if not self.allowed:
            raise DeviceUnavailable(f"cannot write {path}: Permission denied")
        super().write(path, text)


def test_several_convert_at_once() -> None:
    """The kernel is asked once for each reading and waited for; where that is forbidden each sensor takes its time."""
    file = f"{DEVICES}/w1_bus_master1/therm_bulk_read"
    on_bus = {f"{DEVICES}/w1_bus_master1/{sensor}/id": "" for sensor in (A, B)}
    sysfs = Master(bus(**{A: GOOD, B: COLD}).files | on_bus | {file: "0"})
    with driver(sysfs, sensors={"flow": A, "back": B}) as it:
        assert it.read() == {"flow": 23.125, "back": -10.125}
        assert it.time.now == 0.5
        assert sysfs.written == [(file, "trigger\n")]
        sysfs.allowed = False
        assert it.read() == {"flow": 23.125, "back": -10.125}
    with driver(sysfs, id=A) as it:
        sysfs.allowed = True
        it.read()
        assert len(sysfs.written) == 1


@pytest.mark.parametrize(
    "options", [{"id": A, "sensors": {"x": B}}, {"sensors": {"x": "28-nonsense"}}, {"sensors": {"Not a name": A}}]
)
def test_refused(options: dict[str, Any]) -> None:
    """What cannot be meant is found without any hardware."""
    with pytest.raises(Misconfigured):
        driver(bus(), **options)
