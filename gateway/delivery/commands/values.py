"""From what somebody wants a channel to be to what its driver is given: of the right type and within its limits."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from gateway.config.report import nearest
from gateway.config.settings import ChannelSettings
from gateway.driver import Channel, Settable
from gateway.status.control import ControlError
from gateway.status.text import plain
from gateway.units import converter

LONGEST = 4096
"""Bytes of a plain payload."""
WORDS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
"""What a plain payload for true and false may say, whatever its capitals."""
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
UNPRINTABLE = frozenset({"Cc", "Cs"})
"""Control characters, and halves of characters, which have no UTF-8."""
ROUNDING = 1e-9
"""By so much a limit that was converted may be missed."""


def from_plain(channel: ChannelSettings, payload: bytes) -> Any:
    """The value of a plain payload such as ``21.5``, ``on`` or ``eco``. Raises ``ControlError``."""
    try:
        text = payload[: LONGEST + 1].decode().strip()
    except UnicodeDecodeError:
        raise ControlError(f"{channel.key}: a payload that is no text; {_accepted(channel)}") from None
    if len(payload) > LONGEST:
        raise ControlError(f"{channel.key}: a payload of {len(payload)} bytes; {LONGEST} is the most")
    if channel.channel.max_length is not None:
        if not text:  # whoever clears a retained message there would clear the channel as well
            raise ControlError(f"{channel.key}: an empty payload; to set it to nothing, use the request set")
        return text
    if channel.channel.type is bool:
        return WORDS.get(text.lower(), text)
    if channel.channel.type is float and NUMBER.fullmatch(text):
        return float(text)
    return text


def to_driver(channel: ChannelSettings, value: Any) -> Settable:
    """A value as it is published, as the driver wants it. Raises ``ControlError`` for one that it never gets."""
    declared = channel.channel
    if declared.type is bool:
        if isinstance(value, bool):
            return value
    elif declared.type is str:
        if isinstance(value, str) and (_fits(declared, value) if declared.max_length else value in declared.choices):
            return value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = bounds(channel)
        slack = ROUNDING * max(1.0, abs(low), abs(high))
        if low - slack <= value <= high + slack:
            return _raw(channel, float(value))
    near = nearest(value, declared.choices) if isinstance(value, str) else None
    meant = f"; did you mean {near}?" if near else ""
    raise ControlError(f"{channel.key} cannot be {_shown(value)}; {_accepted(channel)}{meant}")


def bounds(channel: ChannelSettings) -> tuple[float, float]:
    """The lowest and the highest value of a writable number as it is published: the driver's, and the user's."""
    declared, scale, offset = channel.channel, _scale(channel), channel.offset or 0.0
    assert declared.min is not None
    assert declared.max is not None
    ends = sorted((declared.min * scale + offset, declared.max * scale + offset))
    low = max(ends[0], -math.inf if channel.min is None else channel.min)
    high = min(ends[1], math.inf if channel.max is None else channel.max)
    change = converter(declared.unit or "", channel.unit or "") or float
    low, high = sorted((change(low), change(high)))
    return low, high


def _fits(declared: Channel, text: str) -> bool:
    """Whether a free text can be set."""
    if any(unicodedata.category(character) in UNPRINTABLE for character in text):
        return False
    short_enough = declared.max_length is None or len(text.encode()) <= declared.max_length
    return short_enough and (declared.pattern is None or re.fullmatch(declared.pattern, text) is not None)


def _raw(channel: ChannelSettings, value: float) -> float:
    """Back through unit, offset and scale."""
    declared, scale = channel.channel, _scale(channel)
    if not scale:
        raise ControlError(f"{channel.key} cannot be set: its scale is 0")
    assert declared.min is not None
    assert declared.max is not None
    change = converter(channel.unit or "", declared.unit or "") or float
    raw = (change(value) - (channel.offset or 0.0)) / scale
    return float(min(declared.max, max(declared.min, raw)))


def _scale(channel: ChannelSettings) -> float:
    return 1.0 if channel.scale is None else channel.scale


def _accepted(channel: ChannelSettings) -> str:
    if channel.channel.type is bool:
        return "accepted: true and false"
    if channel.channel.max_length is not None:
        what = f"that matches {channel.channel.pattern}" if channel.channel.pattern else "without control characters"
        return f"accepted: a text of at most {channel.channel.max_length} bytes {what}"
    if channel.channel.type is str:
        return f"accepted: {', '.join(channel.channel.choices)}"
    low, high = bounds(channel)
    return f"accepted: from {low:g} to {high:g}{f' {channel.unit}' if channel.unit else ''}"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{plain(value, 60)}"'
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else plain(str(value), 60)
