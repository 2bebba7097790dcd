"""What happened between two looks at the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.cli.top_rounds import Round, Rounds


@pytest.fixture
def rounds() -> Rounds:
    """Nobody is asked: the tests bring the answers."""
    return Rounds(Path("unused"))


def look(rounds: Rounds, at: float, used: float | None, *, thread: int | None = 7, age: float | None = 100.0) -> Round:
    """The gateway has run for ``at`` seconds; the thread of its device has used ``used`` of ``age``."""
    gateway = {"gateway": "attic", "run": "r", "uptime_s": at, "threads": 5, "descriptors": 9, "cpu_s": at / 10}
    row: dict[str, Any] = {"device": "office", "thread": thread, "pid": None, "cpu_s": used, "thread_s": age}
    return rounds.add(gateway, [row])


def percent(one: Round) -> Any:
    """Of the device."""
    return one.devices[0]["cpu_percent"]


def test_the_first_look_is_back_to_the_beginning(rounds: Rounds) -> None:
    """Of the thread, and of the gateway."""
    one = look(rounds, 200.0, 25.0)
    assert (percent(one), one.gateway["cpu_percent"]) == (25.0, 10.0)


def test_later_ones_are_back_to_the_one_before(rounds: Rounds) -> None:
    """Exact to a hundredth of a percent."""
    look(rounds, 200.0, 25.0)
    assert percent(look(rounds, 202.0, 26.0)) == 50.0
    assert percent(look(rounds, 204.0, 26.0)) == 0.0
    assert percent(look(rounds, 206.0, 26.001)) == 0.05


def test_another_thread_begins_anew(rounds: Rounds) -> None:
    """A replaced one has nothing to do with the old one's time."""
    look(rounds, 200.0, 25.0)
    assert percent(look(rounds, 202.0, 0.1, thread=8, age=1.0)) == 10.0


def test_no_thread_no_share(rounds: Rounds) -> None:
    """Where nothing is known nothing is shown; nor is anything divided by zero."""
    assert percent(look(rounds, 1.0, None, thread=None, age=None)) is None
    assert percent(look(rounds, 1.0, None)) is None
    assert percent(look(rounds, 1.0, 0.0, age=0.0)) == 0.0


def test_each_look_has_its_time(rounds: Rounds) -> None:
    """First in the object, for who reads it line by line."""
    row = look(rounds, 1.0, 0.1).devices[0]
    assert next(iter(row)) == "time"
    assert row["time"].endswith("Z")
