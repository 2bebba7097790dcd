"""gateway/units.py: which pairs exist, and how units convert."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.device_classes import BINARY, SENSOR
from gateway.units import check_pair, converter, convertible, state_class_of, unit_in_home_assistant

# From the definitions of the units, not from our table.
FACTS = [
    (0, "°C", 32, "°F"),
    (-40, "°C", -40, "°F"),
    (25, "°C", 298.15, "K"),
    (212, "°F", 373.15, "K"),
    (1013.25, "hPa", 760, "mmHg"),
    (1, "bar", 14.5037738, "psi"),
    (29.92126, "inHg", 1013.25, "mbar"),
    (100, "km/h", 62.1371192, "mph"),
    (1, "kn", 1.852, "km/h"),
    (24, "mm/d", 1, "mm/h"),
    (1, "mi", 1.609344, "km"),
    (1, "nmi", 1852, "m"),
    (3, "ft", 1, "yd"),
    (1, "ha", 10_000, "m²"),
    (640, "ac", 1, "mi²"),
    (1, "gal", 128, "fl. oz."),
    (1, "m³", 35.3146667, "ft³"),
    (1, "CCF", 100, "ft³"),
    (60, "L/min", 3.6, "m³/h"),
    (1000, "mL/s", 60, "L/min"),
    (1, "lb", 16, "oz"),
    (1, "st", 6.35029318, "kg"),
    (1, "kWh", 3.6, "MJ"),
    (1, "kcal", 4184, "J"),
    (1, "TW", 1e6, "MW"),
    (1, "A", 1000, "mA"),
    (1, "V", 1e6, "µV"),
    (1, "GHz", 1e6, "kHz"),
    (1, "d", 1440, "min"),
    (1, "s", 1e6, "µs"),
    (1, "s", 1e6, "μs"),
    (1, "MiB", 1_048_576, "B"),
    (1, "YB", 1e24, "B"),
    (1, "MB/s", 8, "Mbit/s"),
    (1, "ppm", 1000, "ppb"),
    (1, "mS/cm", 1000, "µS/cm"),
]


@pytest.mark.parametrize(("value", "unit", "expected", "other"), FACTS)
def test_conversions(value: float, unit: str, expected: float, other: str) -> None:
    """Known pairs, there and back."""
    there, back = converter(unit, other), converter(other, unit)
    assert there is not None
    assert back is not None
    assert there(value) == pytest.approx(expected, rel=1e-6)
    assert back(there(value)) == pytest.approx(value)


def test_units_of_different_kinds_do_not_convert() -> None:
    """Nor does what is not linear, or not known; a unit always converts to itself."""
    for unit, other in (("°C", "hPa"), ("m", "m²"), ("Beaufort", "m/s"), ("kWh", "kW"), ("widgets", "m"), ("s", "m")):
        assert converter(unit, other) is None
    same = converter("widgets", "widgets")
    assert same is not None
    assert same(3) == 3.0


@given(st.floats(-1e6, 1e6), st.sampled_from(["°C", "°F", "K"]), st.sampled_from(["°C", "°F", "K"]))
def test_temperatures_round_trip(value: float, unit: str, other: str) -> None:
    """No drift beyond rounding."""
    there, back = converter(unit, other), converter(other, unit)
    assert there is not None
    assert back is not None
    assert back(there(value)) == pytest.approx(value, abs=1e-6)


def test_every_unit_of_a_device_class_converts_within_it() -> None:
    """Where Home Assistant knows several units of one class, we convert between them, but for those not linear."""
    not_linear = {"Beaufort", "kWh/100km", "mi/kWh", "km/kWh", "mg/dL", "mmol/L", "dB", "dBm", "dBA"}
    for units in SENSOR.values():
        usual = [unit for unit in units if unit is not None and unit not in not_linear]
        for unit in usual[1:]:
            assert converter(usual[0], unit) is not None, (usual[0], unit)


def test_convertible_units_stay_in_the_device_class() -> None:
    """Rain in metres would be refused by Home Assistant."""
    assert convertible("°C", "temperature") == ["K", "°C", "°F"]
    assert convertible("mm", "precipitation") == ["mm", "cm", "in"]
    assert "km" in convertible("mm")
    assert convertible("%", "humidity") == ["%"]
    assert convertible("widgets") == ["widgets"]


@pytest.mark.parametrize(
    ("type_", "unit", "device_class"),
    [
        (float, "°C", "temperature"),
        (float, "widgets", None),
        (float, None, None),
        (float, None, "ph"),
        (float, "µg/m³", "pm25"),
        (float, "μg/m³", "pm25"),
        (float, "EUR", "monetary"),
        (bool, None, "door"),
        (bool, None, None),
        (str, None, "enum"),
        (str, None, None),
    ],
)
def test_pairs_that_exist(type_: type, unit: str | None, device_class: str | None) -> None:
    """A unit without a device class is always fine; both signs for micro are."""
    check_pair("x", type_, unit, device_class)


@pytest.mark.parametrize(
    ("type_", "unit", "device_class", "message"),
    [
        (float, "C", "temperature", "channel 'x': temperature does not go with the unit 'C'; allowed: °C, °F, K"),
        (float, None, "humidity", "channel 'x': humidity does not go with no unit; allowed: %"),
        (float, "pH", "ph", "channel 'x': ph does not go with the unit 'pH'; allowed: no unit"),
        (float, "%", "humidty", "no device class 'humidty' for numbers; did you mean 'humidity'?"),
        (float, None, "door", "no device class 'door' for numbers"),
        (bool, None, "temperature", "no device class 'temperature' for true and false"),
        (str, None, "motion", "no device class 'motion' for text"),
        (bool, "V", None, "channel 'x': only numbers have a unit, not bool"),
        (float, "", None, "channel 'x': a unit has 1 to 20 printable characters, not ''"),
        (float, "x" * 21, None, "a unit has 1 to 20 printable characters"),
        (float, " °C", None, "a unit has 1 to 20 printable characters"),
    ],
)
def test_pairs_that_do_not(type_: type, unit: str | None, device_class: str | None, message: str) -> None:
    """Refused with what is allowed, while the driver is imported."""
    with pytest.raises(ValueError, match=re.escape(message)):
        check_pair("x", type_, unit, device_class)


def test_the_table_is_whole() -> None:
    """As many classes as Home Assistant 2025.4 has: 52 of numbers with a fixed unit and 28 of true and false."""
    assert (len(SENSOR), len(BINARY)) == (52, 28)


@pytest.mark.parametrize(
    ("device_class", "declared", "expected"),
    [
        (None, None, "measurement"),
        ("temperature", None, "measurement"),
        ("energy", None, "total_increasing"),
        ("energy", "total", "total"),
        ("monetary", None, "total"),
        ("wind_direction", None, "measurement_angle"),
        (None, "none", None),
    ],
)
def test_state_class_of(device_class: str | None, declared: str | None, expected: str | None) -> None:
    """What is declared, else what such numbers nearly always are."""
    assert state_class_of(device_class, declared) == expected


@pytest.mark.parametrize("device_class", SENSOR)
def test_every_device_class_has_a_state_class(device_class: str) -> None:
    """None is forgotten in the second table."""
    assert state_class_of(device_class, None) is not None


def test_units_are_written_as_home_assistant_writes_them() -> None:
    """There are two micro signs, and Home Assistant has both in its table."""
    assert unit_in_home_assistant("\u03bcg/m³", "pm25") == "\u00b5g/m³"
    assert unit_in_home_assistant("\u00b5s", "duration") == "\u03bcs"
    assert unit_in_home_assistant("#/cm³", None) == "#/cm³"
    assert unit_in_home_assistant(None, "aqi") is None
