"""gateway/hardware/bus.py: turns in order, bounded, taken from those who hang; and a bus that is stuck."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from support.waiting import wait_until

from gateway.driver import BadReading, DeviceUnavailable
from gateway.hardware.bus import Bus, Buses, Rider


class Line:
    """What a test's bus gives for a handle."""

    def __init__(self) -> None:
        self.closed_by: str | None = None

    def close(self) -> None:
        """Note who did it."""
        assert self.closed_by is None
        self.closed_by = threading.current_thread().name


class Street:
    """A bus, and the handles that were opened on it."""

    def __init__(self, wait: float = 5.0) -> None:
        self.lines: list[Line] = []
        self.bus: Bus[Line] = Bus("I2C bus 1", self._open, wait)

    def _open(self) -> Line:
        self.lines.append(Line())
        return self.lines[-1]


class Guest:
    """A rider in a thread of its own, which has a turn until it is told to let go of it."""

    def __init__(self, bus: Bus[Line], name: str) -> None:
        self.rider = bus.rider(name)
        self.on = threading.Event()
        self.error: BaseException | None = None
        self._go = threading.Event()
        self._call = threading.Event()
        self._called = threading.Event()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            with self.rider.turn() as turn:
                self.on.set()
                self._go.wait()
                if self._call.is_set():
                    turn.call(lambda _: self._hang())
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            self.error = error

    def _hang(self) -> None:
        self._go.clear()
        self._called.set()
        self._go.wait()

    def until_waiting(self) -> Guest:
        """Until it stands in line."""
        wait_until(lambda: self.rider.waiting)
        return self

    def hangs(self) -> Guest:
        """Let it make a call that does not return, and wait until it does."""
        assert self.on.wait(5)
        self._call.set()
        self._go.set()
        assert self._called.wait(5)
        return self

    def let_go(self) -> None:
        """Let its call return, and its turn end."""
        self._go.set()

    def end(self) -> BaseException | None:
        """Let go, and wait until the thread has ended; what it ran into."""
        self.let_go()
        self.thread.join(5)
        assert not self.thread.is_alive()
        return self.error


@pytest.fixture
def street() -> Street:
    """A bus of our own."""
    return Street()


@pytest.fixture
def guest(street: Street, finally_do: Callable[[Callable[[], object]], None]) -> Callable[[str], Guest]:
    """Guests who have gone after the test."""

    def make(name: str) -> Guest:
        made = Guest(street.bus, name)
        finally_do(made.end)
        return made

    return make


def use(rider: Rider[Line]) -> None:
    """One call in a turn of its own."""
    with rider.turn() as turn:
        turn.call(lambda _: None)


# In order ------------------------------------------------------------------------------------------------------------


def test_first_come_first_served(street: Street, guest: Callable[[str], Guest]) -> None:
    """Nobody overtakes: turns come in the order in which they were asked for, one at a time."""
    first = guest("a")
    assert first.on.wait(5)
    others = [guest(name).until_waiting() for name in "bcdefg"]
    first.let_go()
    for one, after in zip(others, [*others[1:], None], strict=True):
        assert one.on.wait(5)
        assert after is None or not after.on.is_set()
        one.let_go()


def test_who_comes_again_stands_at_the_end(street: Street, guest: Callable[[str], Guest]) -> None:
    """A device that wants the bus all the time delays another by one transaction and no more."""
    turns: list[str] = []
    greedy, modest = street.bus.rider("greedy"), street.bus.rider("modest")
    stop = threading.Event()

    def grab() -> None:
        while not stop.is_set():
            with greedy.turn():
                turns.append("greedy")
                if len(turns) == 1:
                    wait_until(lambda: modest.waiting)

    thread = threading.Thread(target=grab, daemon=True)
    thread.start()
    wait_until(lambda: turns)
    with modest.turn():
        assert turns == ["greedy"]
        wait_until(lambda: greedy.waiting)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_wait_is_bounded(guest: Callable[[str], Guest], street: Street) -> None:
    """What keeps the bus busy has the device's name; and the turn that did not come leaves nothing in the line."""
    street.bus._wait = 0.05
    holder = guest("office")
    assert holder.on.wait(5)
    late = street.bus.rider("kitchen")
    with pytest.raises(BadReading, match=r"^I2C bus 1 is busy \(held by office for \d+\.\d s\)$"):
        use(late)
    assert not late.waiting
    holder.end()
    use(late)


