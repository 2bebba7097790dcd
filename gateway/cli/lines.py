"""A reading as one line, for people and for pipes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.cli.quantity import STAMPS, Quantity, reading_time
from gateway.status.text import plain


def line(device: str, reading: Mapping[str, Any], quantities: Mapping[str, Quantity]) -> str:
    """``07:00:00.123 office temperature=21.5 °C humidity=40.2 %``, in local time, with every digit."""
    at = reading_time(reading)
    words = [at.astimezone().strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03d}" if at else "--:--:--.---", device]
    for key, value in reading.items():
        if key in STAMPS:
            continue
        unit = quantities[key].unit if key in quantities and value is not None else ""
        words.append(f"{plain(key)}={text_of(value)}{' ' + unit if unit else ''}")
    if reading.get("clock"):
        words.append(f"(clock {plain(str(reading['clock']))})")
    return " ".join(words)


def text_of(value: Any) -> str:
    """A value as JSON has it, but text without quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(str(value))
