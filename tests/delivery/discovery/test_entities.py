"""From channels to entities."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from jinja2.sandbox import SandboxedEnvironment

from gateway.delivery.discovery.entities import Components, components_of, expire_after, message_expiry
from gateway.delivery.topics import Topics

from .conftest import Configure

TOPICS = Topics("sensorpost/attic")
OFFICE = '[devices.office]\ndriver = "meter"\n'


def entities(configure: Configure, text: str = OFFICE) -> Components:
    """Those of the only device."""
    (device,) = configure(text).devices
    return components_of(device, TOPICS, "sensorpost/attic/office")


def rendered(template: str, message: dict[str, Any], now: str = "2026-11-22T07:00:00Z") -> str:
    """What a template makes of a message; the functions of Home Assistant stand in for by Python's."""
    environment = SandboxedEnvironment()
    environment.filters["to_json"] = json.dumps
    environment.globals |= {"now": lambda: datetime.fromisoformat(now), "as_datetime": datetime.fromisoformat}
    return environment.from_string(template).render(value_json=message)


def test_a_number_with_a_device_class(configure: Configure) -> None:
    """Unit, state class, precision; it expires after three intervals, and 30 s at least."""
    found = entities(configure)["sensor-temperature"]
    assert found == {
        "platform": "sensor",
        "unique_id": "sensorpost/attic/office/temperature",
        "name": "Temperature",
        "value_template": "{{ value_json.get('temperature') if value_json is defined else None }}",
        "device_class": "temperature",
        "unit_of_measurement": "°C",
        "state_class": "measurement",
        "suggested_display_precision": 1,
        "expire_after": 30,
    }


def test_names(configure: Configure) -> None:
    """Home Assistant's own, in the user's language, where the device class says it all; else words of the key."""
    found = entities(configure)
    shown = {name.split("-")[1]: part.get("name", "by Home Assistant") for name, part in found.items()}
    assert shown["humidity"] == shown["pm2_5"] == shown["energy"] == shown["door"] == "by Home Assistant"
    assert (shown["temperature"], shown["dew_point"]) == ("Temperature", "Dew point")
    assert (shown["cpu_percent"], shown["items"]) == ("CPU percent", "Items")


@pytest.mark.parametrize(
    ("channel", "facts"),
    [
        ("sensor-pm2_5", {"unit_of_measurement": "\u00b5g/m³"}),
        ("sensor-energy", {"state_class": "total_increasing"}),
        ("sensor-cpu_percent", {"icon": "mdi:chip", "entity_category": "diagnostic", "enabled_by_default": False}),
        ("sensor-items", {"value_template": "{{ value_json.get('items') if value_json is defined else None }}"}),
        ("binary_sensor-door", {"device_class": "door", "payload_on": "True", "payload_off": "False"}),
        ("sensor-mode", {"device_class": "enum", "options": ["eco", "boost"]}),
    ],
)
def test_facts_of_a_channel(configure: Configure, channel: str, facts: dict[str, Any]) -> None:
    """Each kind of channel has what Home Assistant needs for it."""
    assert entities(configure)[channel].items() >= facts.items()


def test_text_is_cut_and_has_no_statistics(configure: Configure) -> None:
    """Home Assistant takes 255 characters."""
    note = entities(configure)["sensor-note"]
    assert "[:255]" in note["value_template"]
    assert not {"state_class", "device_class", "unit_of_measurement"} & note.keys()


def test_a_text_that_is_none_of_its_choices_is_unknown(configure: Configure) -> None:
    """Home Assistant would warn of each and go on showing the one before."""
    mode = entities(configure)["sensor-mode"]["value_template"]
    assert [rendered(mode, {"mode": text}) for text in ("eco", "broken", None)] == ["eco", "None", "None"]


def test_another_key_and_name_keep_the_entity(configure: Configure) -> None:
    """The unique id is made of the driver's own name; the template reads the new key."""
    renamed = OFFICE + '[devices.office.channels.humidity]\nkey = "rh"\nname = "Damp"\n'
    before, after = (entities(configure, text)["sensor-humidity"] for text in (OFFICE, renamed))
    assert after["unique_id"] == before["unique_id"]
    assert (after["name"], "get('rh')" in after["value_template"]) == ("Damp", True)


def test_a_converted_channel_is_shown_in_its_unit(configure: Configure) -> None:
    """The driver's precision is no longer meant but the usual one; the user's digits are always."""
    text = OFFICE + '[devices.office.channels.temperature]\nunit = "K"\n'
    found = entities(configure, text)["sensor-temperature"]
    assert found["unit_of_measurement"] == "K"
    assert "suggested_display_precision" not in found
    assert entities(configure)["sensor-energy"]["suggested_display_precision"] == 2
    assert entities(configure, text + "digits = 2\n")["sensor-temperature"]["suggested_display_precision"] == 2


def test_switches(configure: Configure) -> None:
    """A channel can be kept from Home Assistant, put aside or shown; a disabled one is not published at all."""
    found = entities(
        configure,
        OFFICE
        + "channels.humidity.homeassistant = false\nchannels.energy.enabled = false\n"
        + 'channels.temperature = { icon = "mdi:fire", entity_category = "diagnostic", enabled_by_default = false }\n'
        + 'channels.cpu_percent = { entity_category = "none", enabled_by_default = true }\n',
    )
    assert not {"sensor-humidity", "sensor-energy"} & found.keys()
    wanted = {"icon": "mdi:fire", "entity_category": "diagnostic", "enabled_by_default": False}
    assert found["sensor-temperature"].items() >= wanted.items()
    assert not {"entity_category", "enabled_by_default"} & found["sensor-cpu_percent"].keys()