def test_blocks_within_blocks(street: Street, guest: Callable[[str], Guest]) -> None:
    """One turn and one handle for all of them, also for another device of the same thread."""
    one, two = street.bus.rider("one"), street.bus.rider("two")
    with one.turn() as outer:
        with two.turn() as inner, one.turn():
            assert inner is outer
            inner.call(lambda _: None)
        other = guest("other").until_waiting()
        outer.call(lambda _: None)
        assert len(street.lines) == 1
        assert not other.on.is_set()
    assert other.on.wait(5)
    assert street.lines[0].closed_by is not None


def test_one_bus_at_a_time(street: Street) -> None:
    """Else two threads could wait for each other for ever."""
    other = Street()
    other.bus.name = "I2C bus 2"
    with (
        street.bus.rider("one").turn(),
        pytest.raises(RuntimeError, match="uses I2C bus 2 within a transaction on I2C bus 1"),
    ):
        use(other.bus.rider("one"))
    use(other.bus.rider("one"))


def test_waiting_is_seen_and_can_be_ended(street: Street, guest: Callable[[str], Guest]) -> None:
    """At a stop nobody waits for his turn."""
    holder = guest("office")
    assert holder.on.wait(5)
    waiter = guest("kitchen").until_waiting()
    waiter.rider.cancel()
    assert isinstance(waiter.end(), DeviceUnavailable)
    assert not waiter.rider.waiting
    waiter.rider.cancel()


def test_what_fails_ends_the_turn(street: Street, guest: Callable[[str], Guest]) -> None:
    """An exception in a block, in a call, in opening and in closing."""
    rider = street.bus.rider("office")
    with pytest.raises(KeyError), rider.turn() as turn:
        turn.call(lambda _: {}["x"])

    def refuse() -> Line:
        raise DeviceUnavailable("no such bus")

    street.bus.open = refuse
    with pytest.raises(DeviceUnavailable, match="no such bus"):
        use(rider)

    class Sticky(Line):
        def close(self) -> None:
            raise ValueError("does not close")

    street.bus.open = Sticky
    with pytest.raises(ValueError, match="does not close"):
        use(rider)
    assert guest("next").on.wait(5)


# Those who hang ------------------------------------------------------------------------------------------------------


def test_a_turn_is_taken_from_who_hangs(street: Street, guest: Callable[[str], Guest]) -> None:
    """The next one goes on with another handle, and the old thread can do nothing with its own but close it."""
    hangs = guest("office").hangs()
    others = [guest(name).until_waiting() for name in ("kitchen", "attic")]
    hangs.rider.revoke()
    for one in others:
        assert one.on.wait(5)
        one.let_go()
        one.thread.join(5)
    use(street.bus.rider("cellar"))
    assert len(street.lines) == 2
    assert street.lines[0].closed_by is None
    error = hangs.end()
    assert isinstance(error, DeviceUnavailable)
    assert "taken from a thread that did not return" in str(error)
    assert street.lines[0].closed_by == "office"
    with pytest.raises(DeviceUnavailable, match="taken"):
        use(hangs.rider)


def test_a_turn_that_was_taken_is_no_turn(street: Street) -> None:
    """Neither a call nor a block within it."""
    rider = street.bus.rider("office")
    with rider.turn() as turn:
        rider.revoke()
        with pytest.raises(DeviceUnavailable, match="taken"):
            turn.call(lambda _: None)
        with pytest.raises(DeviceUnavailable, match="taken"):
            use(rider)
    assert street.lines == []


