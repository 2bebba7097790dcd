"""Nothing reaches a driver that is not of the channel's type and within its limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.readers import channel

from gateway.config.settings import ChannelSettings
from gateway.delivery.commands.values import LONGEST, bounds, from_plain, to_driver
from gateway.driver import Channel
from gateway.status.control import ControlError

RELAY = channel(Channel("relay", type=bool, writable=True))
MODE = channel(Channel("mode", type=str, choices=("eco", "boost"), writable=True))
LEVEL = Channel("level", "°C", "temperature", min=5, max=30, writable=True)
HEAT = channel(LEVEL)

NOTE = channel(Channel("note", type=str, max_length=8, writable=True))
CODE = channel(Channel("code", type=str, max_length=4, pattern="[0-9a-f]{4}", writable=True))
LOOSE = channel(Channel("loose", type=str, max_length=8, pattern="[0-9a-f]{4}", writable=True))


@pytest.mark.parametrize(
    ("of", "value", "words"),
    [
        (RELAY, 1, "relay cannot be 1; accepted: true and false"),
        (RELAY, "on", 'relay cannot be "on"; accepted: true and false'),
        (RELAY, None, "relay cannot be None; accepted: true and false"),
        (MODE, "bost", 'mode cannot be "bost"; accepted: eco, boost; did you mean boost?'),
        (MODE, True, "mode cannot be true; accepted: eco, boost"),
        (MODE, "a\x1b[2J", 'mode cannot be "a\\x1b[2J"; accepted: eco, boost'),
        (HEAT, 31, "level cannot be 31; accepted: from 5 to 30 °C"),
        (HEAT, 4.9, "level cannot be 4.9; accepted: from 5 to 30 °C"),
        (HEAT, float("inf"), "level cannot be inf; accepted: from 5 to 30 °C"),
        (HEAT, float("nan"), "level cannot be nan; accepted: from 5 to 30 °C"),
        (HEAT, True, "level cannot be true; accepted: from 5 to 30 °C"),
        (HEAT, "21", 'level cannot be "21"; accepted: from 5 to 30 °C'),
        (HEAT, [21], "level cannot be [21]; accepted: from 5 to 30 °C"),
        (NOTE, 21, "note cannot be 21; accepted: a text of at most 8 bytes without control characters"),
        (
            NOTE,
            "nine char",
            'note cannot be "nine char"; accepted: a text of at most 8 bytes without control characters',
        ),
        (NOTE, "Grüßeß", 'note cannot be "Grüßeß"; accepted: a text of at most 8 bytes without control characters'),
        (NOTE, "a\nb", 'note cannot be "a\\x0ab"; accepted: a text of at most 8 bytes without control characters'),
        (NOTE, "\ud800", 'note cannot be "\\ud800"; accepted: a text of at most 8 bytes without control characters'),
        (CODE, "12G4", 'code cannot be "12G4"; accepted: a text of at most 4 bytes that matches [0-9a-f]{4}'),
        (CODE, "12f", 'code cannot be "12f"; accepted: a text of at most 4 bytes that matches [0-9a-f]{4}'),
        (LOOSE, "12f4; x", 'loose cannot be "12f4; x"; accepted: a text of at most 8 bytes that matches [0-9a-f]{4}'),
        (LOOSE, "x 12f4", 'loose cannot be "x 12f4"; accepted: a text of at most 8 bytes that matches [0-9a-f]{4}'),
    ],
)
def test_what_is_refused(of: ChannelSettings, value: Any, words: str) -> None:
    """In one line, with what is accepted."""
    with pytest.raises(ControlError) as error:
        to_driver(of, value)
    assert str(error.value) == words


def test_what_is_given_to_the_driver() -> None:
    """A number is one that is no whole number by accident."""
    assert to_driver(RELAY, False) is False
    assert to_driver(MODE, "boost") == "boost"
    assert to_driver(HEAT, 30) == 30.0
    assert to_driver(NOTE, "Grüße!") == "Grüße!"
    assert to_driver(NOTE, "") == ""
    assert to_driver(CODE, "12f4") == "12f4"
    assert isinstance(to_driver(HEAT, 30), float)


def test_back_through_unit_offset_and_scale() -> None:
    """A value is as it is published; the driver gets its own. The user's limits count as well as the driver's."""
    fahrenheit = channel(LEVEL, unit="°F")
    assert bounds(fahrenheit) == pytest.approx((41, 86))
    assert to_driver(fahrenheit, 86) == 30.0
    assert to_driver(fahrenheit, 68) == pytest.approx(20)
    turned = channel(LEVEL, scale=-2.0, offset=100.0, min=45, max=80)
    assert bounds(turned) == (45, 80)
    assert to_driver(turned, 60) == 20.0
    with pytest.raises(ControlError, match="from 45 to 80"):
        to_driver(turned, 81)
    with pytest.raises(ControlError, match="its scale is 0"):
        to_driver(channel(LEVEL, scale=0.0, offset=7.0), 7)


@given(st.floats(41, 86), st.sampled_from(["°F", "K", "°C"]))
def test_never_beyond_the_drivers_limits(value: float, unit: str) -> None:
    """Not even by what a conversion rounds."""
    of = channel(LEVEL, unit=unit)
    low, high = bounds(of)
    given_ = to_driver(of, min(high, max(low, value)))
    assert isinstance(given_, float)
    assert 5 <= given_ <= 30


@pytest.mark.parametrize(
    ("of", "payload", "value"),
    [
        (RELAY, b"on", True),
        (RELAY, b"TRUE", True),
        (RELAY, b"1", True),
        (RELAY, b" Off\n", False),
        (RELAY, b"false", False),
        (RELAY, b"maybe", "maybe"),
        (MODE, b"eco", "eco"),
        (MODE, b"1", "1"),
        (HEAT, b"21.5", 21.5),
        (HEAT, b"-3", -3.0),
        (HEAT, b"2e1", 20.0),
        (HEAT, b"21,5", "21,5"),
        (HEAT, b"nan", "nan"),
        (HEAT, b"1_0", "1_0"),
        (HEAT, b"", ""),
        (NOTE, b"on", "on"),
        (NOTE, b"21", "21"),
        (NOTE, "Grüße\n".encode(), "Grüße"),
    ],
)
def test_plain_payloads(of: ChannelSettings, payload: bytes, value: Any) -> None:
    """What is no value of the type stays a text, which is then refused in its own words."""
    assert from_plain(of, payload) == value
    assert type(from_plain(of, payload)) is type(value)


@pytest.mark.parametrize("payload", [b"", b"\n"])
def test_nothing_is_no_text(payload: bytes) -> None:
    """Clearing a retained message, which is an empty one, clears no channel."""
    with pytest.raises(ControlError, match="an empty payload; to set it to nothing, use the request set"):
        from_plain(NOTE, payload)


@pytest.mark.parametrize("payload", [b"\xff", b"x" * (LONGEST + 1)])
def test_payloads_that_are_no_text(payload: bytes) -> None:
    """Or too much of it."""
    with pytest.raises(ControlError, match="relay: a payload"):
        from_plain(RELAY, payload)