@pytest.mark.parametrize(
    ("keys", "seconds", "kept"),
    [
        ('interval = "1s"', 30, 86_400),
        ('interval = "1m"', 180, 86_400),
        ('interval = "1d"', 259_200, 259_200),
        ('interval = "1s"\ntimeout = "2m"', 121, 86_400),  # a read may take so long and be good
        ('interval = "1s"\nchannels.items = { deadband = 1, heartbeat = "10m" }', 1800, 86_400),
    ],
)
def test_expiry(configure: Configure, keys: str, seconds: int, kept: int) -> None:
    """Three times the longest silence there can be; a broker forgets it after a day at least."""
    (device,) = configure(OFFICE + keys).devices
    assert (expire_after(device), message_expiry(device)) == (seconds, kept)


@pytest.mark.parametrize("keys", ['driver = "scanner"', 'driver = "mock"\nkind = "state"'])
def test_silence_of_events_and_states_means_nothing(configure: Configure, keys: str) -> None:
    """They do not expire."""
    (device,) = configure(f"[devices.office]\n{keys}\n").devices
    assert expire_after(device) is message_expiry(device) is None


def test_tags(configure: Configure) -> None:
    """An event with its types, and a tag scanner that a card that already lay there does not trigger."""
    found = entities(configure, '[devices.office]\ndriver = "scanner"\n')
    assert found["event-event"]["event_types"] == ["arrived", "left"]
    tag = found["tag-tag"]
    assert tag["topic"] == "sensorpost/attic/office"
    assert "at_start" in tag["value_template"]
    assert "== 'arrived'" in tag["value_template"]
    assert "sensor-dwell_s" not in found


LIES = {"time": "2026-11-22T07:00:00.000Z", "event": "arrived", "tag": "04a2"}


def test_who_leaves_is_no_scan_whatever_is_kept_from_home_assistant(configure: Configure) -> None:
    """``homeassistant = false`` takes the direction out of sight, not out of the payload."""
    hidden = '[devices.office]\ndriver = "scanner"\nchannels.event = { key = "way", homeassistant = false }\n'
    scan = entities(configure, hidden)["tag-tag"]["value_template"]
    assert [rendered(scan, {"way": way, "tag": "04a2"}) for way in ("arrived", "left")] == ["04a2", ""]


@pytest.mark.parametrize("channel", ["event", "at_start"])
def test_no_scanner_where_the_payload_does_not_say_what_a_scan_is(configure: Configure, channel: str) -> None:
    """Without the direction a card that leaves would be one; without at_start every start of the gateway."""
    text = f'[devices.office]\ndriver = "scanner"\nchannels.{channel}.enabled = false\n'
    found = entities(configure, text)
    assert "tag-tag" not in found
    assert "event-event" in found


def test_a_hidden_channel_is_no_attribute(configure: Configure) -> None:
    """Whoever keeps a tag's number from Home Assistant finds it nowhere there."""
    found = entities(configure, '[devices.office]\ndriver = "scanner"\nchannels.tag.homeassistant = false\n')
    assert "tag-tag" not in found
    shown = json.loads(rendered(found["event-event"]["value_template"], LIES))
    assert shown == {"time": LIES["time"], "event": "arrived", "event_type": "arrived"}


@pytest.mark.parametrize(("keys", "inline"), [("retain = true\n", False), ("", True)])
def test_what_happened_long_ago_is_no_event(configure: Configure, keys: str, *, inline: bool) -> None:
    """A tag scanner takes what the broker has kept for a scan, at every start of Home Assistant."""
    (device,) = configure(f'[devices.office]\ndriver = "scanner"\n{keys}').devices
    found = components_of(device, TOPICS, "u", inline=inline)
    for name in ("event-event", "tag-tag"):
        template = found[name]["value_template"]
        assert rendered(template, LIES, "2026-11-22T07:00:10Z")
        assert not rendered(template, LIES, "2026-11-22T08:00:00Z")


def test_an_event_of_no_known_type_is_none(configure: Configure) -> None:
    """Home Assistant would warn of it."""
    event = entities(configure, '[devices.office]\ndriver = "scanner"\n')["event-event"]["value_template"]
    assert not rendered(event, {**LIES, "event": "swallowed"})


def test_an_event_without_types(configure: Configure) -> None:
    """Has one type, so that any driver's events can be used."""
    found = entities(configure, '[devices.office]\ndriver = "mock"\nkind = "event"\nsignals.count.shape = "counter"\n')
    assert found["event-event"]["event_types"] == ["event"]


def test_diagnostics_outlive_the_device(configure: Configure) -> None:
    """State, last error and failures are there when the device is not: only the gateway has to be."""
    found = entities(configure)
    for name in ("state", "error", "failed"):
        part = found[f"sensor-diagnostic-{name}"]
        assert part["availability"] == [{"topic": "sensorpost/attic/gateway/state"}]
        assert (part["state_topic"], part["entity_category"]) == ("sensorpost/attic/office/status", "diagnostic")