def test_who_waits_can_be_sent_away(street: Street, guest: Callable[[str], Guest]) -> None:
    """A thread in whose place there is another."""
    holder = guest("office")
    assert holder.on.wait(5)
    waiter = guest("kitchen").until_waiting()
    waiter.rider.revoke()
    error = waiter.end()
    assert isinstance(error, DeviceUnavailable)
    assert "taken" in str(error)
    holder.end()
    use(street.bus.rider("attic"))


# A bus that is stuck -------------------------------------------------------------------------------------------------


def stuck(street: Street, guest: Callable[[str], Guest]) -> tuple[Guest, Guest]:
    """A bus on which two calls running do not return."""
    first = guest("office").hangs()
    second = guest("kitchen").until_waiting()
    first.rider.revoke()
    second.hangs()
    second.rider.revoke()
    return first, second


def test_two_calls_that_hang_are_a_stuck_bus(street: Street, guest: Callable[[str], Guest]) -> None:
    """Who waits is told at once, who comes later as well: it costs no more threads."""
    street.bus._wait = 60.0
    first = guest("office").hangs()
    second, third = guest("kitchen").until_waiting(), guest("attic").until_waiting()
    first.rider.revoke()
    second.hangs()
    second.rider.revoke()
    third.thread.join(5)
    message = r"^I2C bus 1 is stuck: calls of kitchen and office on it do not return$"
    with pytest.raises(DeviceUnavailable, match=message) as caught:
        street.bus.rider("cellar")
    assert "restart the machine" in caught.value.hint
    assert str(third.error) == str(caught.value)
    with pytest.raises(DeviceUnavailable, match=message):
        use(third.rider)


def test_it_is_tried_again_once_a_call_returns(street: Street, guest: Callable[[str], Guest]) -> None:
    """By one device: when that works the bus is as good as ever, whatever still hangs."""
    first, _ = stuck(street, guest)
    cellar = Rider(street.bus, "cellar")
    first.end()
    use(cellar)
    again = guest("attic").hangs()
    again.rider.revoke()
    use(cellar)


def test_the_one_that_tries_may_hang_again(street: Street, guest: Callable[[str], Guest]) -> None:
    """Then it is stuck as before: never more than two calls hang in it."""
    first, _ = stuck(street, guest)
    first.end()
    probe = guest("attic").hangs()
    others = [guest(name).until_waiting() for name in ("cellar", "hall")]
    probe.rider.revoke()
    for one in others:
        assert "calls of attic and kitchen on it do not return" in str(one.end())


def test_a_device_that_hangs_again_and_again_is_not_the_bus(street: Street, guest: Callable[[str], Guest]) -> None:
    """As long as calls of others return in between."""
    cellar = street.bus.rider("cellar")
    for _ in range(4):
        guest("office").hangs().rider.revoke()
        use(cellar)


def test_a_driver_that_hangs_outside_a_call_is_not_the_bus(street: Street, guest: Callable[[str], Guest]) -> None:
    """It keeps its turn and does something else for ever."""
    for _ in range(3):
        holder = guest("office")
        assert holder.on.wait(5)
        holder.rider.revoke()
    use(street.bus.rider("cellar"))


# All buses -----------------------------------------------------------------------------------------------------------


def test_each_bus_is_made_once() -> None:
    """Whoever asks for it, and from many threads at the same time."""
    made: list[int] = []
    buses: Buses[int, object] = Buses(lambda number: made.append(number) or object())  # type: ignore[func-returns-value]
    together = threading.Barrier(8)
    found: list[Any] = []

    def ask() -> None:
        together.wait()
        found.append(buses.bus(1))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    assert len(set(found)) == 1
    assert buses.bus(2) is not found[0]
