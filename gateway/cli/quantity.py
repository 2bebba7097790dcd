"""How the values of a reading are shown: units, digits, and which keys are values at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.config.settings import DeviceSettings

STAMPS = frozenset({"time", "run", "seq", "clock"})
"""The keys of a reading that are not channels."""


@dataclass(slots=True)
class Quantity:
    """How to show one channel."""

    key: str
    unit: str = ""
    device_class: str = ""
    precision: int | None = None


def quantities_of(device: DeviceSettings) -> dict[str, Quantity]:
    """The channels that a device publishes, by their keys in the payload."""
    found = {}
    for channel in device.channels:
        if channel.enabled:
            precision = channel.channel.precision if channel.digits is None else channel.digits
            device_class = channel.channel.device_class or ""
            found[channel.key] = Quantity(channel.key, channel.unit or "", device_class, precision)
    return found


def reading_time(reading: Mapping[str, Any]) -> datetime | None:
    """When it was taken."""
    try:
        at = datetime.fromisoformat(reading["time"])
    except (KeyError, TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def is_number(value: Any) -> bool:
    """A number, and not true or false."""
    return isinstance(value, int | float) and not isinstance(value, bool)
