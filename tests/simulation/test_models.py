"""gateway/simulation/models: each bundled model with its driver, in virtual time."""

from __future__ import annotations

import importlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog import Catalog
from gateway.driver import BadReading, Driver
from gateway.simulation import Model, SimulatedHardware, VirtualTime, World
from gateway.simulation.find import MODELS
from gateway.simulation.models.serial_line import fill
from gateway.testing import Simulated, check_driver
from gateway.testing.pages import sample_options

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


@pytest.mark.parametrize("name", NAMES)
def test_every_driver_runs_on_its_model(name: str) -> None:
    """With the options of its own sample: readings come, also after it was opened anew and after a brown-out."""
    kind = driver(name)
    check_driver(kind, hardware=SimulatedHardware("x", World(VirtualTime())))
    with Simulated(kind, **sample_options(kind)) as it:
        assert first_reading(it)
        it.reopen()
        assert first_reading(it)
        if isinstance(it.model, Model):
            it.model.unplug()
            it.model.plug_in()
            it.reopen()
            assert first_reading(it)


def first_reading(it: Simulated) -> Any:
    """What comes within half an hour; a device may be warming up before that."""
    until = it.time.now + 1800
    while it.time.now < until:
        with suppress(BadReading):
            if result := it.read():
                return result
        it.wait(1)
    return None


@pytest.mark.parametrize(
    ("options", "low", "readings"),
    [
        ({"profile": "contact", "active_low": False}, False, [{"open": False}, [{"open": True}], [{"open": False}]]),
        ({"profile": "motion", "warm_up": "0s"}, False, [{"motion": False}, [{"motion": True}], [{"motion": False}]]),
        ({"profile": "button"}, True, [{"pressed": False}, [{"pressed": True}], [{"pressed": False}]]),
    ],
)
def test_gpio(options: dict[str, Any], low: bool, readings: list[Any]) -> None:  # noqa: FBT001 (pytest passes it)
    """Off and on in turn, at the level that means it."""
    with Simulated(driver("gpio"), pin=17, **options) as it:
        assert it.model.level is low
        got = [result for _ in range(60) if (result := it.read())]
        assert got[:3] == readings
        it.model.set(not it.model.level)


def test_command() -> None:
    """Lines with the fields that are asked for, also deep ones, and those of rtl_433."""
    fields = [{"name": "t", "source": "a.b"}, {"name": "ok", "type": "boolean"}, {"name": "s", "type": "text"}]
    with Simulated(driver("command"), command=["/opt/heating", "-j"], fields=fields) as it:
        result = first_reading(it)
        assert (it.model.command, result[0]["s"]) == (["/opt/heating", "-j"], "simulated")
        assert 20 <= result[0]["t"] <= 25
    with Simulated(driver("command"), profile="rtl_433", match={"id": "7"}) as it:
        it.model.values = {"temperature_C": 3.5}
        assert first_reading(it)[0]["temperature"] == 3.5


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
