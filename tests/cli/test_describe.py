"""What a driver says about itself, as data."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from gateway.catalog import Catalog, Found
from gateway.cli.describe import all_options_of, as_json, channels_of, options_of, sample, toml, wiring
from gateway.driver import Channel, Driver, Duration, Misconfigured, Values, option, options


@options
class Inner:
    """A table within an option."""

    name: str = option(help="its name")


@options
class Choices:
    """One option of each type."""

    address: int = option(help="the address")
    speed: Literal["slow", "fast"] = option("slow", help="how fast")
    gain: float | None = option(None, help="how much")
    pause: Duration = option(1.5, help="how long")
    inner: dict[str, Inner] = option(default_factory=dict, help="by name")
    rows: tuple[Inner, ...] = option((), help="in order")
    names: tuple[str, ...] = option(("a",), help="some")
    since: Duration | None = option(None, key="for", help="how long")


class Chosen(Driver[Choices]):
    """Its options decide its channels."""

    options_type = Choices
    interval = "3s"

    @classmethod
    def channels_for(cls, options: Choices) -> tuple[Channel, ...]:
        """One."""
        return (Channel("x"),)

    def read(self) -> Values:
        """Nothing."""
        return {}


FOUND = Found("two_words", "here", Chosen)


def test_options() -> None:
    """Name, type, default, whether it must be set, choices; durations as users write them."""
    assert [(o.name, o.type, o.default, o.required, o.choices) for o in options_of(Chosen)] == [
        ("address", "int", None, True, None),
        ("speed", "str", "slow", False, ("slow", "fast")),
        ("gain", "float", None, False, None),
        ("pause", "duration", "1s500ms", False, None),
        ("inner", "table", {}, False, None),
        ("rows", "list of table", [], False, None),
        ("names", "list of str", ["a"], False, None),
        ("for", "duration", None, False, None),
    ]


def test_options_within_options() -> None:
    """People also see the keys of tables, and where they stand."""
    names = [found.name for found in all_options_of(Chosen)]
    assert names[4:8] == ["inner", "inner.NAME.name", "rows", "rows[].name"]


def test_channels_that_depend_on_required_options() -> None:
    """Nothing can be said about them without the options, and that is no error."""
    assert channels_of(Chosen) == ()


def test_channels_that_the_defaults_cannot_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that refuses its defaults is still described."""

    def refuse(cls: Any, options: Any) -> tuple[Channel, ...]:
        raise Misconfigured("no")

    driver = type("Picky", (Driver,), {"channels_for": classmethod(refuse)})
    assert channels_of(driver) == ()


def test_sample_is_made_of_what_must_be_set() -> None:
    """A driver without a stanza in its docstring gets one."""
    assert sample(FOUND) == (
        '[devices.my-two-words]\ndriver = "two_words"\naddress = 1  # the address\ninterval = "3s"'
    )


def test_sample_and_wiring_of_the_docstring() -> None:
    """A bundled driver's own words."""
    found = Catalog().find("serial_line")
    assert found is not None
    assert sample(found).startswith("[devices.")
    assert wiring(found).startswith("USB")
    assert "\n" not in wiring(found)
    assert wiring(FOUND) == ""


def test_a_broken_driver_as_json() -> None:
    """The same shape, and why."""
    shape = as_json(Found("x", "x.py", None, "x.py:1: oops"))
    assert shape["error"] == "x.py:1: oops"
    assert (shape["kind"], shape["options"], shape["channels"]) == (None, [], [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1.5, "1.5"),
        ('a"\n', r'"a\"\n"'),
        ([1, "x"], '[1, "x"]'),
        ({}, "{}"),
        ({"a": False}, "{ a = false }"),
    ],
)
def test_toml(value: Any, text: str) -> None:
    """Defaults as they stand in a configuration."""
    assert toml(value) == text
