"""Units and device classes: which pairs exist, and how to convert."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from gateway.device_classes import BINARY, HOME_ASSISTANT, PLAIN_STATE_CLASSES, SENSOR, STATE_CLASSES, TEXT

LONGEST_UNIT = 20

_INCH, _FOOT, _MILE = 0.0254, 0.3048, 1609.344
_GALLON = 3.785411784  # litres; the one of the United States, as Home Assistant means it
_POUND = 453.59237

# Units of one kind, each with its size in the kind's first unit. Temperatures also have a zero: see _ZERO.
_KINDS: tuple[dict[str, float], ...] = (
    {"K": 1.0, "°C": 1.0, "°F": 5 / 9},
    {"Pa": 1.0, "hPa": 100.0, "kPa": 1000.0, "bar": 1e5, "cbar": 1000.0, "mbar": 100.0}
    | {"mmHg": 133.322387415, "inHg": 3386.38864034, "psi": 6894.757293168},
    {"m/s": 1.0, "km/h": 1 / 3.6, "mph": _MILE / 3600, "kn": 1852 / 3600, "ft/s": _FOOT, "in/s": _INCH}
    | {"mm/s": 1e-3, "mm/h": 1e-3 / 3600, "mm/d": 1e-3 / 86400, "in/h": _INCH / 3600, "in/d": _INCH / 86400},
    {"m": 1.0, "mm": 1e-3, "cm": 1e-2, "km": 1e3}
    | {"in": _INCH, "ft": _FOOT, "yd": 3 * _FOOT, "mi": _MILE, "nmi": 1852.0},
    {"m²": 1.0, "cm²": 1e-4, "km²": 1e6, "mm²": 1e-6, "ha": 1e4, "ac": 4046.8564224}
    | {"in²": _INCH**2, "ft²": _FOOT**2, "yd²": (3 * _FOOT) ** 2, "mi²": _MILE**2},
    {"L": 1.0, "mL": 1e-3, "m³": 1e3, "ft³": 1e3 * _FOOT**3, "CCF": 1e5 * _FOOT**3}
    | {"gal": _GALLON, "fl. oz.": _GALLON / 128},
    {"L/min": 1.0, "mL/s": 0.06, "m³/h": 1e3 / 60} | {"ft³/min": 1e3 * _FOOT**3, "gal/min": _GALLON},
    {"g": 1.0, "kg": 1e3, "mg": 1e-3, "µg": 1e-6, "oz": _POUND / 16, "lb": _POUND, "st": 14 * _POUND},
    {"J": 1.0, "kJ": 1e3, "MJ": 1e6, "GJ": 1e9, "cal": 4.184, "kcal": 4.184e3, "Mcal": 4.184e6, "Gcal": 4.184e9}
    | {"mWh": 3.6, "Wh": 3.6e3, "kWh": 3.6e6, "MWh": 3.6e9, "GWh": 3.6e12, "TWh": 3.6e15},
    {"W": 1.0, "mW": 1e-3, "kW": 1e3, "MW": 1e6, "GW": 1e9, "TW": 1e12},
    {"A": 1.0, "mA": 1e-3},
    {"V": 1.0, "mV": 1e-3, "µV": 1e-6, "kV": 1e3, "MV": 1e6},
    {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9},
    {"s": 1.0, "ms": 1e-3, "μs": 1e-6, "min": 60.0, "h": 3600.0, "d": 86400.0},
    {"bit": 1.0, "kbit": 1e3, "Mbit": 1e6, "Gbit": 1e9}
    | {f"{prefix}B": 8 * 1000.0**power for power, prefix in enumerate(["", *"kMGTPEZY"])}
    | {f"{prefix}iB": 8 * 1024.0**power for power, prefix in enumerate("KMGTPEZY", 1)},
    {"bit/s": 1.0, "kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9}
    | {"B/s": 8.0, "kB/s": 8e3, "MB/s": 8e6, "GB/s": 8e9}
    | {"KiB/s": 8 * 1024.0, "MiB/s": 8 * 1024.0**2, "GiB/s": 8 * 1024.0**3},
    {"S/cm": 1.0, "mS/cm": 1e-3, "µS/cm": 1e-6},
    {"W/m²": 1.0, "BTU/(h⋅ft²)": 3.15459075},
    {"ppm": 1.0, "ppb": 1e-3},
)
_ZERO = {"K": 0.0, "°C": 273.15, "°F": 459.67 * 5 / 9}
"""What zero of a temperature unit is in kelvin."""


def check_pair(channel: str, type_: type, unit: str | None, device_class: str | None) -> None:
    """Raise ``ValueError`` naming the allowed units when unit and device class do not go together."""
    if unit is not None and not (unit and len(unit) <= LONGEST_UNIT and unit.isprintable() and unit == unit.strip()):
        raise ValueError(f"channel {channel!r}: a unit has 1 to {LONGEST_UNIT} printable characters, not {unit!r}")
    if type_ is not float and unit is not None:
        raise ValueError(f"channel {channel!r}: only numbers have a unit, not {type_.__name__}")
    if device_class is None:
        return
    classes = {bool: BINARY, str: TEXT}.get(type_, {*SENSOR, "monetary"})
    if device_class not in classes:
        near = get_close_matches(device_class, classes, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"channel {channel!r}: Home Assistant {HOME_ASSISTANT} has no device class {device_class!r} for "
            f"{_VALUES.get(type_, 'numbers')}{meant}"
        )
    if type_ is not float or device_class == "monetary":
        return
    allowed = SENSOR[device_class]
    if _same_micro(unit) not in map(_same_micro, allowed):
        names = ", ".join("no unit" if name is None else name for name in allowed)
        got = "no unit" if unit is None else f"the unit {unit!r}"
        raise ValueError(f"channel {channel!r}: {device_class} does not go with {got}; allowed: {names}")


NO_STATE_CLASS = "none"
"""What a channel declares that Home Assistant should keep no statistics of."""


def check_state_class(channel: str, type_: type, device_class: str | None, state_class: str | None) -> None:
    """Raise ``ValueError`` naming the allowed ones when a state class does not go with the device class."""
    if state_class is None:
        return
    if type_ is not float:
        raise ValueError(f"channel {channel!r}: only numbers have a state class, not {_VALUES[type_]}")
    allowed = {*_state_classes(device_class), NO_STATE_CLASS}
    if state_class not in allowed:
        with_ = f"{device_class} does not go with" if device_class else "there is no"
        raise ValueError(
            f"channel {channel!r}: {with_} the state class {state_class!r}; allowed: {', '.join(sorted(allowed))}"
        )


def state_class_of(device_class: str | None, declared: str | None) -> str | None:
    """The state class of a number; where none is declared, what its device class nearly always is."""
    if declared is not None:
        return None if declared == NO_STATE_CLASS else declared
    usual = ("measurement", "total_increasing", "total", "measurement_angle")
    return next(name for name in usual if name in _state_classes(device_class))


def unit_in_home_assistant(unit: str | None, device_class: str | None) -> str | None:
    """The same unit with the micro sign that Home Assistant's table has."""
    names = SENSOR.get(device_class or "", ())
    return next((name for name in names if name is not None and _same_micro(name) == _same_micro(unit)), unit)


