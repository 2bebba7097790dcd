"""drivers/bme280.py: registers of both chips, and what is no measurement."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.vectors import Vector, check_vector, vectors

from drivers.bme280 import Bme280, decode, parse_trims
from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.testing import DriverHarness, FakeHardware, FakeI2C

TRIMS = bytes.fromhex("706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c67017004b")
TRIMS_H = bytes.fromhex("6a01001329031e")
DATA = bytes.fromhex("655ac07eed007530")
BME = {0xD0: 0x60, 0x88: TRIMS, 0xE1: TRIMS_H, 0xF3: 0, 0xF7: DATA}
BMP = {0xD0: 0x58, 0x88: TRIMS[:24], 0xF3: 0, 0xF7: DATA[:6]}


def driver(fake: FakeI2C, /, **options: Any) -> DriverHarness:
    """The driver with this chip at 0x76."""
    return DriverHarness(Bme280, hardware=FakeHardware(i2c={(1, 0x76): fake}), **options)


@pytest.mark.parametrize("vector", vectors("bme280", "bmp280"))
def test_vectors(vector: Vector) -> None:
    """Every case, from the id to the values."""
    registers = {int(address, 16): bytes.fromhex(text) for address, text in vector["input"]["registers"].items()}
    it = driver(FakeI2C(registers))

    def read() -> Any:
        with it:
            return it.read()

    check_vector(vector, read, it.channels)


def test_as_adafruit_has_it() -> None:
    """The values that adafruit_bme280 gives on the same registers (executed); it rounds the temperature on the way."""
    values = decode(DATA, parse_trims(TRIMS, TRIMS_H))
    assert values["temperature"] == pytest.approx(25.082421875, abs=1 / 5120)
    assert values["pressure"] == pytest.approx(1006.5325814481472, rel=1e-12)
    assert values["humidity"] == pytest.approx(55.000712804837015, rel=1e-9)


def test_nibbles_of_the_humidity_calibration() -> None:
    """h4 and h5 share a byte and have a sign."""
    trims = parse_trims(TRIMS, bytes.fromhex("6a0100f3291580"))
    assert trims.h == (75, 362, 0, -199, 338, -128)
    assert parse_trims(TRIMS, TRIMS_H).h == (75, 362, 0, 313, 50, 30)


def test_measures_once_for_each_reading() -> None:
    """Humidity is switched on before the measurement is started, and it is waited for."""
    chip = FakeI2C(BME)
    with driver(chip) as it:
        chip.sent.clear()
        it.read()
    assert chip.sent == [b"\xf2\x01", b"\xf4\x25", b"\xf3", b"\xf7"]
    assert it.time.now == 0.01


def test_a_bmp280() -> None:
    """It has no humidity: null, or left out when the configuration says what it is."""
    with driver(FakeI2C(BMP)) as it:
        assert it.read() == {
            "temperature": pytest.approx(25.0825, abs=1e-4),
            "pressure": pytest.approx(1006.53258),
            "humidity": None,
        }
    with driver(FakeI2C(BMP), chip="bmp280") as it:
        assert it.read() == {"temperature": pytest.approx(25.0825, abs=1e-4), "pressure": pytest.approx(1006.53258)}


@pytest.mark.parametrize(
    ("found", "options", "error", "message"),
    [
        (0x58, {"chip": "bme280"}, Misconfigured, "this is a BMP280"),
        (0x60, {"chip": "bmp280"}, Misconfigured, "this is a BME280"),
        (0x61, {}, Misconfigured, "BME680"),
        (0xFF, {}, DeviceUnavailable, "0xff instead of 0x60 or 0x58"),
        (0x00, {}, DeviceUnavailable, "0x00 instead of 0x60 or 0x58"),
    ],
)
def test_another_chip(found: int, options: dict[str, Any], error: type[Exception], message: str) -> None:
    """What is there instead is named; what may be a bad contact is tried again."""
    with pytest.raises(error, match=message):
        driver(FakeI2C(BME | {0xD0: found}), **options).open()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("8000007eed007530", "nothing was measured"),
        ("655ac08000007530", "nothing was measured"),
        ("655ac07eed008000", "nothing was measured"),
        ("0000000000000000", "no measurement"),
        ("ffffffffffffffff", "no measurement"),
    ],
)
def test_registers_that_hold_no_measurement(data: str, message: str) -> None:
    """After a loss of power they decode to something plausible: that is a bad reading."""
    chip = FakeI2C(BME)
    with driver(chip) as it:
        chip.registers.update(enumerate(bytes.fromhex(data), 0xF7))
        with pytest.raises(BadReading, match=message):
            it.read()


def test_a_chip_that_does_not_get_ready() -> None:
    """Waiting for a measurement, or for the start, ends."""
    chip = FakeI2C(BME)
    with driver(chip) as it:
        chip.registers[0xF3] = 0x08
        with pytest.raises(BadReading, match="goes on measuring"):
            it.read()
        assert it.time.now < 0.1
    chip.registers[0xF3] = 0x01
    with pytest.raises(BadReading, match="goes on starting"):
        it.open()


def test_no_calibration() -> None:
    """All bits set, or none, is a bad contact."""
    for byte in (b"\0", b"\xff"):
        with pytest.raises(DeviceUnavailable, match="calibration"):
            driver(FakeI2C(BME | {0x88: byte * 26})).open()


def test_pressure_without_result() -> None:
    """A calibration that makes the formula divide by zero gives null instead of a crash."""
    assert decode(DATA, parse_trims(TRIMS[:6] + b"\0\0" + TRIMS[8:], None))["pressure"] is None


@settings(deadline=None)
@given(st.binary(min_size=8, max_size=8), st.binary(min_size=26, max_size=26), st.binary(min_size=7, max_size=7))
def test_any_registers(data: bytes, trims: bytes, trims_h: bytes) -> None:
    """Whatever a chip says, the formulas give numbers or there is an error."""
    try:
        values = decode(data, parse_trims(trims, trims_h))
    except (BadReading, DeviceUnavailable):
        return
    assert all(value is None or isinstance(value, float) for value in values.values())


def test_unplugged_and_back() -> None:
    """The chip is asked for its calibration again, since it may be another one."""
    chip = FakeI2C(BME)
    with driver(chip) as it:
        chip.unplug()
        with pytest.raises(DeviceUnavailable):
            it.read()
        chip.plug_in()
        it.reopen()
        assert b"\x88" in chip.sent[-4:]
        assert it.read() is not None
