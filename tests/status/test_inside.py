"""What the running gateway says about itself: the verb ``top``, and a few words about each thread."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest
from support import FakeClock

from gateway.status import processor
from gateway.status.board import DeviceBoard, State
from gateway.status.inside import Inside
from gateway.status.ledger import Ledger
from gateway.status.meter import Seat

SECOND = 1_000_000_000


class AtIt:
    """A read that is under way."""

    what, limit = "read", 5.0

    def __init__(self, began_ns: int) -> None:
        self.began_ns = began_ns


@pytest.fixture
def board(fake_clock: FakeClock) -> DeviceBoard:
    """The line of ``office``."""
    return DeviceBoard("office", Ledger(), fake_clock, lambda _name: None)


@pytest.fixture
def inside(board: DeviceBoard, fake_clock: FakeClock) -> Inside:
    """Of a gateway with that device."""
    return Inside("attic", "testrun1", lambda: {"office": board}, fake_clock)


def device(inside: Inside) -> dict[str, Any]:
    """The only device in the answer."""
    _, part = inside.top({"verb": "top"})
    (one,) = part["devices"]
    assert isinstance(one, dict)
    return one


def test_the_gateway_comes_first(inside: Inside, fake_clock: FakeClock) -> None:
    """Its name and run, how long it runs, and what it uses."""
    fake_clock.advance(3.5)
    first = next(inside.top({"verb": "top"}))
    used = first.pop("cpu_s")
    assert used == pytest.approx(time.process_time(), abs=0.5)
    assert first.pop("descriptors") > 0
    assert first == {"gateway": "attic", "run": "testrun1", "uptime_s": 3.5, "threads": threading.active_count()}


def test_a_device_that_was_never_read(inside: Inside) -> None:
    """Every key is there, with null for what is not known."""
    assert device(inside) == {
        "device": "office",
        "state": "starting",
        "state_s": 0.0,
        "rate": None,
        "lateness_ms": None,
        "read_ms": None,
        "cpu_s": None,
        "thread": None,
        "thread_s": None,
        "pid": None,
        "call": None,
        "read": 0,
        "queued": 0,
        "failed": 0,
        "missed": 0,
        "dropped": 0,
        "restarts": 0,
        "abandoned": 0,
        "last_error": None,
    }


def test_a_device_at_work(inside: Inside, board: DeviceBoard, fake_clock: FakeClock) -> None:
    """Its polls, its thread, and what was counted."""
    now = fake_clock.boot_ns()
    board.seat = Seat.here(now, None, lambda: None)
    for number in range(5):
        board.late(0.25)
        board.took(now + number * SECOND, now + number * SECOND + 2_000_000 * (number + 1))
    fake_clock.advance(4.5)
    board.set(State.DEGRADED, "bad checksum")
    fake_clock.advance(0.1)
    board.ledger.accepted()
    board.ledger.refused("rate")
    for what in ("failed", "missed", "restarts", "abandoned"):
        board.ledger.note(what)
    found = device(inside)
    assert found.pop("cpu_s") > 0
    assert found == {
        "device": "office",
        "state": "degraded",
        "state_s": 0.1,
        "rate": 1.0,
        "lateness_ms": {"p50": 0.25, "p99": 0.25},
        "read_ms": {"mean": 6.0, "max": 10.0},
        "thread": threading.get_native_id(),
        "thread_s": 4.6,
        "pid": None,
        "call": None,
        "read": 2,
        "queued": 1,
        "failed": 1,
        "missed": 1,
        "dropped": 1,
        "restarts": 1,
        "abandoned": 1,
        "last_error": "bad checksum",
    }


def test_a_driver_in_a_process_of_its_own(inside: Inside, board: DeviceBoard, fake_clock: FakeClock) -> None:
    """What the process uses counts as the device's; its number is named, and what is under way."""
    began = fake_clock.boot_ns()
    fake_clock.advance(2.0)
    board.seat = Seat.here(began, os.getpid(), lambda: AtIt(began))
    found = device(inside)
    assert (found["pid"], found["call"]) == (os.getpid(), {"what": "read", "for_s": 2.0})
    thread = processor.of_thread(threading.get_native_id())
    assert thread is not None
    assert found["cpu_s"] >= 2 * thread  # the thread's and the process's, which has it once more
    words = inside.about(named("dev:office"))
    assert words == f"starting for 2 s; in read for 2 s, limit 5 s; its driver is in process {os.getpid()}"


def named(name: str, *, mine: bool = True) -> threading.Thread:
    """A thread of that name with this thread's number, or with another one."""
    thread = threading.Thread(name=name)
    thread._ident = threading.get_ident() if mine else 1  # type: ignore[attr-defined]
    return thread


def test_about_a_thread(inside: Inside, board: DeviceBoard, fake_clock: FakeClock) -> None:
    """The state of its device; the time in it is steady time, whatever the wall clock does."""
    board.set(State.ONLINE)
    fake_clock.advance(60 * 3)
    board.seat = Seat.here(fake_clock.boot_ns(), None, lambda: None)
    assert inside.about(named("dev:office")) == "online for 3 min"
    assert inside.about(named("dev:office", mine=False)) == "left behind: its driver has not returned"
    assert inside.about(named("dev:unknown")) == ""
    assert inside.about(named("office")) == ""
