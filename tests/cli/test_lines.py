"""A reading as one line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.cli.lines import line
from gateway.cli.quantity import Quantity

QUANTITIES = {"temperature": Quantity("temperature", "°C"), "humidity": Quantity("humidity", "%")}
STAMP = {"time": "2026-11-22T07:00:00.123Z", "run": "r", "seq": 1}


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"temperature": 21.5, "humidity": 40.2}, "07:00:00.123 office temperature=21.5 °C humidity=40.2 %"),
        ({"temperature": None, "open": True}, "07:00:00.123 office temperature=null open=true"),
        ({"event": "arrived", "tag": "04a2"}, "07:00:00.123 office event=arrived tag=04a2"),
        ({"clock": "unsynced", "n": 3}, "07:00:00.123 office n=3 (clock unsynced)"),
    ],
)
def test_line(values: dict[str, Any], expected: str) -> None:
    """Time, device, and each channel with every digit and its unit."""
    assert line("office", {**STAMP, **values}, QUANTITIES) == expected


def test_device_text_cannot_write_to_the_terminal() -> None:
    """Escape sequences and line ends of a device do not reach it."""
    shown = line("office", {**STAMP, "text\n": "a\x1b[2Jb\nc"}, {})
    assert "\x1b" not in shown
    assert "\n" not in shown


def test_without_time() -> None:
    """A payload of somebody else."""
    assert line("office", {"n": 1}, {}) == "--:--:--.--- office n=1"
