"""Values as a person at a live table wants to see them: few digits, near units, words instead of true and false."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.cli.quantity import Quantity, is_number
from gateway.status.text import plain

WORDS = {
    **dict.fromkeys(("door", "garage_door", "window", "opening"), ("open", "closed")),
    **dict.fromkeys(("motion", "occupancy", "presence", "vibration", "sound", "smoke", "gas"), ("detected", "clear")),
    **dict.fromkeys(("problem", "safety", "tamper"), ("problem", "ok")),
    "moisture": ("wet", "dry"),
    "lock": ("unlocked", "locked"),
    "connectivity": ("connected", "disconnected"),
}
BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "kB": 10**3, "MB": 10**6, "GB": 10**9}
BARS = "▁▂▃▄▅▆▇█"


def figure(quantity: Quantity, value: Any) -> tuple[str, str]:
    """A value and its unit, as two texts."""
    if value is None:
        return "–", ""  # noqa: RUF001 (a dash of a digit's width)
    if isinstance(value, bool):
        return WORDS.get(quantity.device_class, ("on", "off"))[0 if value else 1], ""
    if not is_number(value):
        return plain(value if isinstance(value, str) else str(value)), ""
    if quantity.unit in BYTES:
        return _bytes(value * BYTES[quantity.unit])
    if quantity.unit == "s" and quantity.device_class == "duration" and value >= 60:
        return age(value), ""
    return _number(value, quantity.precision), quantity.unit


def age(seconds: float) -> str:
    """``0.4s``, ``12s``, ``3m12s``, ``5h07m``, ``12d03h``."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole // 60 % 60:02d}m"
    return f"{whole // 86400}d{whole // 3600 % 24:02d}h"


def pace(rate: float | None) -> str:
    """``12.5/s``, or ``6/min`` for slow ones."""
    if rate is None:
        return ""
    if rate >= 0.75:
        return f"{rate:.0f}/s" if rate >= 99.5 else f"{rate:.1f}/s"
    return f"{rate * 60:.0f}/min" if rate * 60 >= 0.95 else f"{rate * 3600:.0f}/h"


def curve(values: Iterable[float], width: int) -> str:
    """The last ``width`` values as bars between their own least and greatest."""
    shown = list(values)[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if high <= low:
        return BARS[2] * len(shown)
    top = len(BARS) - 1
    return "".join(BARS[round((value - low) / (high - low) * top)] for value in shown)


def _number(value: float, precision: int | None) -> str:
    if precision is None:
        size = abs(value)
        if isinstance(value, int) and size < 1e9:
            return str(value)
        precision = 0 if size >= 1000 else 1 if size >= 100 else 2
    if abs(value) >= 1e9:
        return f"{value:.4g}"
    return f"{value:.{precision}f}"


def size(count: float) -> str:
    """``1.2 MB``."""
    return " ".join(_bytes(count))


def _bytes(size: float) -> tuple[str, str]:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(size) < 999.5 or unit == "TB":
            break
        size /= 1000
    return (f"{size:.0f}" if unit == "B" else f"{size:.1f}"), unit
