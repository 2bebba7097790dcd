"""The few facts about this machine that health carries. Each is ``None`` where the machine does not tell."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
"""Raspberry Pi OS: the firmware's flags in hexadecimal; bit 0 is under-voltage now."""
THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")


def address() -> str | None:
    """The address that this machine would use towards the outside. Nothing is sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737): routed by default, never there
            name: str = probe.getsockname()[0]
    except OSError:  # no way to the outside, or no descriptor left
        return None
    return name


def temperature(path: Path = THERMAL) -> float | None:
    """°C of the processor."""
    try:
        return int(path.read_text()) / 1000
    except (OSError, ValueError):
        return None


def undervoltage(path: Path = THROTTLED) -> bool | None:
    """Whether a Pi's supply is too low now."""
    try:
        return bool(int(path.read_text(), 16) & 1)
    except (OSError, ValueError):
        return None


def disk_free(folder: Path) -> int | None:
    """Bytes free where the gateway keeps its state, or where that folder will be made."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


def facts(state_dir: Path) -> dict[str, Any]:
    """``host`` in health."""
    return {
        "ip": address(),
        "temperature_c": temperature(),
        "undervoltage": undervoltage(),
        "disk_free": disk_free(state_dir),
    }
