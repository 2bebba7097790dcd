"""Another gateway under the same id, as its messages look from here."""

from __future__ import annotations

import json

import pytest
from support import FakeClock

from gateway.delivery.mqtt import Received
from gateway.delivery.twin import GONE_NS, Twin
from gateway.status.alarms import Alarms

TOPIC = "B/gateway/health"


def health(run: str, time: str, *, retained: bool = False, ip: object = "10.0.0.7") -> Received:
    """A health message."""
    return Received(1, TOPIC, json.dumps({"run": run, "time": time, "host": {"ip": ip}}).encode(), retained)


def make() -> tuple[Twin, Alarms, FakeClock]:
    """Ours, started at 07:00."""
    clock = FakeClock("2026-11-22T07:00:00+00:00")
    alarms = Alarms(lambda: None)
    return Twin(clock, alarms, TOPIC, "ours"), alarms, clock


def test_our_own_messages_raise_nothing() -> None:
    """The broker sends us what we publish."""
    twin, alarms, _ = make()
    twin.heard(health("ours", "2026-11-22T07:00:30.000Z"))
    assert alarms.texts() == []


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("B/gateway/request/read", b'{"run":"theirs","time":"2026-11-22T07:00:10.000Z"}'),
        (TOPIC, b"[" * 100_000),
        (TOPIC, b"\xff"),
        (TOPIC, b"[]"),
    ],
)
def test_what_is_no_health_raises_nothing(topic: str, payload: bytes) -> None:
    """Other subscriptions come this way, too, and anybody may publish anything."""
    twin, alarms, _ = make()
    twin.heard(Received(1, topic, payload, retained=False))
    assert alarms.texts() == []


@pytest.mark.parametrize("time", ["2026-11-22T06:59:59.000Z", "2026-11-22T07:00:10.000Z"])
def test_what_an_earlier_run_of_ours_has_left_raises_nothing(time: str) -> None:
    """A retained message; of a later time, too, where this machine woke in the past after a power cut."""
    twin, alarms, _ = make()
    for _ in range(2):  # the connection was lost once, before our own health was there
        twin.heard(health("yesterday", time, retained=True))
    assert alarms.texts() == []


def test_another_one_is_named_and_forgotten_when_it_is_silent() -> None:
    """With its address, until it has said nothing for two minutes."""
    twin, alarms, clock = make()
    twin.heard(health("theirs", "2026-11-22T07:00:10.000Z"))
    assert alarms.texts() == ["another gateway at 10.0.0.7 publishes under the same gateway.id; give each its own"]
    clock.advance(GONE_NS / 1e9)
    twin.tick(clock.boot_ns())
    assert len(alarms.texts()) == 1
    clock.advance(1)
    twin.tick(clock.boot_ns())
    assert alarms.texts() == []


def test_a_newer_retained_message_is_another_one() -> None:
    """Not what was there when we came: two with one client id hear nothing else of each other."""
    twin, alarms, _ = make()
    twin.heard(health("yesterday", "2026-11-22T06:59:59.000Z", retained=True))
    twin.heard(health("theirs", "2026-11-22T07:00:10.000Z", retained=True))
    assert len(alarms.texts()) == 1


def test_rubbish_is_nobody() -> None:
    """Whatever is published on that topic."""
    twin, alarms, _ = make()
    for payload in (b"", b"\xff", b"[]", b"{}", b"3", b'{"run":1}'):
        twin.heard(Received(1, TOPIC, payload, retained=False))
    assert alarms.texts() == []


def test_an_address_from_outside_is_shown_escaped() -> None:
    """It goes into the log and into health."""
    twin, alarms, _ = make()
    twin.heard(health("theirs", "2026-11-22T08:00:00.000Z", ip="1\n2"))
    assert "\n" not in alarms.texts()[0]
