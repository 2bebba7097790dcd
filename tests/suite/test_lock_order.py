"""The record of locks: a circle is found before two threads ever meet in it."""

from __future__ import annotations

import threading

import pytest
from support.lock_order import LockOrder

from gateway.hardware import bus
from gateway.hardware.bus import Bus


def test_a_circle_is_found() -> None:
    """Also by one thread alone, which never waits for itself."""
    order = LockOrder()
    one, two, three = (order.lock(name) for name in ("one", "two", "three"))
    with one, two:
        pass
    with two, three:
        pass
    assert order.circles() == []
    with three, one:
        pass
    assert order.circles() == [["one", "three", "two", "one"]] or order.circles() == [["one", "two", "three", "one"]]


def test_threads_hold_their_own() -> None:
    """What another thread holds is not before a lock of this one."""
    order = LockOrder()
    one, two = order.lock("one"), order.lock("two")

    def use() -> None:
        with two:
            pass

    with one:
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert dict(order.after) == {}


def test_a_lock_that_is_only_tried_waits_for_nobody() -> None:
    """And a lock of which there are two of one kind can wait for itself."""
    order = LockOrder()
    one, two = order.lock("kind"), order.lock("kind")
    with one:
        assert two.acquire(blocking=False)
        two.release()
        assert order.circles() == []
        with two:
            pass
    assert order.circles() == [["kind", "kind"]]


def test_buses_are_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn within which another lock is taken, and a lock within which a turn is."""

    class Handle:
        def close(self) -> None:
            """Nothing to close."""

    order = LockOrder()
    order.watch(monkeypatch, bus)
    one: Bus[Handle] = Bus("I2C bus 1", Handle)
    mine = order.lock("mine")
    rider = one.rider("office")
    with rider.turn(), rider.turn(), mine:
        pass
    assert order.circles() == []
    with mine, rider.turn():
        pass
    assert order.circles() == [["I2C bus 1", "mine", "I2C bus 1"]]
    assert order.held() == []
