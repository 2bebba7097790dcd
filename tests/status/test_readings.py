"""``read`` through the running gateway."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support import FakeClock

from gateway.delivery.taps import Taps
from gateway.status.board import DeviceBoard, State
from gateway.status.control import ControlError
from gateway.status.ledger import Ledger
from gateway.status.readings import read


def board(state: State, error: str = "", hint: str = "") -> dict[str, DeviceBoard]:
    """One device, ``d``."""
    one = DeviceBoard("d", Ledger(), FakeClock(), lambda _name: None)
    one.set(state, error, hint)
    return {"d": one}


@contextmanager
def offering(taps: Taps, *bodies: bytes) -> Iterator[None]:
    """Offer readings until the end of the block."""
    done = threading.Event()

    def offer() -> None:
        while not done.wait(0.002):
            for body in bodies:
                taps.offer("d", body)

    thread = threading.Thread(target=offer)
    thread.start()
    yield
    done.set()
    thread.join()


def test_the_next_readings_come_with_the_device() -> None:
    """In the shape that ``read`` prints."""
    taps = Taps()
    with offering(taps, b'{"seq":1}'):
        lines = list(read({"device": "d", "count": 2, "timeout": 5}, taps, lambda: board(State.ONLINE)))
    assert lines == [{"device": "d", "seq": 1}] * 2


def test_nothing_in_time_names_the_reason() -> None:
    """The device's last error and what to do."""
    lines = read({"device": "d", "timeout": 0}, Taps(), lambda: board(State.OFFLINE, "no such port", "plug it in"))
    with pytest.raises(ControlError, match=r"^d: no such port; plug it in$"):
        list(lines)


def test_a_device_that_cannot_answer_is_said_at_once() -> None:
    """Disabled or misconfigured; and one that the gateway does not know."""
    for state in (State.DISABLED, State.FAILED):
        with pytest.raises(ControlError, match=f"d is {state} in the running gateway"):
            list(read({"device": "d"}, Taps(), lambda state=state: board(state)))  # type: ignore[misc]
    with pytest.raises(ControlError, match="has no device x; reload it or restart it"):
        list(read({"device": "x"}, Taps(), lambda: board(State.ONLINE)))


def test_a_device_that_is_disabled_meanwhile() -> None:
    """Nobody waits for what will not come."""
    boards = board(State.ONLINE)

    def disable() -> dict[str, DeviceBoard]:
        threading.Timer(0.1, lambda: boards["d"].set(State.DISABLED, "")).start()
        return boards

    with pytest.raises(ControlError, match=r"^d is disabled in the running gateway$"):
        list(read({"device": "d", "timeout": 600}, Taps(), disable))
