"""What Home Assistant can do with a device, where commands are allowed: a restart, and channels that can be set.

Facts are of Home Assistant 2025.4: a number's step is at least 0.001, a switch has no device class but outlet and
switch, and none of these entities expires.
"""

from __future__ import annotations

import json
from typing import Any

from gateway.config.settings import ChannelSettings, DeviceSettings
from gateway.delivery.commands.values import bounds
from gateway.delivery.discovery.entities import Component, Components, look_of, name_of, pick, text_of
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
    """The channels that Home Assistant can set."""
    if device.kind is Kind.EVENT:
        return []
    return [one for one in device.channels if one.enabled and one.homeassistant and one.channel.writable]


def _own(channel: ChannelSettings) -> tuple[str, Component]:
    """The platform of a channel, and what only that has."""
    declared = channel.channel
    if declared.type is bool:
        states = {"state_on": "True", "state_off": "False"}
        return "switch", {"value_template": pick(channel.key), "payload_on": "true", "payload_off": "false", **states}
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
