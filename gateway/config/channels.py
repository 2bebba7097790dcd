"""``[devices.NAME.channels.CHANNEL]``: how one channel is published."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.channel import EVENT_KEYS, RESERVED_KEYS, Channel, Kind
from gateway.config.fields import fields_of
from gateway.config.positions import KeyPath
from gateway.config.report import Report, one_of, suggestion
from gateway.config.settings import ChannelSettings
from gateway.config.shape import NUMBERS_ONLY, ChannelTable
from gateway.config.structure import INVALID, check_table
from gateway.units import LONGEST_UNIT, converter, convertible

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = {bool: "true and false", str: "text"}


def channel_settings(
    channels: Sequence[Channel], tables: Any, kind: Kind, path: KeyPath, report: Report
) -> tuple[ChannelSettings, ...]:
    """The settings of all channels of a device; ``path`` is the device's. Mistakes go to the report."""
    before = len(report.mistakes)
    at = (*path, "channels")
    if tables is None or tables is INVALID:
        tables = {}
    for name in tables:
        if name not in {channel.name for channel in channels}:
            report.add(
                (*at, name), "unknown channel", suggestion(name, [c.name for c in channels], accepted="there are")
            )
    settings = [
        _channel(channel, tables.get(channel.name, {}), kind, (*at, channel.name), report) for channel in channels
    ]
    found = [one for one in settings if one is not None]
    if len(report.mistakes) > before:
        return tuple(found)
    _unique(found, at, report)
    if found and not any(one.enabled for one in found):
        report.add(at, "all channels are disabled", "enable one, or set enabled = false for the device")
    return tuple(found)


def _unique(settings: Sequence[ChannelSettings], at: KeyPath, report: Report) -> None:
    owners: dict[str, str] = {}
    for one in settings:
        if not one.enabled:
            continue
        first = owners.setdefault(one.key, one.channel.name)
        if first == one.channel.name:
            continue
        renamed = one if report.raw((*at, one.channel.name, "key")) is not None else None
        place = (*at, renamed.channel.name if renamed else first, "key")
        other = first if renamed else one.channel.name
        report.wrong(place, f"is the key of the channel {other} as well", "each needs its own")


def _channel(channel: Channel, table: Any, kind: Kind, path: KeyPath, report: Report) -> ChannelSettings | None:
    if not isinstance(table, dict):
        report.wrong(path, "is not a table", "write { key = value }")
        return None
    before = len(report.mistakes)
    if channel.type is not float:
        for key in sorted(NUMBERS_ONLY & set(table)):
            report.add((*path, key), f"is for numbers, but this channel is {_WORDS[channel.type]}", "leave it out")
    if kind is Kind.EVENT:
        for key in sorted({"deadband", "heartbeat"} & set(table)):
            report.add((*path, key), "has no meaning for events: each one is published", "leave it out")
    values = check_table(fields_of(ChannelTable), table, path, report)
    values = {name: None if value is INVALID else value for name, value in values.items()}
    key = values["key"] or channel.name
    _check_key(values["key"], channel, kind, path, report)
    low, high = _range(channel, values, path, report)
    unit = _unit(channel, values["unit"], path, report)
    if len(report.mistakes) > before:
        return None
    kept = ("enabled", "scale", "offset", "digits", "deadband", "heartbeat", "homeassistant")
    rest = {name: values[name] for name in kept} | _shown(channel, values)
    name = (values["name"] or "").strip() or key
    return ChannelSettings(channel=channel, key=key, name=name, min=low, max=high, unit=unit, **rest)


def _shown(channel: Channel, values: Mapping[str, Any]) -> dict[str, Any]:
    """How it looks in Home Assistant: as the user says, else as the driver does."""
    category, enabled = values["entity_category"] or channel.entity_category, values["enabled_by_default"]
    return {
        "entity_category": None if category == "none" else category,
        "icon": values["icon"] or channel.icon,
        "enabled_by_default": channel.enabled_by_default if enabled is None else enabled,
    }


def _check_key(key: str | None, channel: Channel, kind: Kind, path: KeyPath, report: Report) -> None:
    if key is None:
        return
    reserved = RESERVED_KEYS | (EVENT_KEYS if kind is Kind.EVENT else frozenset())
    if not _KEY.fullmatch(key) or len(key) > 64:
        hint = "accepted: up to 64 letters (a-z, A-Z), digits and _, not beginning with a digit"
        report.wrong((*path, "key"), "cannot be a key", hint)
    elif key in reserved and key != channel.name:
        report.wrong((*path, "key"), "is reserved for the gateway", f"not accepted: {', '.join(sorted(reserved))}")


def _range(
    channel: Channel, values: Mapping[str, Any], path: KeyPath, report: Report
) -> tuple[float | None, float | None]:
    """The narrower of the user's and the driver's range."""
    lows = [one for one in (values["min"], channel.min) if one is not None]
    highs = [one for one in (values["max"], channel.max) if one is not None]
    low, high = max(lows, default=None), min(highs, default=None)
    if low is not None and high is not None and low >= high:
        key, other = ("min", high) if values["min"] is not None else ("max", low)
        where = "is not below max" if key == "min" else "is not above min"
        report.wrong((*path, key), f"{where}, which is {other:g}", "then no value would be good")
    return low, high


def _unit(channel: Channel, unit: str | None, path: KeyPath, report: Report) -> str | None:
    if unit is None:
        return channel.unit
    if channel.unit is None:
        report.wrong((*path, "unit"), "cannot be converted to: the driver gives no unit", "leave it out")
        return None
    possible = convertible(channel.unit, channel.device_class)
    if unit != channel.unit and (unit not in possible or converter(channel.unit, unit) is None):
        hint = f"accepted: {one_of(possible)}" if len(unit) <= LONGEST_UNIT else ""
        near = next((name for name in possible if name.lower().strip("°") == unit.lower().strip("°")), None)
        report.wrong(
            (*path, "unit"),
            f'cannot be converted to from "{channel.unit}"',
            hint + (f'; did you mean "{near}"?' if near else ""),
        )
    return unit
