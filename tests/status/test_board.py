"""A device's line on the board."""

from __future__ import annotations

import pytest
from support import FakeClock

from gateway.status.board import DeviceBoard, State
from gateway.status.ledger import Ledger


def test_since_is_when_the_state_began() -> None:
    """An error that comes later leaves it."""
    clock = FakeClock()
    board = DeviceBoard("d", Ledger(), clock, lambda _name: None)
    clock.advance(5)
    began, began_boot = clock.wall_ns(), clock.boot_ns()
    board.set(State.OFFLINE, "gone", "plug it in")
    clock.advance(5)
    board.set(State.OFFLINE, "gone again")
    shot = board.snapshot()
    assert (shot.since_ns, shot.last_error, shot.hint) == (began, "gone again", "")
    assert shot.since_boot_ns == began_boot


def test_only_a_change_is_told() -> None:
    """The same again is no news; ``None`` leaves the error."""
    told: list[str] = []
    board = DeviceBoard("d", Ledger(), FakeClock(), told.append)
    board.set(State.ONLINE)
    board.set(State.ONLINE)
    board.set(State.DEGRADED, "bad")
    board.set(State.DEGRADED)
    board.set(State.DEGRADED, "worse")
    assert told == ["d"] * 3
    assert board.snapshot().last_error == "worse"


@pytest.mark.parametrize("state", State)
def test_available_only_while_it_can_be_read(state: State) -> None:
    """Online and degraded (contract section 4)."""
    assert state.available == (state in (State.ONLINE, State.DEGRADED))


def test_lateness_is_of_the_last_polls() -> None:
    """The oldest make way."""
    board = DeviceBoard("d", Ledger(), FakeClock(), lambda _name: None)
    assert board.snapshot().lateness is None
    for _ in range(256):
        board.late(1000.0)
    for number in range(256):
        board.late(float(number))
    late = board.snapshot().lateness
    assert late is not None
    assert (late.p50, late.p99) == (127.0, 252.0)
