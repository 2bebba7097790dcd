"""gateway/simulation/models: each bundled model with its driver, in virtual time."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog import Catalog
from gateway.driver import BadReading, Driver
from gateway.simulation.find import MODELS
from gateway.simulation.models.serial_line import fill
from gateway.testing import Simulated

FOLDER = Path(str(importlib.import_module(MODELS.rstrip(".")).__file__)).parent
NAMES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def driver(name: str) -> type[Driver[Any]]:
    """A bundled driver."""
    found = Catalog().find(name)
    assert found is not None
    assert found.driver is not None, found.error
    return found.driver


@pytest.mark.parametrize("name", NAMES)
def test_every_model_is_that_of_a_driver(name: str) -> None:
    """It has the driver's name, and a function that says what it does."""
    assert driver(name)
    module = importlib.import_module(MODELS + name)
    assert module.__doc__
    assert module.attach.__doc__


def test_mock() -> None:
    """It uses no hardware."""
    with Simulated(driver("mock"), signals={"t": {"shape": "constant", "value": 3}}) as it:
        assert it.read() == {"t": 3}


def test_system() -> None:
    """A Pi: every channel has a value, and those that can be set follow."""
    with Simulated(driver("system"), interface="wlan0") as it:
        it.read()
        it.wait(10)
        it.model.under_voltage = True
        it.model.temperature = 61.5
        got = it.read()
        assert None not in got.values()
        assert (got["cpu_temperature"], got["under_voltage"], got["uptime"]) == (61.5, True, 86410.0)
        assert 0 < got["cpu_percent"] < 100
        it.model.temperature = None
        assert 45 < it.read()["cpu_temperature"] < 65


FIELDS = [
    {"name": "weight", "unit": "kg", "device_class": "weight"},
    {"name": "stable", "type": "boolean"},
    {"name": "label", "type": "text"},
]


@pytest.mark.parametrize(
    "options",
    [
        {"format": "csv", "delimiter": ";"},
        {"format": "json"},
        {"format": "keyvalue"},
        {"format": "regex", "pattern": r"^ST,\s*(?P<weight>[-+.\d]+)\s+kg \((?P<stable>\w+)\) (?P<label>.*)$"},
        {"format": "csv", "terminator": "\r\n", "encoding": "latin-1"},
    ],
    ids=["csv", "json", "keyvalue", "regex", "crlf"],
)
def test_serial_line(options: dict[str, Any]) -> None:
    """In every format that the driver can be told of; what is set is what is read."""
    with Simulated(driver("serial_line"), port="/dev/x", fields=FIELDS, skip_first=False, **options) as it:
        it.model.values = {"weight": 12.5, "stable": True, "label": "flour"}
        values = [values for _ in range(10) for values in (it.read() or [])]
        assert values[0] == {"weight": 12.5, "stable": True, "label": "flour"}
        it.model.values = {}
        values = [values for _ in range(10) for values in (it.read() or [])]
        assert 20 <= values[-1]["weight"] <= 25


def test_serial_line_in_trouble() -> None:
    """A line with a wrong bit is a bad reading, and the next one is fine."""
    with Simulated(driver("serial_line"), port="/dev/x", fields=[{"name": "t"}], skip_first=False) as it:
        it.model.faults.garbage = True
        with pytest.raises(BadReading):
            _ = [it.read() for _ in range(1000)]
        it.model.faults.garbage = False
        results = []
        while len(results) < 2:
            try:
                results += it.read() or []
            except BadReading:
                results.clear()
        assert 20 <= results[-1]["t"] <= 25


def test_a_pattern_that_cannot_be_filled() -> None:
    """Then the values follow each other."""
    assert fill(r"[ab]{3}(?P<t>\d+)", {"t": "5"}) == "5"
    assert fill(r"^t=(?P<t>\d+)$", {"t": "5"}) == "t=5"
