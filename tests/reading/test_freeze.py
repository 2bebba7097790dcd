"""What a driver may return."""

from __future__ import annotations

import enum
import math
import sys
from collections import ChainMap, OrderedDict, UserDict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NoReturn

import pytest

from gateway.driver import BadReading, Channel, Kind
from gateway.reading.freeze import MOST_SAMPLES, BadReturn, Frozen, freeze

CHANNELS = {
    "t": Channel("t"),
    "door": Channel("door", type=bool),
    "label": Channel("label", type=str),
}


def sampled(result: Any) -> Frozen:
    """What becomes of a sampled device's result."""
    return freeze(result, CHANNELS, Kind.SAMPLED)


def event(result: Any) -> Frozen:
    """What becomes of an event device's result."""
    return freeze(result, CHANNELS, Kind.EVENT)


class Colour(enum.IntEnum):
    """Numbers with names."""

    RED = 3


class Truth(int):
    """A whole number of the driver's own."""


class Odd(float):
    """A float whose methods lie and raise."""

    def __float__(self) -> float:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = float.__hash__


class Name(str):
    """A text whose methods raise."""

    __slots__ = ()

    def encode(self, *_: Any) -> NoReturn:
        """Lie."""
        raise SystemExit

    def __len__(self) -> NoReturn:
        raise KeyboardInterrupt

    def __str__(self) -> NoReturn:
        raise MemoryError


@pytest.mark.parametrize("nothing", [None, {}, [], (), [{}], [{}, {}], MappingProxyType({})])
def test_nothing(nothing: Any) -> None:
    """None, an empty mapping and an empty list all say that there is nothing."""
    assert sampled(nothing) == Frozen(())


@pytest.mark.parametrize(
    "good",
    [
        {"t": 1.5},
        [{"t": 1.5}],
        ({"t": 1.5},),
        OrderedDict(t=1.5),
        MappingProxyType({"t": 1.5}),
        ChainMap({"t": 1.5}, {"t": 2}),
        UserDict(t=1.5),
        {Name("t"): 1.5},
    ],
    ids=lambda case: type(case).__name__,
)
def test_any_mapping_is_a_reading(good: Any) -> None:
    """A dict, other mappings, and lists and tuples of them."""
    assert sampled(good).samples == ({"t": 1.5},)


def test_list_keeps_its_order() -> None:
    """Several readings of one call come in the order that the driver gave."""
    assert sampled([{"t": n} for n in range(5)]).samples == tuple({"t": n} for n in range(5))


@pytest.mark.parametrize(
    ("name", "value", "exact"),
    [
        ("t", 3, 3),
        ("t", -0.5, -0.5),
        ("t", None, None),
        ("t", 2**63 - 1, 2**63 - 1),
        ("t", -(2**63), -(2**63)),
        ("t", Colour.RED, 3),
        ("t", Truth(4), 4),
        ("t", Odd(1.25), 1.25),
        ("t", Decimal("1.5"), 1.5),
        ("t", Fraction(1, 4), 0.25),
        ("door", True, True),
        ("door", 0, False),
        ("door", Truth(1), True),
        ("label", "kitchen\n\t", "kitchen\n\t"),
        ("label", Name("kitchen"), "kitchen"),
        ("label", "x" * 4096, "x" * 4096),
    ],
    ids=lambda case: type(case).__name__,  # pytest would call methods of the values
)
def test_values_become_exact_types(name: str, value: Any, exact: Any) -> None:
    """Subclasses and other numbers become int, float, bool and str themselves, without calling their methods."""
    (sample,) = sampled({name: value}).samples
    assert sample == {name: exact}
    assert type(sample[name]) is type(exact)
    assert type(next(iter(sample))) is str


@pytest.mark.parametrize(
    ("name", "value", "note"),
    [
        ("t", math.nan, "t is NaN"),
        ("t", Decimal("sNaN"), "t is NaN"),
        ("t", math.inf, "t is infinite"),
        ("t", -math.inf, "t is infinite"),
        ("t", Decimal("1e400"), "t is infinite"),
        ("t", Fraction(10**400), "t is beyond all range"),
        ("t", 2**63, "t is a whole number beyond 64 bits"),
        ("t", -(10**400), "t is a whole number beyond 64 bits"),
        ("label", "x" * 4097, "label is a text of 4097 characters; 4096 bytes is the most"),
        ("label", "x" * 10_000_000, "label is a text of 10000000 characters; 4096 bytes is the most"),
        ("label", "\u00fc" * 2049, "label is a text of 4098 bytes; 4096 is the most"),
        ("label", "a\ud800", "label is not valid Unicode"),
        ("label", "a\0b", "label has a NUL character in it"),
    ],
    ids=lambda case: case if isinstance(case, str) and len(case) < 80 else type(case).__name__,
)
def test_what_the_hardware_gets_wrong_is_null(name: str, value: Any, note: str) -> None:
    """That channel is null with a note; the others of the reading are as they are."""
    other = "door" if name != "door" else "t"
    assert sampled({name: value, other: 1}) == Frozen(({name: None, other: 1},), (note,))


