"""The wire-level cases of tests/data/vectors.json, one test parameter each.

Each case has ``id``, ``device``, ``interface``, ``input`` (what is on the wire), ``expect`` (``values`` with ``name``,
``value``, ``unit`` and ``tol``, or ``error``), ``provenance`` and ``source``. A driver's test takes all cases of its
device and special-cases none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gateway.driver import Channel, DriverError
from gateway.units import converter

FILE = Path(__file__).parents[1] / "data" / "vectors.json"
OUR_NAMES = {"relative_humidity": "humidity", "CO2": "co2"}
"""Quantities that the cases call otherwise than our channels."""

Vector = dict[str, Any]


@cache
def _all() -> list[Vector]:
    found: list[Vector] = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]
    return found


def vectors(*devices: str) -> list[Any]:
    """The cases of these devices as ``pytest.param``, with their ids. ``LookupError`` for a device without one."""
    for device in devices:
        if all(vector["device"] != device for vector in _all()):
            raise LookupError(f"no vectors of {device!r}")
    return [pytest.param(vector, id=vector["id"]) for vector in _all() if vector["device"] in devices]


def check_vector(vector: Vector, read: Callable[[], Any], channels: Sequence[Channel]) -> None:
    """Read once, and compare every value that the case expects, in its unit; or see one of the driver errors."""
    if "error" in vector["expect"]:
        with pytest.raises(DriverError, match=r"\w"):
            read()
        return
    result = read()
    reading = result if isinstance(result, dict) else result[-1]
    units = {channel.name: channel.unit for channel in channels}
    for wanted in vector["expect"]["values"]:
        name = OUR_NAMES.get(wanted["name"], wanted["name"])
        value, unit = reading[name], wanted.get("unit")
        if unit is not None and unit != units[name]:
            convert = converter(str(units[name]), unit)
            assert convert is not None, f"{name} is in {units[name]}, the case in {unit}"
            value = convert(value)
        expected = wanted["value"]
        if isinstance(expected, int | float) and not isinstance(expected, bool):
            expected = pytest.approx(expected, abs=wanted.get("tol", 1e-9), rel=0)
        assert value == expected, name
