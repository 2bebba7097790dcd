"""From the channels of a device to the entities that Home Assistant makes of them.

Facts are of Home Assistant 2025.4, https://www.home-assistant.io/integrations/mqtt/: a payload ``None`` is unknown, a
text is at most 255 characters long, and a template that renders nothing is ignored by events and tag scanners. Every
template copes with a message that is no JSON, such as the empty one with which somebody clears a retained topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.config.settings import ChannelSettings, DeviceSettings
from gateway.delivery.topics import Topics
from gateway.driver import Kind
from gateway.status.board import State
from gateway.units import state_class_of, unit_in_home_assistant

Component = dict[str, Any]
Components = dict[str, Component]
"""By component id: the platform, a dash, and a name that is no other channel's."""

LONGEST_TEXT = 255
ARRIVED = "arrived"
ANY_EVENT = "event"
"""The type of an event whose driver declares no types."""
SAME_AS_CLASS = {
    "relative_humidity": "humidity",
    "lux": "illuminance",
    "co2": "carbon_dioxide",
    "pm1_0": "pm1",
    "pm2_5": "pm25",
    "barometric_pressure": "atmospheric_pressure",
}
"""Names of channels that say no more than their device class."""
ACRONYMS = frozenset({"co", "co2", "cpu", "ip", "led", "nox", "ph", "rssi", "snr", "tvoc", "usb", "uv", "voc"})
USUAL_PRECISION: dict[tuple[str | None, str | None], int] = {
    ("temperature", "°C"): 1,
    ("temperature", "°F"): 1,
    ("humidity", "%"): 1,
    ("atmospheric_pressure", "hPa"): 1,
    ("pressure", "hPa"): 1,
    ("pressure", "bar"): 2,
    ("carbon_dioxide", "ppm"): 0,
    ("illuminance", "lx"): 0,
    ("voltage", "V"): 1,
    ("current", "A"): 2,
    ("power", "W"): 0,
    ("power", "kW"): 3,
    ("apparent_power", "VA"): 0,
    ("reactive_power", "var"): 0,
    ("power_factor", None): 2,
    ("frequency", "Hz"): 2,
    ("energy", "kWh"): 2,
}
"""Decimals that a person wants to see where driver and user say nothing; the value itself is not rounded."""
LEAST_MESSAGE_EXPIRY = 86_400
LEAST_EXPIRY = 30.0
"""Seconds: a restart of the gateway must not let values expire."""


def components_of(device: DeviceSettings, topics: Topics, unique: str) -> Components:
    """All entities of a device; ``unique`` is what their unique ids begin with.

    Ids are made of the driver's own channel names, so that another key or name keeps the entity and its history.
    """
    told = [channel for channel in device.channels if channel.enabled and channel.homeassistant]
    if device.kind is Kind.EVENT:
        found = _events(told, topics.live(device.device), unique)
    else:
        classes = [channel.channel.device_class for channel in told]
        expiry = expire_after(device)
        found = {}
        for channel in told:
            alone = classes.count(channel.channel.device_class) == 1
            platform = "binary_sensor" if channel.channel.type is bool else "sensor"
            found[f"{platform}-{channel.channel.name}"] = {
                "platform": platform,
                "unique_id": f"{unique}/{channel.channel.name}",
                **name_of(channel, alone=alone),
                **_value(channel),
                **look_of(channel),
                **({} if expiry is None else {"expire_after": expiry}),
            }
    return found | _diagnostics(topics.status(device.device), topics.gateway("state"), unique)


def expire_after(device: DeviceSettings) -> int | None:
    """Seconds without a reading after which a value is no longer believed; ``None`` where silence means nothing."""
    if device.kind is not Kind.SAMPLED or device.interval is None:
        return None
    quiet = [channel.heartbeat for channel in device.channels if channel.enabled and channel.deadband is not None]
    longest = max(device.interval, device.batch, *(quiet and [max(quiet)]))
    return round(max(3 * longest, LEAST_EXPIRY))


def message_expiry(device: DeviceSettings) -> int | None:
    """Seconds after which a broker forgets a retained reading, so that nobody takes it for fresh after a restart.

    That a gateway or a device is away is said by their availability at once; this is for when nobody could say so. It
    is a day at least, since a broker forgets the copies for subscribers that are away just as well: a database that
    was down for an hour must still get every reading.
    """
    expiry = expire_after(device)
    return None if expiry is None else max(expiry, LEAST_MESSAGE_EXPIRY)


def pick(key: str, within: str = "", otherwise: str = "None") -> str:
    """A template for the value of one key, or of one in a table ``within``; ``otherwise`` where that is null."""
    table = f"(value_json.get('{within}') or {{}})" if within else "value_json"
    value = f"{table}.get('{key}')" if otherwise == "None" else f"({table}.get('{key}') or {otherwise})"
    return f"{{{{ {value} if value_json is defined else None }}}}"


