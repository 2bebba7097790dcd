"""Turns: many together, or one alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.turns import Turns
from support.waiting import wait_until

Make = Callable[[], Turns]


@pytest.fixture
def turns(tmp_path: Path) -> Iterator[Make]:
    """Ways into one room, each as another process would have it."""
    made: list[Turns] = []

    def make() -> Turns:
        made.append(Turns(tmp_path / "room"))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads to wait in."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_many_at_once(turns: Make) -> None:
    """Those who need not be alone do not wait for each other."""
    one, other = turns(), turns()
    one.enter(alone=False)
    other.enter(alone=False)
    one.leave()
    other.leave()


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_whoever_is_alone_is_alone(turns: Make, pool: ThreadPoolExecutor, *, first: bool, second: bool) -> None:
    """Neither does anybody come in meanwhile, nor does it begin while somebody is there."""
    one, other, left = turns(), turns(), threading.Event()

    def come() -> bool:
        other.enter(alone=second)
        return left.is_set()

    one.enter(alone=first)
    coming = pool.submit(come)
    wait_until(lambda: other.waits)
    left.set()
    one.leave()
    assert coming.result(5.0)


def test_whoever_waits_to_be_alone_is_not_passed_by(turns: Make, pool: ThreadPoolExecutor) -> None:
    """One who comes later waits behind it."""
    here, alone, late = turns(), turns(), turns()
    order: list[str] = []

    def come(who: Turns, name: str, *, by_itself: bool) -> None:
        who.enter(alone=by_itself)
        order.append(name)
        who.leave()

    here.enter(alone=False)
    first = pool.submit(come, alone, "alone", by_itself=True)
    wait_until(lambda: alone.waits)
    second = pool.submit(come, late, "late", by_itself=False)
    here.leave()
    first.result(5.0)
    second.result(5.0)
    assert order == ["alone", "late"]


def test_one_after_another_alone(turns: Make, pool: ThreadPoolExecutor) -> None:
    """Who is alone and goes on alone lets nobody in between; then it does."""
    one, other = turns(), turns()
    one.enter(alone=True)
    coming = pool.submit(other.enter, alone=False)
    wait_until(lambda: other.waits)
    one.enter(alone=True)
    assert not coming.done()
    one.leave()
    coming.result(5.0)


def test_an_end_without_leaving_frees_the_room(turns: Make, tmp_path: Path) -> None:
    """As by a kill: the kernel closes the files."""
    killed = Turns(tmp_path / "room")
    killed.enter(alone=True)
    killed.close()
    one = turns()
    one.enter(alone=True)
    one.leave()