class Hostile:
    """Everything that can be asked of it raises."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise KeyboardInterrupt


class Endless(dict[str, float]):
    """A dict whose iteration never ends; what it really holds is used."""

    def __iter__(self) -> Iterator[str]:
        while True:
            yield "t"

    def items(self) -> Any:
        """Lie."""
        raise SystemExit


class EndlessMapping(UserDict[str, float]):
    """A mapping without end."""

    def __iter__(self) -> Iterator[str]:
        while True:
            yield "t"


class RaisingMapping(UserDict[str, float]):
    """A mapping that raises when it is read."""

    def __getitem__(self, key: str) -> float:
        raise GeneratorExit


def looped() -> dict[str, Any]:
    """A dict that holds itself."""
    loop: dict[str, Any] = {}
    loop["t"] = loop
    return loop


def deep() -> Any:
    """A list in a list in a list, 1000 times."""
    inner: Any = []
    for _ in range(1000):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"t": b"21"}, "type bytes for t; a number or None"),
        ({"t": "21"}, "type str for t; a number"),
        ({"t": True}, "type bool for t; a number"),
        ({"t": 1j}, "type complex for t; a number"),
        ({"t": {1}}, "type set for t"),
        ({"t": [1]}, "type list for t"),
        ({"t": object()}, "type object for t"),
        ({"t": Hostile()}, "that raised KeyboardInterrupt"),
        (looped(), "type dict for t"),
        ({"t": deep()}, "type list for t"),
        ({"door": 2}, "type int for door; true or false"),
        ({"door": 1.0}, "type float for door"),
        ({"label": 3}, "type int for label; a text"),
        ({"label": b"x"}, "type bytes for label"),
        ({"humidity": 1}, "'humidity', which is no channel"),
        ({"tag": "04a2"}, "'tag', which is no channel"),
        ({1: 2}, "a key of type int"),
        ({None: 2}, "a key of type NoneType"),
        ("text", "type str; return a dict"),
        (b"bytes", "type bytes; return a dict"),
        (21.5, "type float; return a dict"),
        ({"t"}, "type set; return a dict"),
        (({"t": n} for n in "ab"), "type generator; return a dict"),
        ([{"t": 1}, None], "type NoneType; return a dict"),
        ([[{"t": 1}]], "type list; return a dict"),
        (deep(), "type list; return a dict"),
        (Hostile(), "type Hostile that raised KeyboardInterrupt"),
        (EndlessMapping(t=1), "keys; the driver has 3 channels"),
        (RaisingMapping(t=1), "type RaisingMapping that raised GeneratorExit"),
        ([{}] * (MOST_SAMPLES + 1), "100001 readings at once"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_what_the_driver_gets_wrong_is_a_bad_reading(bad: Any, says: str) -> None:
    """One message names the type and the channel, and nothing that the objects do gets through."""
    with pytest.raises(BadReturn) as caught:
        sampled(bad)
    assert says in str(caught.value)
    assert caught.value.hint == "this is a bug in the driver"
    assert issubclass(BadReturn, BadReading)


def test_dict_that_lies_about_itself() -> None:
    """What a dict subclass holds counts, not what its methods say."""
    assert sampled(Endless(t=1.5)).samples == ({"t": 1.5},)


def test_events_carry_more_than_channels() -> None:
    """event, tag, dwell_s and at_start belong to event devices."""
    visit = {"event": "left", "tag": "04a23b", "dwell_s": 12.5, "at_start": True}
    assert event([visit, {"event": "arrived", "t": 3}]).samples == (visit, {"event": "arrived", "t": 3})
    with pytest.raises(BadReturn, match="type int for tag; a text"):
        event({"tag": 7})
    with pytest.raises(BadReturn, match="type int for at_start; true or false"):
        event({"at_start": 7})


def test_event_with_an_unfit_tag_is_a_bad_reading() -> None:
    """A tag that cannot be published is the device's fault, but an event without it is worth nothing."""
    with pytest.raises(BadReading, match="tag is not valid Unicode") as caught:
        event({"event": "arrived", "tag": "\udcff"})
    assert type(caught.value) is BadReading


def test_frozen_values_are_the_drivers_no_more() -> None:
    """A driver that changes its dict and its list afterwards changes nothing."""
    mine = {"t": 1.0}
    both = [mine]
    frozen = sampled(both)
    mine["t"] = 2.0
    mine["label"] = "x"
    both.clear()
    assert frozen.samples == ({"t": 1.0},)


def test_nested_tricks_do_not_touch_the_stack() -> None:
    """Nothing here recurses into what a driver returns."""
    nest: Any = {"t": 1}
    for _ in range(sys.getrecursionlimit() * 3):
        nest = {"t": nest}
    with pytest.raises(BadReturn, match="type dict for t"):
        sampled(nest)
    while isinstance(nest, dict):  # taken apart by hand: freeing it at once would be the interpreter's recursion
        nest = nest["t"]
