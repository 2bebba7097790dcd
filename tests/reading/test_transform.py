"""What is published of a driver's values, and what deadbands hold back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.readers import DOOR, LABEL, TEMPERATURE, channel

from gateway.driver import Channel, Kind, Scalar
from gateway.reading.transform import Gate, Transform

SECOND = 1_000_000_000


def one(value: Scalar, **settings: Any) -> Scalar:
    """What becomes of one temperature."""
    ((_, result),) = Transform([channel(TEMPERATURE, **settings)], Kind.SAMPLED).apply({"temperature": value})
    return result


@pytest.mark.parametrize(
    ("value", "settings", "published"),
    [
        (21.5, {}, 21.5),
        (21, {}, 21),
        (21, {"scale": 2.0, "offset": -0.5}, 41.5),
        (20.0, {"unit": "°F"}, 68.0),
        (21.7, {"scale": 0.1}, 2.17),
        (0.1, {"offset": 0.2}, 0.3),
        (20.0, {"offset": 5.0, "unit": "°F"}, 77.0),
        (21.456, {"digits": 1}, 21.5),
        (21.5, {"digits": 0}, 22),
        (-0.04, {"digits": 1}, 0.0),
        (-0.4, {"digits": 0}, 0),
        (-0.0, {}, 0.0),
        (126, {"digits": -1}, 130),
        (1e300, {"digits": 0}, 1e300),
        (50.0, {"max": 50}, 50.0),
        (50.1, {"max": 50}, None),
        (-10.1, {"min": -10}, None),
        (10.0, {"scale": 10.0, "max": 50}, None),
        (20.0, {"max": 50, "unit": "°F"}, 68.0),
        (1e300, {"scale": 1e300}, None),
        (-1e300, {"scale": 1e300, "min": -5}, None),
        (1.7e308, {"unit": "°F"}, None),
        (2**62, {"scale": 1e308}, None),
        (None, {"scale": 2.0, "min": 0, "digits": 1}, None),
    ],
)
def test_numbers(value: Scalar, settings: dict[str, Any], published: Scalar) -> None:
    """Scale, offset, range in the driver's unit, unit, digits, in this order; what is out of range is null."""
    result = one(value, **settings)
    assert result == published
    assert type(result) is type(published)
    if isinstance(result, float):
        assert math.copysign(1, result) > 0 or result < 0


def test_keys_and_completeness() -> None:
    """A sampled device always has all enabled channels, in the driver's order, under their keys."""
    transform = Transform(
        [channel(TEMPERATURE, key="room"), channel(DOOR, enabled=False), channel(LABEL)], Kind.SAMPLED
    )
    assert transform.apply({"door": True, "label": "x"}) == (("room", None), ("label", "x"))
    assert transform.apply({"label": None}) == (("room", None), ("label", None))


def test_events_have_what_they_came_with() -> None:
    """The event and its tag come first; channels that are absent stay absent, disabled ones are left out."""
    transform = Transform([channel(TEMPERATURE, key="room"), channel(DOOR, enabled=False)], Kind.EVENT)
    sample: dict[str, Scalar] = {"temperature": 3, "event": "arrived", "door": True, "tag": "04"}
    assert transform.apply(sample) == (("event", "arrived"), ("tag", "04"), ("room", 3))


class Stream:
    """Readings 10 s apart before a gate."""

    def __init__(self, *channels: Any, kind: Kind = Kind.SAMPLED) -> None:
        self.transform = Transform(channels, kind)
        self.gate = Gate(channels, kind)
        self.due = 0

    def __call__(self, **sample: Scalar) -> bool:
        """Whether the next one is published."""
        self.due += 10 * SECOND
        values = self.transform.apply(sample)
        passes = self.gate.passes(values, self.due)
        if passes:
            self.gate.published(values, self.due)
        return passes


def test_no_deadband_holds_nothing_back() -> None:
    """Without a deadband every reading of a sampled device is published."""
    stream = Stream(channel(TEMPERATURE), channel(DOOR))
    assert all(stream(temperature=20.0, door=True) for _ in range(5))


def test_deadband_compares_with_the_last_published_value() -> None:
    """A slow drift is published as soon as it adds up; a step of exactly the deadband counts, whatever floats make."""
    stream = Stream(channel(TEMPERATURE, deadband=0.1))
    given = [20.2, 20.25, 20.29, 20.3, 20.25, 20.21, 20.2, 20.2, 20.1]
    assert [value for value in given if stream(temperature=value)] == [20.2, 20.3, 20.2, 20.1]


def test_deadband_is_in_the_published_unit() -> None:
    """0.5 °C is 0.9 °F."""
    stream = Stream(channel(TEMPERATURE, unit="°F", deadband=0.9))
    assert [stream(temperature=value) for value in (20.0, 20.4, 20.5)] == [True, False, True]


def test_deadband_of_one_channel_speaks_for_the_device() -> None:
    """Numbers without a deadband trigger nothing; booleans, texts, and changes to and from null always do."""
    humidity = Channel("humidity", "%", "humidity")
    stream = Stream(channel(TEMPERATURE, deadband=1.0), channel(humidity), channel(DOOR), channel(LABEL))
    steady: dict[str, Scalar] = {"temperature": 20, "humidity": 40, "door": False, "label": "a"}
    assert stream(**steady)
    assert not stream(**steady)
    assert not stream(**steady | {"humidity": 90})
    assert stream(**steady | {"door": True})
    assert stream(**steady)
    assert stream(**steady | {"label": "b"})
    assert stream(**steady)
    assert stream(**steady | {"humidity": None})
    assert not stream(**steady | {"humidity": None})
    assert stream(**steady)
    assert stream(**steady | {"temperature": None})
    assert stream(**steady | {"temperature": 20.1})


def test_heartbeat_does_not_slip() -> None:
    """With polls 10 s apart a heartbeat of 5 min comes every 30 polls, and the smallest of a deadband counts."""
    stream = Stream(channel(TEMPERATURE, deadband=1.0), channel(Channel("other"), deadband=1.0, heartbeat=900.0))
    went = [number for number in range(100) if stream(temperature=20.0, other=1)]
    assert went == [0, 30, 60, 90]


def test_heartbeat_of_channels_without_a_deadband_is_of_no_account() -> None:
    """Their default of 5 minutes does not shorten a heartbeat that was asked for."""
    stream = Stream(channel(TEMPERATURE, deadband=1.0, heartbeat=600.0), channel(DOOR))
    went = [number for number in range(100) if stream(temperature=20.0, door=True)]
    assert went == [0, 60]


def test_state_device_is_published_on_change_and_heartbeat() -> None:
    """Any change of any channel, and every 5 minutes."""
    count = Channel("count")
    stream = Stream(channel(DOOR), channel(count), kind=Kind.STATE)
    assert stream(door=True, count=1)
    assert not stream(door=True, count=1)
    assert stream(door=True, count=2)
    assert stream(door=False, count=2)
    assert [stream(door=False, count=2) for _ in range(30)] == [False] * 29 + [True]


def test_first_reading_after_an_open_is_published() -> None:
    """Whatever was published before it."""
    stream = Stream(channel(TEMPERATURE, deadband=1.0))
    assert [stream(temperature=20.0), stream(temperature=20.0)] == [True, False]
    stream.gate.reset()
    assert stream(temperature=20.0)


def test_events_are_never_held_back() -> None:
    """The same tag twice is two events."""
    stream = Stream(channel(LABEL), kind=Kind.EVENT)
    assert all(stream(event="arrived", label="x") for _ in range(5))