def text(key: str, otherwise: str = "None") -> str:
    """A template for a text, cut to what Home Assistant takes."""
    value = f"value_json.get('{key}')"
    return f"{{{{ {value}[:{LONGEST_TEXT}] if value_json is defined and {value} is string else {otherwise} }}}}"


def _value(channel: ChannelSettings) -> Component:
    """Where the value comes from and what it is."""
    declared = channel.channel
    device_class: Component = {} if declared.device_class is None else {"device_class": declared.device_class}
    if declared.type is bool:
        return {"value_template": pick(channel.key), "payload_on": "True", "payload_off": "False"} | (device_class)
    if declared.type is str:
        if declared.choices:
            device_class = {"device_class": "enum", "options": list(declared.choices)}
        return {"value_template": text(channel.key)} | device_class
    unit = unit_in_home_assistant(channel.unit, declared.device_class)
    as_declared = channel.unit == declared.unit and channel.scale is None
    precision = channel.digits
    if precision is None and as_declared:
        precision = declared.precision
    if precision is None:
        precision = USUAL_PRECISION.get((declared.device_class, unit))
    optional = {
        "unit_of_measurement": unit,
        "state_class": state_class_of(declared.device_class, declared.state_class),
        "suggested_display_precision": precision,
    }
    return {"value_template": pick(channel.key)} | device_class | _given(optional)


def name_of(channel: ChannelSettings, *, alone: bool) -> Component:
    """None where Home Assistant has a translated one: when the user gave none and the device class says it all."""
    if channel.name != channel.key:
        return {"name": channel.name}
    meant = SAME_AS_CLASS.get(channel.key, channel.key)
    if alone and meant == channel.channel.device_class:
        return {}
    words = [word.upper() if word in ACRONYMS else word for word in channel.key.split("_") if word]
    name = " ".join(words) or channel.key
    return {"name": name[0].upper() + name[1:]}


def look_of(channel: ChannelSettings) -> Component:
    """How it is shown there."""
    hidden = {} if channel.enabled_by_default else {"enabled_by_default": False}
    return _given({"entity_category": channel.entity_category, "icon": channel.icon}) | hidden


def _events(channels: Iterable[ChannelSettings], live: str, unique: str) -> Components:
    """One event entity with all channels as attributes; a tag scanner where there are tags.

    A card that lay there at the gateway's start was not scanned.
    """
    by_name: Mapping[str, ChannelSettings] = {channel.channel.name: channel for channel in channels}
    if not by_name:
        return {}
    types: tuple[str, ...] = (ANY_EVENT,)
    kind, when = f"'{ANY_EVENT}'", "value_json is defined"
    if (event := by_name.get("event")) is not None and event.channel.choices:
        types = event.channel.choices
        kind = f"value_json.get('{event.key}')"
        when += f" and {kind}"
    found: Components = {
        "event-event": {
            "platform": "event",
            "unique_id": f"{unique}/event",
            "name": None,
            "event_types": list(types),
            "value_template": f"{{{{ dict(value_json, event_type={kind}) | to_json if {when} else '' }}}}",
        }
    }
    if (tag := by_name.get("tag")) is not None:
        found["event-event"]["icon"] = "mdi:nfc-variant"
        at_start = by_name["at_start"].key if "at_start" in by_name else "at_start"
        scanned = f"value_json is defined and not value_json.get('{at_start}')"
        if event is not None and ARRIVED in types:
            scanned += f" and value_json.get('{event.key}') == '{ARRIVED}'"
        found["tag-tag"] = {
            "platform": "tag",
            "topic": live,
            "value_template": f"{{{{ value_json.get('{tag.key}') or '' if {scanned} else '' }}}}",
        }
    return found


def _diagnostics(status: str, gateway: str, unique: str) -> Components:
    """What can be told of a device that does not work, so only the gateway has to be there for it."""
    common = {
        "platform": "sensor",
        "state_topic": status,
        "availability": [{"topic": gateway}],
        "entity_category": "diagnostic",
    }
    return {
        "sensor-diagnostic-state": common
        | {
            "unique_id": f"{unique}/diagnostic-state",
            "name": "State",
            "device_class": "enum",
            "options": [str(state) for state in State],
            "value_template": pick("state"),
        },
        "sensor-diagnostic-error": common
        | {
            "unique_id": f"{unique}/diagnostic-error",
            "name": "Last error",
            "icon": "mdi:alert-circle-outline",
            "value_template": text("last_error", "'none'"),
        },
        "sensor-diagnostic-failed": common
        | {
            "unique_id": f"{unique}/diagnostic-failed",
            "name": "Failed reads",
            "icon": "mdi:counter",
            "state_class": "total_increasing",
            "value_template": pick("failed"),
        },
    }


def _given(values: Mapping[str, Any]) -> Component:
    return {key: value for key, value in values.items() if value is not None}
