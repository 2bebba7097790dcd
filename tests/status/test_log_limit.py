"""gateway/status/log_limit.py: nobody fills the log, and how things stand is told all the same."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from gateway.status.log_limit import EACH, MOST, LogLimit


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    """Information is logged, debugging is not."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    yield
    root.setLevel(before)


def line(text: str, *, thread: str = "dev:office", name: str = "gateway.reading", **more: object) -> logging.LogRecord:
    """A record as a thread makes it."""
    values = {"msg": text, "threadName": thread, "name": name, "levelno": logging.WARNING, "created": 1000.0, **more}
    return logging.makeLogRecord(values)


def admitted(limit: LogLimit, count: int, **more: object) -> int:
    """How many of so many lines are written."""
    return sum(limit.admits(line(f"line {number}", **more)) for number in range(1, count + 1))  # type: ignore[arg-type]


def test_a_device_has_its_share_of_a_minute() -> None:
    """No other is touched, nor what the gateway says of itself; on other threads each library has a share."""
    limit = LogLimit()
    assert admitted(limit, 1000) == MOST
    assert admitted(limit, 5, thread="dev:attic") == 5
    assert admitted(limit, 1000, thread="MainThread") == 1000
    assert admitted(limit, 1000, thread="MainThread", name="smbus2") == MOST


def test_the_last_line_is_not_lost() -> None:
    """When the minute is over it says how many were left out, and how things stand; then the share is whole again."""
    limit = LogLimit()
    admitted(limit, MOST + 12)
    assert list(limit.due(1000.0 + EACH - 1)) == []
    (summary,) = limit.due(1000.0 + EACH)
    assert (
        summary.getMessage() == f"office: 12 line(s) were left out of the log in a minute; the last: line {MOST + 12}"
    )
    assert summary.levelno == logging.WARNING
    assert list(limit.due(1000.0 + 2 * EACH)) == []
    assert admitted(limit, 1000, created=1060.0) == MOST


def test_a_quiet_device_is_no_line() -> None:
    """Nor does it cost memory for ever; a clock that is set back does not keep it."""
    limit = LogLimit()
    admitted(limit, 3)
    assert list(limit.due(900.0)) == []
    assert limit._shares == {}


def test_who_debugs_sees_all() -> None:
    """At level debug nothing is left out."""
    logging.getLogger().setLevel(logging.DEBUG)
    assert admitted(LogLimit(), 1000) == 1000
