"""What comes from the broker, sorted: readings for whoever prints them, and the last known of every device."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.cli.quantity import STAMPS, Quantity, is_number, quantities_of, reading_time
from gateway.config.settings import DeviceSettings
from gateway.delivery.subscriber import Message
from gateway.delivery.topics import Topics
from gateway.status.text import plain

RATE_OVER = 10.0
"""Seconds over which a rate is taken."""
TRAIL = 40
"""Values kept for the little curve of a channel."""
CURVES = 64
"""Most curves of one device: a payload with ever new keys must not fill the memory."""


@dataclass(slots=True)
class View:
    """The last known of one device."""

    device: str
    quantities: dict[str, Quantity] = field(default_factory=dict)
    interval: float | None = None
    event: bool = False
    state: str = ""
    error: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    seq: int | None = None
    seen: float | None = None
    """Our steady clock at the last reading; before the start for a retained one."""
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    trails: dict[str, deque[float]] = field(default_factory=dict)
    """Per channel the last numbers, for its curve."""

    def rate(self, now: float, since: float) -> float | None:
        """Readings a second lately; ``None`` while there is nothing to tell it from."""
        lately = [at for at in self.arrivals if at > now - RATE_OVER]
        if not lately:
            return None
        if len(lately) < 2 or len(lately) == self.arrivals.maxlen:
            return len(lately) / max(1.0, min(RATE_OVER, now - since, now - lately[0]))
        return (len(lately) - 1) / max(1e-3, lately[-1] - lately[0])


@dataclass(frozen=True, slots=True)
class Arrival:
    """One reading that came."""

    device: str
    topic: str
    reading: Mapping[str, Any]
    retained: bool


class Feed:
    """Takes the messages of one gateway's topics. Used by one thread; ``now`` is a steady clock in seconds."""

    def __init__(self, topics: Topics, devices: Iterable[DeviceSettings], now: float) -> None:
        self.topics = topics
        self.started = now
        self.gateway_up: bool | None = None
        self.readings = 0
        self.views = {device.device: _view(device) for device in devices}
        self._levels = topics.base.count("/") + 1

    def subscriptions(self) -> list[str]:
        """What to subscribe to."""
        base = self.topics.base
        return [f"{base}/+", f"{base}/+/status", self.topics.gateway("state"), self.topics.gateway("devices")]

    def take(self, message: Message, now: float) -> Arrival | None:
        """Sort one message in; the reading, when it is one of a device that is asked for."""
        levels = message.topic.split("/")[self._levels :]
        if levels[:1] == ["gateway"]:
            self._gateway(levels[1:], message.payload)
            return None
        view = self.views.get(levels[0]) if levels else None
        body = as_object(message.payload)
        if view is None or body is None:
            return None
        if levels[1:] == ["status"]:
            view.state = plain(str(body.get("state") or ""))
            error, hint = body.get("last_error"), body.get("hint")
            view.error = plain(f"{error}; {hint}" if error and hint else str(error or ""))
            return None
        if levels[1:]:
            return None
        self._reading(view, body, message, now)
        return Arrival(view.device, message.topic, body, message.retained)

    def _reading(self, view: View, body: dict[str, Any], message: Message, now: float) -> None:
        seq = body.get("seq")
        view.seq = seq if isinstance(seq, int) else None
        view.values = {key: value for key, value in body.items() if key not in STAMPS}
        if message.retained:
            at = reading_time(body)
            age = 0.0 if at is None else max(0.0, time.time() - at.timestamp())
            view.seen = now - age
            return
        self.readings += 1
        view.seen = now
        view.arrivals.append(now)
        for key, value in view.values.items():
            if is_number(value) and (key in view.trails or len(view.trails) < CURVES):
                view.trails.setdefault(key, deque(maxlen=TRAIL)).append(float(value))

    def _gateway(self, leaf: list[str], payload: bytes) -> None:
        if leaf == ["state"]:
            self.gateway_up = payload == b"online"
            return
        for name, told in (as_object(payload) or {}).items() if leaf == ["devices"] else ():
            view, channels = self.views.get(name), told.get("channels") if isinstance(told, dict) else None
            if view is None or not isinstance(channels, list):
                continue
            for channel in channels:  # what the running gateway says wins over this configuration
                if isinstance(channel, dict) and isinstance(key := channel.get("key"), str):
                    quantity = view.quantities.setdefault(key, Quantity(key))
                    quantity.unit = plain(str(channel.get("unit") or ""))
                    quantity.device_class = plain(str(channel.get("device_class") or ""))


def as_object(payload: bytes) -> dict[str, Any] | None:
    """A JSON object; ``None`` for anything else, also when a number in it is not finite or larger than any float."""
    try:
        value = json.loads(payload, parse_constant=_number, parse_float=_number, parse_int=_number)
    except (ValueError, OverflowError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _view(device: DeviceSettings) -> View:
    view = View(device.device, interval=device.interval, event=device.kind == "event")
    view.state = "" if device.enabled else "disabled"
    view.quantities = quantities_of(device)
    return view


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return int(text) if text.lstrip("-").isdecimal() else value
