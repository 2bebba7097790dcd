"""What Home Assistant can do with a device, where commands are allowed."""

from __future__ import annotations

import json
from typing import Any

from support.home_assistant_rules import complaints
from support.readers import device, driver

from gateway.config.load import loads
from gateway.delivery.discovery.controls import with_controls
from gateway.delivery.discovery.messages import announcements
from gateway.delivery.topics import Topics
from gateway.driver import Channel

TOPICS = Topics("sensorpost/attic")
OFFICE = """
[devices.office]
driver = "mock"
[devices.office.signals]
gain = { shape = "constant", max = 2, writable = true }
relay = { shape = "constant", value = false, writable = true }
mode = { shape = "constant", value = "eco", values = ["boost"], writable = true }
light = { unit = "lx", device_class = "illuminance" }
[devices.office.signals.level]
shape = "constant"
value = 20
min = 5
max = 30
unit = "°C"
device_class = "temperature"
writable = true
"""


def components(devices: str = OFFICE, *, commands: str = "enabled = true") -> dict[str, Any]:
    """Those of the office, of which Home Assistant has nothing to complain."""
    settings = loads(f'[gateway]\nid = "attic"\n[homeassistant]\ndiscovery = true\n[commands]\n{commands}\n{devices}')
    messages = announcements(settings, TOPICS)
    assert [complaint for topic, message in messages.items() for complaint in complaints(topic, message)] == []
    found: dict[str, Any] = messages["homeassistant/device/sensorpost_attic/office/config"]["components"]
    return found


def test_a_button_for_every_device() -> None:
    """It asks for a restart; for a device that hangs only the gateway has to be there."""
    button = components()["button-restart"]
    assert json.loads(button.pop("payload_press")) == {"id": "home-assistant", "device": "office"}
    assert button == {
        "platform": "button",
        "unique_id": "sensorpost/attic/office/restart",
        "name": "Restart",
        "device_class": "restart",
        "entity_category": "config",
        "availability": [{"topic": "sensorpost/attic/gateway/state"}],
        "command_topic": "sensorpost/attic/gateway/request/restart",
        "qos": 1,
    }
    assert components('[devices.office]\ndriver = "mock"\nkind = "event"\n')["button-restart"]


def test_what_can_be_set_is_set_there() -> None:
    """In the place of the sensor; what cannot be set stays one."""
    found = {name: one for name, one in components().items() if "diagnostic" not in name}
    assert set(found) == {
        "button-restart",
        "number-level",
        "number-gain",
        "switch-relay",
        "select-mode",
        "sensor-light",
    }
    level = found["number-level"]
    assert level["command_topic"] == "sensorpost/attic/office/set/level"
    assert (level["min"], level["max"], level["step"]) == (5, 30, 0.1)
    assert (level["unit_of_measurement"], level["device_class"]) == ("°C", "temperature")
    assert (found["switch-relay"]["payload_on"], found["switch-relay"]["state_on"]) == ("true", "True")
    assert found["select-mode"]["options"] == ["eco", "boost"]


def test_a_free_text() -> None:
    """With its length, where Home Assistant has texts of that length; what is null is shown as nothing."""
    channels = (
        Channel("note", type=str, max_length=48, writable=True),
        Channel("book", type=str, max_length=256, writable=True),
    )
    office = device("office", driver(lambda _: None, channels=channels))
    found = with_controls({}, office, TOPICS, "sensorpost/attic/office")
    assert set(found) == {"button-restart", "text-note"}
    assert found["text-note"] == {
        "platform": "text",
        "unique_id": "sensorpost/attic/office/note",
        "command_topic": "sensorpost/attic/office/set/note",
        "name": "Note",
        "value_template": "{{ value_json.get('note')[:255] "
        "if value_json is defined and value_json.get('note') is string else '' }}",
        "min": 0,
        "max": 48,
        "mode": "text",
    }
    shared = {"state_topic": "sensorpost/attic/office", "device": {"identifiers": ["x"]}, "origin": {"name": "x"}}
    assert complaints("homeassistant/device/x/config", {**shared, "components": found}) == []


def test_as_it_is_published() -> None:
    """In the published unit and under the published key, with the user's name and decimals."""
    more = '[devices.office.channels.level]\nunit = "°F"\nkey = "setpoint"\nname = "Wanted"\ndigits = 0\nmin = 10\n'
    level = components(OFFICE + more)["number-level"]
    assert level["command_topic"] == "sensorpost/attic/office/set/setpoint"
    assert level["unique_id"] == "sensorpost/attic/office/level"
    assert (level["name"], level["min"], level["max"], level["step"]) == ("Wanted", 50.0, 86.0, 1.0)
    assert level["unit_of_measurement"] == "°F"
    hidden = components(OFFICE + "[devices.office.channels.relay]\nhomeassistant = false\n")
    assert not any("relay" in name for name in hidden)


def test_nothing_of_it_without_commands() -> None:
    """Everything is shown and nothing can be done."""
    found = components(commands="enabled = false")
    assert {one["platform"] for one in found.values()} == {"sensor", "binary_sensor"}
    assert {"sensor-level", "sensor-gain", "binary_sensor-relay", "sensor-mode"} <= set(found)
