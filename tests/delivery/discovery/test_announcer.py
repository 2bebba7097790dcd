"""When Home Assistant is told what, and what is taken back."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from support.clock import FakeClock

from gateway.delivery.discovery.announcer import JITTER, Announcer
from gateway.delivery.discovery.record import NAME, Record
from gateway.delivery.message import Message
from gateway.delivery.mqtt import Received
from gateway.delivery.topics import Topics

from .conftest import Configure

TOPICS = Topics("sensorpost/attic")
ABOVE = "homeassistant/device/sensorpost_attic"
TWO = '[devices.office]\ndriver = "meter"\n[devices.door]\ndriver = "scanner"\n'
ONE = '[devices.door]\ndriver = "scanner"\n'


class House:
    """An announcer, its record on disk, and what it has said."""

    def __init__(self, configure: Configure, folder: Path) -> None:
        self.configure = configure
        self.folder = folder
        self.clock = FakeClock()
        self.start(TWO)

    def start(self, devices: str, homeassistant: str = "discovery = true") -> None:
        """A new run of the gateway."""
        self.record = Record(self.folder / NAME)
        self.announcer = Announcer(
            self.configure(devices, homeassistant), TOPICS, self.record, self.clock, random.Random(1)
        )

    def told(self) -> dict[str, bytes]:
        """What a new connection is told."""
        return {message.topic: message.payload for message in self.announcer.announce()}

    def hear(self, topic: str, payload: bytes, *, retained: bool = False) -> list[Message]:
        """A message from the broker."""
        return self.announcer.heard(Received(1, topic, payload, retained))


@pytest.fixture
def house(configure: Configure, tmp_path: Path) -> House:
    """A gateway with two devices."""
    return House(configure, tmp_path)


def test_a_connection_is_told_everything(house: House) -> None:
    """The gateway first; retained."""
    messages = house.announcer.announce()
    assert [message.topic for message in messages] == [
        f"{ABOVE}/{name}/config" for name in ("gateway", "office", "door")
    ]
    assert all(message.retain for message in messages)


def test_without_discovery_nothing_is_said_or_listened_to(house: House, tmp_path: Path) -> None:
    """And nothing of an earlier run is left: there is none."""
    house.folder = tmp_path / "fresh"
    house.start(TWO, "discovery = false")
    assert house.told() == {}
    assert house.announcer.subscriptions == []
    assert house.hear("homeassistant/status", b"online") == []


def test_a_device_that_left_while_the_gateway_was_off(house: House) -> None:
    """Its announcement and its state are cleared, on every connection until the broker has taken that."""
    house.told()
    house.start(ONE)
    gone = {
        f"{ABOVE}/office/config": b"",
        "sensorpost/attic/office/availability": b"offline",
        "sensorpost/attic/office/status": b"",
    }
    for _ in range(2):
        told = house.told()
        assert {topic: told[topic] for topic in gone} == gone
    for topic, payload in gone.items():
        if not payload:
            house.announcer.cleared(topic)
    assert not gone.keys() & house.told().keys()
    house.start(ONE)
    assert not gone.keys() & house.told().keys()


def test_a_device_that_comes_back_before_it_was_cleared(house: House) -> None:
    """Is not forgotten by an acknowledgement that comes late."""
    house.told()
    house.start(ONE)
    house.told()
    house.announcer.configure(house.configure(TWO))
    house.announcer.cleared("sensorpost/attic/office/status")
    house.announcer.cleared(f"{ABOVE}/office/config")
    assert "sensorpost/attic/office" in house.record.devices
    assert f"{ABOVE}/office/config" in house.record.entities


@pytest.mark.parametrize(
    ("devices", "homeassistant"),
    [
        (TWO.replace('"meter"', '"meter"\nhomeassistant = false'), "discovery = true"),
        (TWO, "discovery = false"),
        (TWO, 'discovery = true\nprefix = "other"'),
    ],
)
def test_what_is_switched_off_or_moved_is_taken_back(house: House, devices: str, homeassistant: str) -> None:
    """Also at a reload. The device itself is still there, so its state stays."""
    house.told()
    house.announcer.configure(house.configure(devices, homeassistant))
    told = house.told()
    assert told[f"{ABOVE}/office/config"] == b""
    assert "sensorpost/attic/office/status" not in told


def test_an_entity_that_left_is_named_as_gone(house: House) -> None:
    """Its platform alone is left of it: what is merely left out stays in Home Assistant."""
    house.told()
    house.start(TWO.replace('"meter"', '"meter"\nchannels.humidity.enabled = false'))
    components = json.loads(house.told()[f"{ABOVE}/office/config"])["components"]
    assert components["sensor-humidity"] == {"platform": "sensor"}
    house.start(TWO)
    components = json.loads(house.told()[f"{ABOVE}/office/config"])["components"]
    assert len(components["sensor-humidity"]) > 1


def test_a_broken_driver_takes_nothing_away(house: House) -> None:
    """Its channels are unknown, not gone: an editor's slip must not cost entities their settings."""
    house.told()
    house.start(TWO.replace('"meter"', '"broken"'))
    components = json.loads(house.told()[f"{ABOVE}/office/config"])["components"]
    assert sorted(components) == ["sensor-diagnostic-error", "sensor-diagnostic-failed", "sensor-diagnostic-state"]


