"""The discovery message of each device and of the gateway itself: one retained message with all entities."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from gateway import __version__
from gateway.config.settings import DeviceSettings, Settings
from gateway.delivery.discovery.controls import with_controls
from gateway.delivery.discovery.entities import Component, Components, components_of, pick
from gateway.delivery.topics import Topics

PLAIN = re.compile(r"[a-zA-Z0-9_-]+")
"""What Home Assistant accepts in a level of a discovery topic."""
GATEWAY = "gateway"

Announcement = dict[str, Any]


def announcements(settings: Settings, topics: Topics) -> dict[str, Announcement]:
    """All messages by topic, the gateway's first, since the devices refer to it."""
    where = folder(settings)
    found = {f"{where}/{GATEWAY}/config": gateway_message(settings.gateway_id, topics)}
    for device in settings.devices:
        if device.homeassistant:
            found[f"{where}/{level(device.device)}/config"] = device_message(
                device,
                settings.gateway_id,
                topics,
                commands=settings.commands.enabled,
                inline=settings.mqtt.replay == "inline",
            )
    return found


def folder(settings: Settings) -> str:
    """Above the discovery topics of all devices of a gateway."""
    return f"{settings.homeassistant.prefix}/device/sensorpost_{settings.gateway_id}"


def level(device: str) -> str:
    """A device's name as a level of a discovery topic; no two devices have the same one."""
    if PLAIN.fullmatch(device):
        return device
    return f"{re.sub(r'[^a-zA-Z0-9_-]', '_', device)}_{hashlib.sha256(device.encode()).hexdigest()[:10]}"


def device_message(
    device: DeviceSettings, gateway_id: str, topics: Topics, *, commands: bool = False, inline: bool = False
) -> Announcement:
    """A device with everything that it measures and what is known of its health.

    With ``commands`` also what can be done with it. ``inline``: late readings come on the live topic, too.
    """
    driver = device.driver_type
    unique = f"sensorpost/{gateway_id}/{device.device}"
    about: Component = {"identifiers": [unique], "name": device.name, "via_device": f"sensorpost/{gateway_id}"}
    if device.area:
        about["suggested_area"] = device.area
    if driver is not None and driver.manufacturer:
        about["manufacturer"] = driver.manufacturer
    about["model"] = (driver.model if driver is not None else "") or device.driver
    shown = components_of(device, topics, unique, inline=inline)
    return _message(
        about,
        with_controls(shown, device, topics, unique) if commands else shown,
        state_topic=topics.live(device.device),
        availability=[{"topic": topics.gateway("state")}, {"topic": topics.availability(device.device)}],
        availability_mode="all",
    )


def gateway_message(gateway_id: str, topics: Topics) -> Announcement:
    """The gateway itself."""
    unique = f"sensorpost/{gateway_id}"
    about = {
        "identifiers": [unique],
        "name": gateway_id,
        "manufacturer": "sensorpost",
        "model": "Gateway",
        "sw_version": __version__,
    }
    there = [{"topic": topics.gateway("state")}]
    connected = {
        "platform": "binary_sensor",
        "unique_id": f"{unique}/connected",
        "name": "Connected",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": topics.gateway("state"),
        "payload_on": "online",
        "payload_off": "offline",
    }
    components: Components = {"binary_sensor-connected": connected}
    for platform, name, more in _OF_HEALTH:
        components[f"{platform}-{name}"] = {
            "platform": platform,
            "unique_id": f"{unique}/{name}",
            "entity_category": "diagnostic",
            "availability": there,
            **more,
        }
    return _message(about, components, state_topic=topics.gateway("health"))


def _message(about: Component, components: Components, **shared: Any) -> Announcement:
    return {
        "device": about,
        "origin": {"name": "sensorpost", "sw_version": __version__},
        **shared,
        "components": {name: {**component, "qos": 1} for name, component in components.items()},  # no shared option
    }


_MEASUREMENT = {"state_class": "measurement"}
_OF_HEALTH: tuple[tuple[str, str, Component], ...] = (
    ("sensor", "spool", {"name": "Spool", "icon": "mdi:database", "value_template": pick("state", "spool")}),
    (
        "sensor",
        "queued",
        {
            "name": "Waiting readings",
            "icon": "mdi:tray-full",
            "value_template": pick("queued", "spool"),
            **_MEASUREMENT,
        },
    ),
    (
        "sensor",
        "oldest",
        {
            "name": "Oldest waiting reading",
            "device_class": "duration",
            "unit_of_measurement": "s",
            "value_template": pick("oldest_s", "spool", otherwise="0"),  # null: nothing waits
            **_MEASUREMENT,
        },
    ),
    (
        "sensor",
        "dead",
        {"name": "Dead letters", "icon": "mdi:email-alert", "value_template": pick("dead", "spool"), **_MEASUREMENT},
    ),
    (
        "sensor",
        "clock",
        {
            "name": "Clock",
            "device_class": "enum",
            "options": ["synced", "trusted", "unsynced"],
            "value_template": pick("clock"),
        },
    ),
    (
        "binary_sensor",
        "undervoltage",
        {
            "name": "Undervoltage",
            "device_class": "problem",
            "payload_on": "True",
            "payload_off": "False",
            "value_template": pick("undervoltage", "host"),
        },
    ),
    (
        "sensor",
        "temperature",
        {
            "name": "Processor temperature",
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            "suggested_display_precision": 1,
            "value_template": pick("temperature_c", "host"),
            **_MEASUREMENT,
        },
    ),
    ("sensor", "version", {"name": "Version", "icon": "mdi:tag", "value_template": pick("version")}),
    (
        "sensor",
        "alarms",
        {
            "name": "Alarms",
            "icon": "mdi:alert",
            "value_template": "{{ ((value_json.get('alarms') or []) | join('; '))[:255] or 'none'"
            " if value_json is defined else None }}",
        },
    ),
)
