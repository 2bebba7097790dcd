"""What Home Assistant can do with a device, where commands are allowed: a restart, and channels that can be set.

Facts are of Home Assistant 2025.4: a number's step is at least 0.001, a switch has no device class but outlet and
switch, a text has at most 255 characters and must be one (so what is null is shown as nothing), and none of these
entities expires.
"""

from __future__ import annotations

import json
from typing import Any

from gateway.config.settings import ChannelSettings, DeviceSettings
from gateway.delivery.commands.values import bounds
from gateway.delivery.discovery.entities import (
    LONGEST_TEXT,
    Component,
    Components,
    look_of,
    name_of,
    pick,
    text,
    text_of,
)
from gateway.delivery.topics import Topics
from gateway.driver import Kind
from gateway.units import unit_in_home_assistant

ID = "home-assistant"
"""Comes back with the answer, which Home Assistant does not listen to."""
FINEST = 3
"""Decimals of a number's step."""


def with_controls(shown: Components, device: DeviceSettings, topics: Topics, unique: str) -> Components:
    """With a button that restarts the device, and in the place of what shows a writable channel one that sets it.

    A device that does not work can be restarted all the same, so for the button only the gateway has to be there.
    """
    writable = {channel.channel.name for channel in settable(device)}
    found: Components = {name: one for name, one in shown.items() if name.partition("-")[2] not in writable} | {
        "button-restart": {
            "platform": "button",
            "unique_id": f"{unique}/restart",
            "name": "Restart",
            "device_class": "restart",
            "entity_category": "config",
            "availability": [{"topic": topics.gateway("state")}],
            "command_topic": topics.gateway("request/restart"),
            "payload_press": json.dumps({"id": ID, "device": device.device}),
        }
    }
    for channel in settable(device):
        platform, own = _own(channel)
        found[f"{platform}-{channel.channel.name}"] = {
            "platform": platform,
            "unique_id": f"{unique}/{channel.channel.name}",
            "command_topic": f"{topics.live(device.device)}/set/{channel.key}",
            **name_of(channel, alone=False),
            **own,
            **look_of(channel),
        }
    return found


def settable(device: DeviceSettings) -> list[ChannelSettings]:
    """The channels that Home Assistant can set. What an event has is over at once: only a text may be set there."""
    told = [one for one in device.channels if one.enabled and one.homeassistant and one.channel.writable]
    return [one for one in told if _is_text(one) or (device.kind is not Kind.EVENT and one.channel.max_length is None)]


def _is_text(channel: ChannelSettings) -> bool:
    """Whether it is a free text, and not longer than any text there."""
    return channel.channel.max_length is not None and channel.channel.max_length <= LONGEST_TEXT


def _own(channel: ChannelSettings) -> tuple[str, Component]:
    """The platform of a channel, and what only that has."""
    declared = channel.channel
    if declared.type is bool:
        states = {"state_on": "True", "state_off": "False"}
        return "switch", {"value_template": pick(channel.key), "payload_on": "true", "payload_off": "false", **states}
    if declared.max_length is not None:
        limits = {"min": 0, "max": declared.max_length, "mode": "text"}
        return "text", {"value_template": text(channel.key, "''"), **limits}
    if declared.type is str:
        return "select", {"value_template": text_of(channel), "options": list(declared.choices)}
    low, high = bounds(channel)
    decimals = channel.digits if channel.digits is not None else declared.precision
    number: dict[str, Any] = {
        "value_template": pick(channel.key),
        "min": round(low, 6),
        "max": round(high, 6),
        "step": 10.0 ** -min(FINEST, 1 if decimals is None else decimals),
        "mode": "box",
    }
    if declared.device_class is not None:
        number["device_class"] = declared.device_class
    if (unit := unit_in_home_assistant(channel.unit, declared.device_class)) is not None:
        number["unit_of_measurement"] = unit
    return "number", number
