"""Stands in for a driver whose device nobody has modelled: plausible values for the channels that it declares."""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Mapping
from typing import Any

from gateway.channel import Channel
from gateway.config.settings import DeviceSettings
from gateway.driver import Driver, Kind, Result, Scalar, Settable
from gateway.units import converter

TYPICAL = {
    "temperature": (18.0, 24.0, "°C"),
    "humidity": (40.0, 55.0, "%"),
    "pressure": (1005.0, 1020.0, "hPa"),
    "atmospheric_pressure": (1005.0, 1020.0, "hPa"),
    "carbon_dioxide": (420.0, 900.0, "ppm"),
    "illuminance": (50.0, 400.0, "lx"),
    "pm1": (2.0, 8.0, "µg/m³"),
    "pm25": (4.0, 12.0, "µg/m³"),
    "pm10": (6.0, 18.0, "µg/m³"),
    "voltage": (3.2, 3.4, "V"),
    "current": (0.1, 0.5, "A"),
    "power": (50.0, 400.0, "W"),
    "distance": (50.0, 120.0, "cm"),
    "battery": (70.0, 90.0, "%"),
    "signal_strength": (-70.0, -50.0, "dBm"),
}
"""What people measure at home, by device class."""
PERIOD = 300.0
"""Seconds in which a value goes up and down once, or a switch is on and off once."""
EVERY = 10.0
"""Seconds from one event to the next."""
TAG, STAY = "04a23b5c6d7e80", 4.0
"""A tag that is laid on a reader, and the seconds that it stays there."""


def stand_in(settings: DeviceSettings) -> DeviceSettings:
    """The same device with a driver that uses no hardware."""
    driver = settings.driver_type
    assert driver is not None
    channels = tuple(one.channel for one in settings.channels)
    made = type(
        f"StandIn{driver.__name__}",
        (_StandIn,),
        {
            "channels": channels,
            "kind": settings.kind,
            "options_type": driver.options_type,
            "interval": driver.interval,
            "tags": settings.presence is not None,
        },
    )
    # in a thread: another process could not make this class
    return dataclasses.replace(settings, driver_type=made, isolation="thread")


class _StandIn(Driver[Any]):
    """Makes values up."""

    tags = False
    _told = 0
    _written: Mapping[str, Scalar] = {}

    def read(self) -> Result:
        """What there is to say now."""
        if self.interval is None:
            self.wait(1.0)
        now = self.elapsed()
        if self.tags:
            return {"tag": TAG} if now % EVERY < STAY else None
        if self.kind is Kind.EVENT:
            if now < (self._told + 1) * EVERY:
                return None
            self._told = int(now / EVERY)
        return {channel.name: plausible(channel, now) for channel in self.channels} | dict(self._written)

    def write(self, channel: str, value: Settable) -> None:
        """It has that value from now on."""
        self._written = {**self._written, channel: value}


def plausible(channel: Channel, now: float) -> Scalar:
    """A value for a channel, the same at the same time in every run."""
    phase = (now / PERIOD + zlib.crc32(channel.name.encode()) / 2**32) % 1.0
    if channel.type is bool:
        return phase < 0.5
    if channel.type is str:
        return channel.choices[int(now / EVERY) % len(channel.choices)] if channel.choices else "simulated"
    low, high = _range(channel)
    value = low + (high - low) * (1 + math.sin(2 * math.pi * phase)) / 2
    return round(value, 2 if channel.precision is None else channel.precision)


def _range(channel: Channel) -> tuple[float, float]:
    """Between which values it goes to and fro: what is typical, as far as the channel can have it."""
    lowest = -math.inf if channel.min is None else channel.min
    highest = math.inf if channel.max is None else channel.max
    low, high, unit = TYPICAL.get(channel.device_class or "", (0.0, 100.0, None))
    if unit is not None and channel.unit is not None and unit != channel.unit:
        change = converter(unit, channel.unit)
        low, high = (change(low), change(high)) if change else (0.0, 100.0)
    if lowest <= low and high <= highest:
        return low, high
    if math.isfinite(lowest) and math.isfinite(highest):
        return lowest + (highest - lowest) * 0.4, lowest + (highest - lowest) * 0.6
    return (lowest, lowest + 1.0) if math.isfinite(lowest) else (highest - 1.0, highest)
