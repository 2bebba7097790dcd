"""The live table of ``top``, drawn to any size."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from gateway.cli.top_rounds import Round
from gateway.cli.top_screen import draw

ABOUT = {"gateway": "attic", "threads": 7, "descriptors": 17, "cpu_percent": 1.2, "uptime_s": 75.0}


def device(name: str, **given: Any) -> dict[str, Any]:
    """One of which everything is known."""
    return {
        "device": name,
        "state": "online",
        "rate": 1.0,
        "lateness_ms": {"p50": 0.1, "p99": 0.9},
        "read_ms": {"mean": 2.0, "max": 12.0},
        "cpu_percent": 0.1,
        "cpu_s": 1.5,
        "queued": 3,
        "failed": 4,
        "restarts": 5,
        "thread": 4711,
        "pid": None,
        "last_error": None,
        **given,
    }


def lines(devices: list[dict[str, Any]], width: int = 80, height: int = 24, sort: str = "device") -> list[str]:
    """What is drawn, without trailing blanks."""
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(draw(Round(ABOUT, devices), sort, width, height))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_columns_stand_below_their_headings() -> None:
    """Words to the left, numbers to the right; the error below its device."""
    devices = [device("office"), device("hall", state="hung", last_error="read has not returned within 5 s")]
    assert lines(devices, 120) == [
        "attic: 2 devices, 7 threads, 17 descriptors, cpu 1.20%, up 1m15s",
        "",
        "DEVICE   STATE       RATE LATE P50 LATE P99    READ READ MAX    CPU CPU TIME  QUEUE FAILED RESTARTS   THREAD",
        "hall     hung       1.0/s   0.10ms   0.90ms  2.00ms   12.0ms  0.10%     1.5s      3      4        5     4711",
        "  read has not returned within 5 s",
        "office   online     1.0/s   0.10ms   0.90ms  2.00ms   12.0ms  0.10%     1.5s      3      4        5     4711",
        "sorted by device; s: by the next column, q: leave",
    ]


@pytest.mark.parametrize("width", [1, 10, 40, 60, 80, 200])
@pytest.mark.parametrize("height", [1, 5, 6, 24])
def test_it_fits_any_terminal(width: int, height: int) -> None:
    """What matters least goes first; what has no room is counted."""
    devices = [device(f"greenhouse-north-{number}", state="offline", last_error="gone " * 50) for number in range(30)]
    drawn = lines(devices, width, height)
    assert len(drawn) <= max(height, 5)
    assert all(len(line) <= width for line in drawn)


def test_eighty_columns_have_what_matters() -> None:
    """State, rate, lateness, read time, processor time, queue and errors."""
    heading = lines([device("office")])[2]
    assert heading.split() == [
        "DEVICE",
        "STATE",
        "RATE",
        "LATE",
        "P99",
        "READ",
        "READ",
        "MAX",
        "CPU",
        "QUEUE",
        "FAILED",
    ]


def test_devices_without_room_are_counted() -> None:
    """With what to do about it."""
    drawn = lines([device(f"d{number:02}") for number in range(30)], height=10)
    assert drawn[3:] == [*drawn[3:8], "and 25 more: make the window taller, or sort by another column", drawn[-1]]
    assert [line.split()[0] for line in drawn[3:8]] == ["d00", "d01", "d02", "d03", "d04"]
