"""Durations (``"500ms"``, ``"10s"``, ``"1h30m"``) and sizes (``"64MB"``) as people write them."""

from __future__ import annotations

import re

DURATIONS = 'a text such as "500ms", "10s" or "1h30m"'
SIZES = 'a text such as "512KB", "64MB" or "1GB"'

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KIB": 1024,
    "MIB": 1024**2,
    "GIB": 1024**3,
}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_SIZE = re.compile(r"([0-9]{1,12})\s?([KMG]i?B|B)", re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Seconds. Raises ``ValueError`` with a line for people; each unit may appear once, the largest first."""
    text = text.strip()
    if not _DURATION.fullmatch(text):
        raise ValueError(f'"{text}" is no duration; write {DURATIONS}')
    parts = _PART.findall(text)
    sizes = [_SECONDS[unit] for _, unit in parts]
    if sizes != sorted(set(sizes), reverse=True):
        raise ValueError(f'"{text}" is no duration: the largest unit comes first, each once; write {DURATIONS}')
    return round(sum(float(number) * _SECONDS[unit] for number, unit in parts), 9)


def format_duration(seconds: float) -> str:
    """The shortest way to write a duration, exact to the millisecond: 5400 is ``1h30m``."""
    left = round(seconds * 1000)
    if left <= 0:
        return "0s"
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            text += f"{count}{unit}"
    return text


def format_size(count: int) -> str:
    """The shortest exact way to write a size in bytes: 64000000 is ``64MB``, 65536 is ``64KiB``."""
    for unit in ("GiB", "GB", "MiB", "MB", "KiB", "KB"):
        size = _BYTES[unit.upper()]
        if count and count % size == 0:
            return f"{count // size}{unit}"
    return f"{count}B"


def parse_size(text: str) -> int:
    """Bytes. KB, MB and GB are powers of 1000, KiB, MiB and GiB of 1024. Raises ``ValueError`` for people."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is no size; write {SIZES}')
    return int(match[1]) * _BYTES[match[2].upper()]
