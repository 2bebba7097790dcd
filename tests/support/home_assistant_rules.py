"""What Home Assistant 2025.4 accepts of a device's discovery message, restated as data.

The facts are of its MQTT integration (schemas.py, sensor.py, binary_sensor.py, event.py, tag.py, button.py and so on)
and of the tables in components/sensor/const.py. ``tests/homeassistant`` holds the product against the real one.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.device_classes import BINARY, PLAIN_STATE_CLASSES, SENSOR, STATE_CLASSES, TEXT

TOPIC = re.compile(r"[^/+#]+(/[^/+#]+)*/device/([a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")
SHARED = {"availability", "availability_mode", "state_topic"}
DEVICE = {
    *("identifiers", "manufacturer", "model", "model_id", "name", "hw_version", "serial_number", "sw_version"),
    *("via_device", "suggested_area", "configuration_url"),
}
COMMON = {
    *("platform", "unique_id", "name", "icon", "entity_category", "enabled_by_default", "qos", "value_template"),
    *SHARED,
}
OWN = {
    "sensor": {
        *("device_class", "expire_after", "options", "suggested_display_precision", "state_class"),
        "unit_of_measurement",
    },
    "binary_sensor": {"device_class", "expire_after", "payload_on", "payload_off"},
    "event": {"device_class", "event_types"},
    "tag": {"topic"},
    "button": {"command_topic", "device_class", "payload_press"},
    "switch": {"command_topic", "device_class", "payload_on", "payload_off", "state_on", "state_off"},
    "number": {"command_topic", "device_class", "min", "max", "mode", "step", "unit_of_measurement"},
    "select": {"command_topic", "options"},
    "text": {"command_topic", "max", "min", "mode", "pattern"},
}


COMMANDED = ("button", "switch", "number", "select", "text")
"""What somebody can do something with."""


def complaints(topic: str, message: dict[str, Any]) -> list[str]:
    """What Home Assistant would refuse or warn of; empty when nothing is."""
    found = [] if TOPIC.fullmatch(topic) else [f"illegal discovery topic {topic}"]
    if not (message["device"].get("identifiers") and message["origin"].get("name")):
        found.append("identifiers and origin.name are required")
    found += [f"device.{key} is unknown" for key in message["device"].keys() - DEVICE]
    found += [f"{key} is unknown" for key in message.keys() - SHARED - {"device", "origin", "components"}]
    unique = []
    for name, component in message["components"].items():
        platform = component.get("platform")
        if platform not in OWN or " " in name:
            found.append(f"{name}: platform {platform}")
        elif len(component) > 1:
            shared = {key: message[key] for key in SHARED & message.keys()}
            unique.append((platform, component.get("unique_id")))
            found += [f"{name}: {complaint}" for complaint in _component(platform, shared | component)]
    if len(set(unique)) != len(unique):
        found.append("two entities have one unique id")
    return found


def _component(platform: str, component: dict[str, Any]) -> list[str]:
    found = [f"{key} is unknown" for key in component.keys() - COMMON - OWN[platform]]
    if platform == "tag":
        return found if "topic" in component else [*found, "a tag needs a topic"]
    if not component.get("unique_id"):
        found.append("has no unique id")
    if "state_topic" not in component:
        found.append("has no state topic")
    if component.get("entity_category", "diagnostic") != "diagnostic" and platform not in COMMANDED:
        found.append("only buttons and the like are config")
    if not (component.get("name", "x") is None or component.get("name", "x")):
        found.append("has an empty name")
    device_class = component.get("device_class")
    if platform == "binary_sensor" and device_class not in (None, *BINARY):
        found.append(f"device class {device_class}")
    if platform == "event" and not component.get("event_types"):
        found.append("has no event types")
    if platform in COMMANDED:
        found += _commanded(platform, component, device_class)
    if platform == "sensor":
        found += _sensor(component, device_class)
    return found


def _commanded(platform: str, component: dict[str, Any], device_class: str | None) -> list[str]:
    found = [] if component.get("command_topic") else ["has no command topic"]
    classes = {"button": ("identify", "restart", "update"), "switch": ("outlet", "switch")}
    if platform in classes and device_class not in (None, *classes[platform]):
        found.append(f"device class {device_class}")
    if platform == "select" and not component.get("options"):
        found.append("has no options")
    if platform == "text" and not 0 <= component["min"] <= component["max"] <= 255:
        found.append("a text has at most 255 characters, and min is not above max")
    if platform == "text" and component["mode"] not in ("text", "password"):
        found.append(f"mode {component['mode']}")
    return found + (_number(component, device_class) if platform == "number" else [])


def _number(component: dict[str, Any], device_class: str | None) -> list[str]:
    found = []
    unit = component.get("unit_of_measurement")
    if device_class is not None and unit not in SENSOR.get(device_class, ()):
        found.append(f"the unit of measurement {unit} is not valid together with device class {device_class}")
    if not component["min"] < component["max"]:
        found.append("max must be above min")
    if component["step"] < 0.001:
        found.append("the step is at least 0.001")
    if component["mode"] not in ("auto", "box", "slider"):
        found.append(f"mode {component['mode']}")
    return found


def _sensor(component: dict[str, Any], device_class: str | None) -> list[str]:
    found = []
    state_class, unit = component.get("state_class"), component.get("unit_of_measurement")
    if device_class not in (None, "monetary", *SENSOR, *TEXT):
        return [f"device class {device_class}"]
    if device_class in SENSOR and unit not in SENSOR[device_class]:
        found.append(f"the unit of measurement {unit} is not valid together with device class {device_class}")
    allowed = PLAIN_STATE_CLASSES if device_class is None else STATE_CLASSES.get(device_class, frozenset())
    if state_class is not None and state_class not in allowed:
        found.append(f"state class {state_class} is impossible with device class {device_class}")
    if "options" in component and (device_class != "enum" or not component["options"] or state_class or unit):
        found.append("options go with the device class enum alone")
    if device_class == "enum" and "options" not in component:
        found.append("an enum has options")
    if "expire_after" in component and not (
        isinstance(component["expire_after"], int) and component["expire_after"] > 0
    ):
        found.append("expire_after is a positive number of seconds")
    return found
