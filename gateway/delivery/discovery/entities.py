"""From the channels of a device to the entities that Home Assistant makes of them.

Facts are of Home Assistant 2025.4, https://www.home-assistant.io/integrations/mqtt/: a payload ``None`` is unknown, a
text is at most 255 characters long, and a template that renders nothing is ignored by events and tag scanners. Every
template copes with a message that is no JSON, such as the empty one with which somebody clears a retained topic.
"""

from __future__ import annotations

import json
import math
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
NEWS = 15
"""Seconds for which an event is one that has just happened, by the gateway's clock and Home Assistant's."""
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
DATES = frozenset({"date", "timestamp"})
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


def components_of(device: DeviceSettings, topics: Topics, unique: str, *, inline: bool = False) -> Components:
    """All entities of a device; ``unique`` is what their unique ids begin with.

    Ids are made of the driver's own channel names, so that another key or name keeps the entity and its history.
    ``inline``: late readings come on the live topic, too.
    """
    if device.kind is Kind.EVENT:
        found = _events(device, topics.live(device.device), unique, late=inline or device.retain)
    else:
        told = [channel for channel in device.channels if channel.enabled and channel.homeassistant]
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
    return math.ceil(max(3 * longest, longest + device.timeout, LEAST_EXPIRY))


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


def text_of(channel: ChannelSettings) -> str:
    """A template that knows only what Home Assistant takes: of anything else it would warn and show the text before."""
    declared, key = channel.channel, channel.key
    value = f"value_json.get('{key}')"
    if declared.choices:
        good = f"{value} in {_literal(declared.choices)}"
    elif declared.device_class in DATES:
        good = f"{value} is string and as_datetime({value}, none) is not none"
        if declared.device_class == "timestamp":
            good += f" and as_datetime({value}).tzinfo is not none"
    else:
        return text(key)
    return f"{{{{ {value} if value_json is defined and {good} else None }}}}"


def _literal(texts: Iterable[str]) -> str:
    """A list of texts in a template, where JSON's escapes mean the same."""
    return json.dumps(list(texts))


def _value(channel: ChannelSettings) -> Component:
    """Where the value comes from and what it is."""
    declared = channel.channel
    device_class: Component = {} if declared.device_class is None else {"device_class": declared.device_class}
    if declared.type is bool:
        return {"value_template": pick(channel.key), "payload_on": "True", "payload_off": "False"} | (device_class)
    if declared.type is str:
        if declared.choices:
            device_class = {"device_class": "enum", "options": list(declared.choices)}
        return {"value_template": text_of(channel)} | device_class
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


def _events(device: DeviceSettings, live: str, unique: str, *, late: bool) -> Components:
    """One event entity with all channels as attributes; a tag scanner where there are tags.

    A card that lay there at the gateway's start was not scanned, nor was one that leaves: where the payload does not
    say so, there is no scanner. ``late``: the topic may bring what happened long ago, and a tag scanner takes even
    what the broker has kept for a scan; so only news counts.
    """
    by_name: Mapping[str, ChannelSettings] = {channel.channel.name: channel for channel in device.channels}
    told = {name for name, channel in by_name.items() if channel.enabled and channel.homeassistant}
    hidden = [channel.key for channel in by_name.values() if channel.enabled and not channel.homeassistant]
    if not told:
        return {}
    news = "value_json is defined"
    if late:
        news += f" and (now() - as_datetime(value_json.get('time') or 0)).total_seconds() | abs < {NEWS}"
    types: tuple[str, ...] = (ANY_EVENT,)
    kind, when = f"'{ANY_EVENT}'", news
    event = by_name.get("event")
    if event is not None and event.channel.choices and "event" in told:
        types = event.channel.choices
        kind = f"value_json.get('{event.key}')"
        when += f" and {kind} in {_literal(types)}"
    content = f"value_json.items() | rejectattr(0, 'in', {_literal(hidden)})" if hidden else "value_json"
    found: Components = {
        "event-event": {
            "platform": "event",
            "unique_id": f"{unique}/event",
            "name": None,
            "event_types": list(types),
            "value_template": f"{{{{ dict({content}, event_type={kind}) | to_json if {when} else '' }}}}",
        }
    }
    if "tag" in by_name:
        found["event-event"]["icon"] = "mdi:nfc-variant"
    start, directed = by_name.get("at_start"), event is not None and ARRIVED in event.channel.choices
    needed = [one for one in (start, event if directed else None) if one is not None]
    if "tag" in told and all(one.enabled for one in needed):
        scanned = f"{news} and not value_json.get('{start.key if start is not None else 'at_start'}')"
        if event is not None and directed:
            scanned += f" and value_json.get('{event.key}') == '{ARRIVED}'"
        found["tag-tag"] = {
            "platform": "tag",
            "topic": live,
            "value_template": f"{{{{ value_json.get('{by_name['tag'].key}') or '' if {scanned} else '' }}}}",
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
