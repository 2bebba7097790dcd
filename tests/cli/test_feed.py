"""What comes from the broker, sorted into readings and the last known of each device."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.cli.feed import Feed, as_object
from gateway.cli.quantity import reading_time
from gateway.config.load import loads
from gateway.delivery.subscriber import Message
from gateway.delivery.topics import Topics

CONFIG = """
[mqtt]
base_topic = "home/pi"
[devices.office]
driver = "mock"
channels.temperature.digits = 1
[devices.door]
driver = "mock"
enabled = false
"""
BASE = "home/pi/attic"


@pytest.fixture
def feed() -> Feed:
    """A feed of two devices, begun at 100 s."""
    return Feed(Topics.of("home/pi", "attic"), loads(CONFIG).devices, 100.0)


def message(leaf: str, body: Any, *, retained: bool = False) -> Message:
    """A message of the gateway."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(f"{BASE}/{leaf}", payload, retained)


READING = {"time": "2026-11-22T07:00:00.123Z", "run": "r", "seq": 42, "temperature": 21.5, "humidity": None}


def test_a_reading(feed: Feed) -> None:
    """It is an arrival, and the device's view has its values, number and time."""
    arrival = feed.take(message("office", READING), 105.0)
    assert arrival is not None
    assert (arrival.device, arrival.topic, arrival.reading) == ("office", f"{BASE}/office", READING)
    view = feed.views["office"]
    assert view.values == {"temperature": 21.5, "humidity": None}
    assert (view.seq, view.seen, feed.readings) == (42, 105.0, 1)
    assert list(view.trails) == ["temperature"]


def test_a_retained_reading_is_old(feed: Feed) -> None:
    """It is shown with its own age, and is no news."""
    arrival = feed.take(message("office", READING, retained=True), 105.0)
    assert arrival is not None
    assert arrival.retained
    view = feed.views["office"]
    assert view.seen is not None
    assert view.seen <= 105.0
    assert feed.readings == 0
    assert not view.arrivals


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[1]",
        b"21.5",
        b"{",
        b"\xff",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":1' + b"0" * 400 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_reading_is_left_out(feed: Feed, payload: bytes) -> None:
    """Others may write to our topics; nothing of it breaks the display."""
    assert feed.take(message("office", payload), 105.0) is None
    assert as_object(payload) is None


@pytest.mark.parametrize("leaf", ["stranger", "office/availability", "office/history", "gateway/health", "gateway"])
def test_other_topics_are_no_readings(feed: Feed, leaf: str) -> None:
    """Only the live topics of the configured devices are."""
    assert feed.take(message(leaf, READING), 105.0) is None
    assert feed.readings == 0


def test_status(feed: Feed) -> None:
    """State, and the error with its hint, with control characters made harmless."""
    status = {"state": "offline", "last_error": "no \x1b[31mport", "hint": "plug it in"}
    assert feed.take(message("office/status", status), 1.0) is None
    view = feed.views["office"]
    assert view.state == "offline"
    assert "\x1b" not in view.error
    assert view.error.endswith("port; plug it in")


def test_the_gateways_word_on_units_wins(feed: Feed) -> None:
    """``gateway/devices`` of the running gateway replaces what this configuration says; nonsense in it is ignored."""
    told = {"office": {"channels": [{"key": "temperature", "unit": "°F"}, {"key": 5}, "x"]}, "door": 1, "no": {}}
    feed.take(message("gateway/devices", told), 1.0)
    assert feed.views["office"].quantities["temperature"].unit == "°F"
    assert feed.views["office"].quantities["temperature"].precision == 1


def test_gateway_state(feed: Feed) -> None:
    """The last will is seen."""
    assert feed.gateway_up is None
    feed.take(message("gateway/state", b"online"), 1.0)
    assert feed.gateway_up is True
    feed.take(message("gateway/state", b"offline"), 1.0)
    assert feed.gateway_up is False


def test_rate(feed: Feed) -> None:
    """Readings a second between the arrivals of the last ten seconds; none when there was none."""
    view = feed.views["office"]
    assert view.rate(100.0, feed.started) is None
    for step in range(21):
        feed.take(message("office", READING), 110.0 + step / 2)
    assert view.rate(120.0, feed.started) == pytest.approx(2.0)
    assert view.rate(140.0, feed.started) is None


def test_one_reading_gives_no_wild_rate(feed: Feed) -> None:
    """The first reading alone is at most one a second."""
    feed.take(message("office", READING), 100.1)
    assert feed.views["office"].rate(100.1, feed.started) == pytest.approx(1.0)


def test_views_come_from_the_configuration(feed: Feed) -> None:
    """Units and digits are known before the first message; a disabled device says so."""
    assert feed.views["office"].quantities["temperature"].unit == "°C"
    assert feed.views["door"].state == "disabled"
    assert feed.subscriptions()[:2] == [f"{BASE}/+", f"{BASE}/+/status"]


@pytest.mark.parametrize("time", [None, 5, "yesterday", ""])
def test_a_strange_time(time: Any) -> None:
    """No time, no crash."""
    assert reading_time({"time": time}) is None


def test_ever_new_keys_do_not_fill_the_memory(feed: Feed) -> None:
    """Curves are kept for a limited number of channels."""
    for number in range(200):
        feed.take(message("office", {**READING, f"key{number}": 1}), 105.0)
    assert len(feed.views["office"].trails) <= 64
