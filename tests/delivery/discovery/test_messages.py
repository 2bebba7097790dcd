"""Whole discovery messages, held against what Home Assistant accepts."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.home_assistant_rules import TOPIC, complaints

from gateway.catalog import Catalog
from gateway.config.load import loads
from gateway.delivery.discovery.messages import announcements, level
from gateway.delivery.topics import Topics
from gateway.testing.pages import sections

from .conftest import Configure

TOPICS = Topics("sensorpost/attic")
ROOT = Path(__file__).resolve().parents[3]
DRIVERS = sorted(path.stem for path in (ROOT / "drivers").glob("*.py") if path.stem != "__init__")
ALL = """
[devices.office]
driver = "meter"
name = "Office"
area = "First floor"
[devices.door]
driver = "scanner"
[devices.odd]
driver = "broken"
[devices."büro 2"]
driver = "mock"
"""


def test_home_assistant_has_nothing_to_complain_of(configure: Configure) -> None:
    """All kinds of devices, a broken one, and a name that is no word in a topic."""
    found = announcements(configure(ALL), TOPICS)
    assert [complaint for topic, message in found.items() for complaint in complaints(topic, message)] == []
    assert len(found) == 5


def test_a_name_of_spaces_is_none(configure: Configure) -> None:
    """Nobody could tell in Home Assistant what it is."""
    channel = 'channels.humidity.name = " "\n'
    settings = configure(f'[devices.office]\ndriver = "meter"\nname = " "\narea = "  "\n{channel}')
    office = announcements(settings, TOPICS)["homeassistant/device/sensorpost_attic/office/config"]
    assert office["device"]["name"] == "office"
    assert "suggested_area" not in office["device"]
    assert "name" not in office["components"]["sensor-humidity"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_bundled_driver(driver: str) -> None:
    """The sample of each driver gives entities that Home Assistant takes."""
    found = Catalog().find(driver)
    assert found is not None
    assert found.driver is not None
    settings = loads(f'[gateway]\nid = "attic"\n[homeassistant]\ndiscovery = true\n{sample(found.driver)}')
    messages = announcements(settings, TOPICS)
    assert [complaint for topic, message in messages.items() for complaint in complaints(topic, message)] == []


def sample(driver: type) -> str:
    """The stanza in a driver's docstring."""
    return sections(driver)["Sample"]


def test_the_gateway_comes_first_and_is_what_devices_refer_to(configure: Configure) -> None:
    """Home Assistant links a device to one that it knows."""
    found = list(announcements(configure(ALL), TOPICS).values())
    assert found[0]["device"]["identifiers"] == ["sensorpost/attic"]
    assert {message["device"]["via_device"] for message in found[1:]} == {"sensorpost/attic"}


def test_what_is_said_of_a_device(configure: Configure) -> None:
    """Name and area from the configuration, maker and model from the driver; gateway and device have to be there."""
    message = announcements(configure(ALL), TOPICS)["homeassistant/device/sensorpost_attic/office/config"]
    assert message["device"] == {
        "identifiers": ["sensorpost/attic/office"],
        "name": "Office",
        "via_device": "sensorpost/attic",
        "suggested_area": "First floor",
        "manufacturer": "Acme",
        "model": "M 1",
    }
    assert message["availability_mode"] == "all"
    assert [one["topic"] for one in message["availability"]] == [
        "sensorpost/attic/gateway/state",
        "sensorpost/attic/office/availability",
    ]


def test_prefix_and_switch(configure: Configure) -> None:
    """Another prefix; and a device that Home Assistant is not told of."""
    settings = configure(
        ALL.replace('driver = "scanner"', 'driver = "scanner"\nhomeassistant = false'),
        'discovery = true\nprefix = "home/ha"',
    )
    topics = list(announcements(settings, TOPICS))
    assert all(topic.startswith("home/ha/device/sensorpost_attic/") for topic in topics)
    assert "home/ha/device/sensorpost_attic/door/config" not in topics


@given(st.lists(st.text(st.sampled_from(string.ascii_lowercase + "-_ äö."), min_size=1), unique=True, max_size=8))
def test_levels(names: list[str]) -> None:
    """Whatever devices are called, their topics are legal and no two are the same."""
    levels = [level(name) for name in names]
    assert len(set(levels)) == len(names)
    assert all(TOPIC.fullmatch(f"homeassistant/device/sensorpost_g/{one}/config") for one in levels)


def test_messages_are_json(configure: Configure) -> None:
    """Nothing in them is of another type."""
    assert json.loads(json.dumps(announcements(configure(ALL), TOPICS)))