def test_a_reload_tells_only_what_is_different(house: House) -> None:
    """Home Assistant takes every announcement for a change, and a house may have a thousand."""
    house.told()
    house.announcer.configure(house.configure(TWO.replace('"meter"', '"meter"\nname = "Study"')))
    assert [message.topic for message in house.announcer.changed()] == [f"{ABOVE}/office/config"]
    assert house.announcer.changed() == []
    house.announcer.closed()
    assert len(house.announcer.changed()) == 3


def test_another_prefix_does_not_move_the_birth(house: House) -> None:
    """Home Assistant says it on homeassistant/status, unless it was told otherwise; both are heard."""
    house.start(TWO, 'discovery = true\nprefix = "other"')
    assert house.announcer.subscriptions[:2] == ["homeassistant/status", "other/status"]
    for birth in house.announcer.subscriptions[:2]:
        house.hear(birth, b"online")
        house.clock.advance(JITTER)
        assert house.announcer.due(house.clock.boot_ns())[0]


def test_home_assistants_birth(house: House) -> None:
    """It is told everything within 5 s, and all states once it has had time to subscribe to them."""
    house.told()
    assert house.hear("homeassistant/status", b"online") == []
    assert house.announcer.due(house.clock.boot_ns()) == ([], False)
    house.clock.advance(JITTER)
    announced, states = house.announcer.due(house.clock.boot_ns())
    assert ([message.topic for message in announced], states) == (
        [f"{ABOVE}/{name}/config" for name in ("gateway", "office", "door")],
        False,
    )
    house.clock.advance(3.0)
    assert house.announcer.due(house.clock.boot_ns()) == ([], True)
    assert house.announcer.due(house.clock.boot_ns()) == ([], False)


@pytest.mark.parametrize(("payload", "retained"), [(b"offline", False), (b"online", True), (b"", False)])
def test_no_birth(house: House, payload: bytes, retained: bool) -> None:  # noqa: FBT001
    """Its end, and what a broker has kept of a birth: we have just told everything to that broker."""
    house.hear("homeassistant/status", payload, retained=retained)
    house.clock.advance(10.0)
    assert house.announcer.due(house.clock.boot_ns()) == ([], False)


def test_a_kept_announcement_of_which_nothing_is_known(house: House) -> None:
    """A gateway on a new SD card takes back what the old one had announced."""
    lost = f"{ABOVE}/cellar/config"
    assert house.hear(lost, b"{}", retained=True) == [Message(lost, b"")]
    assert house.told()[lost] == b""
    house.announcer.cleared(lost)
    assert lost not in house.told()


@pytest.mark.parametrize(
    ("topic", "payload", "retained"),
    [
        (f"{ABOVE}/office/config", b"{}", True),
        (f"{ABOVE}/cellar/config", b"{}", False),
        (f"{ABOVE}/cellar/config", b"", True),
        ("homeassistant/device/sensorpost_attic2/cellar/config", b"{}", True),
    ],
)
def test_what_is_left_alone(house: House, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001
    """Our own, what another gateway under our id says just now, what is empty, what is not ours."""
    assert house.hear(topic, payload, retained=retained) == []


def test_a_lost_connection_forgets_the_birth(house: House) -> None:
    """Everything is told on the next one anyway."""
    house.hear("homeassistant/status", b"online")
    house.announcer.closed()
    house.clock.advance(60.0)
    assert house.announcer.due(house.clock.boot_ns()) == ([], False)


def test_a_message_that_would_be_too_large(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Is not sent: the broker would send it back to us; it is said once."""
    (house.folder / "drivers" / "wide.py").write_text(
        '"""Wide."""\nfrom gateway.driver import Channel, Driver\n\n\n'
        "class Wide(Driver):\n    channels = tuple(Channel(f'channel_{n}') for n in range(1000))\n"
        "    def read(self):\n        return {}\n"
    )
    house.start('[devices.wide]\ndriver = "wide"\n')
    assert f"{ABOVE}/wide/config" not in house.told()
    assert "too many channels" in caplog.text