def _state_classes(device_class: str | None) -> frozenset[str]:
    return PLAIN_STATE_CLASSES if device_class is None else STATE_CLASSES[device_class]


_VALUES = {bool: "true and false", str: "text"}


def converter(from_unit: str, to_unit: str) -> Callable[[float], float] | None:
    """A function from one unit to another of the same kind; ``None`` when they are of different kinds."""
    source, target = _same_micro(from_unit), _same_micro(to_unit)
    if source == target:
        return float
    for kind in _BY_KIND:
        if source in kind and target in kind:
            factor = kind[source] / kind[target]
            if source in _ZERO:
                shift = (_ZERO[source] - _ZERO[target]) / kind[target]
                return lambda value: value * factor + shift
            return lambda value: value * factor
    return None


def convertible(unit: str, device_class: str | None = None) -> list[str]:
    """The units that ``unit`` can be converted to and that go with the device class; ``unit`` itself included."""
    same = next((list(kind) for kind in _KINDS if _same_micro(unit) in map(_same_micro, kind)), [unit])
    if device_class in SENSOR:
        allowed = set(map(_same_micro, SENSOR[device_class]))
        return [name for name in same if _same_micro(name) in allowed]
    return same


def _same_micro(unit: str | None) -> str:
    """Unicode has two micro signs, and Home Assistant has used both."""
    return "" if unit is None else unit.replace("\u00b5", "\u03bc")


_BY_KIND = tuple({_same_micro(unit): size for unit, size in kind.items()} for kind in _KINDS)
