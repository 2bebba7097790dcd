"""Values on their way to a driver, and the reader that takes them there between two reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from support.company import Company
from support.lodging import Lodging
from support.readers import Bench, device, driver, returning

from gateway.driver import BadReading, Channel, DeviceUnavailable, Driver, Misconfigured
from gateway.reading.trouble import Relayed
from gateway.reading.writing import MOST, Stop, Write, Writes
from gateway.status.board import State

RELAY = Channel("relay", type=bool, writable=True)


def relay(write: Callable[[Any, str, Any], Any] | None = None) -> type[Driver[Any]]:
    """A driver that reads what was written, or does with it what a test wants."""

    def keep(self: Any, channel: str, value: Any) -> None:
        self.now = value

    made = driver(lambda self: {"relay": getattr(self, "now", False)}, channels=(RELAY,))
    made.write = write or keep  # type: ignore[assignment,method-assign]
    return made


def opened(made: type[Driver[Any]], **settings: Any) -> Bench:
    """A reader that has read once."""
    bench = Bench(made, interval=10.0, **settings)
    bench.steps(2)
    assert bench.status.state is State.ONLINE
    bench.readings()
    return bench


def put(bench: Bench) -> Write:
    """Let the reader set the relay, as soon as it comes to that."""
    write = Write("relay", True)
    bench.reader.writes.put(write)
    bench.due = bench.reader.step()
    return write


def test_it_is_written_at_once_and_read_again() -> None:
    """Before the next poll is due; that comes at its time as if nothing had been, and nothing is late or missed."""
    bench = opened(relay())
    due = bench.due
    assert put(bench).wait(0) == ""
    assert [dict(one.sample.values) for one in bench.readings()] == [{"relay": True}]
    assert bench.due == due
    bench.step()
    assert [dict(one.sample.values) for one in bench.readings()] == [{"relay": True}]
    assert bench.ledger.missed == bench.ledger.failed == 0


@pytest.mark.parametrize("kind", [BadReading, Misconfigured])
def test_a_value_that_is_not_taken_is_no_trouble_for_the_device(kind: type[Exception]) -> None:
    """Nobody can stop a device with a value: it stays online, is read when that is due, and nothing failed."""

    def write(_self: Any, _channel: str, value: Any) -> None:
        raise kind(f"no {value}")

    bench = opened(relay(write))
    assert put(bench).wait(0) == "no True"
    assert bench.status.state is State.ONLINE
    assert bench.ledger.failed == 0
    bench.step()
    assert len(bench.readings()) == 1


def test_a_device_that_is_gone_while_it_is_written_to() -> None:
    """It is closed and opened again, as after a read."""

    def write(_self: Any, _channel: str, _value: Any) -> None:
        raise DeviceUnavailable("unplugged")

    bench = opened(relay(write))
    assert put(bench).wait(0) == "unplugged"
    assert bench.status.state is State.OFFLINE
    assert put(bench).wait(0) == "it is not open"
    bench.run_for(5.0)
    assert bench.status.state is State.ONLINE


def test_a_bug_in_write() -> None:
    """It is named, and the driver is made anew; so is a driver that declares what it cannot do."""
    bench = opened(driver(returning({"relay": False}), channels=(RELAY,)))
    error = put(bench).wait(0)
    assert error is not None
    assert "Tiny has no write method" in error
    assert bench.ledger.renewals == 1


def test_the_bell_wakes_a_reader_that_sleeps(hire: Callable[..., Company]) -> None:
    """An hour before the next poll."""
    company = hire(device("office", relay(), interval=3600.0))
    company.start()
    company.until(lambda: company.lines["office"].status.state is State.ONLINE)
    slot = company.supervisor.slot("office")
    assert slot is not None
    assert slot.reader is not None
    write = Write("relay", True)
    slot.reader.writes.put(write)
    assert write.wait(5.0) == ""


def test_what_was_given_up_is_not_done_later() -> None:
    """Whoever claims it first decides."""
    bench = opened(relay())
    write = Write("relay", True)
    assert write.claim()
    bench.reader.writes.put(write)
    bench.reader.step()
    assert write.wait(0) is None
    assert bench.readings() == []


def test_a_reader_that_ends_takes_nothing_more() -> None:
    """What waits is told so, and what comes later; too much at a time is refused."""
    writes = Writes(threading.Event())
    waiting = [Write("relay", True) for _ in range(MOST + 1)]
    for one in waiting:
        writes.put(one)
    assert waiting[-1].wait(0) == "too many values wait for it"
    writes.close("over")
    late = Write("relay", True)
    writes.put(late)
    assert [one.wait(0) for one in (*waiting[:-1], late)] == ["over"] * (MOST + 1)


def test_a_stop_rings_the_bell() -> None:
    """So that one wait is enough for both."""
    stop = Stop()
    stop.set()
    assert stop.is_set()
    assert stop.or_more.is_set()


def test_a_driver_in_a_process_of_its_own(lodge: Callable[..., Lodging]) -> None:
    """It is given channel and value as it would be in the gateway; what it raises comes back."""
    lodging = lodge("return {'number': getattr(self, 'now', 0)}", write="self.now = {'number': 1 / value}[channel]")
    assert lodging.driver is not None
    lodging.driver.write("number", 4.0)
    assert lodging.read() == {"number": 0.25}
    with pytest.raises(Relayed, match="ZeroDivisionError"):
        lodging.driver.write("number", 0)
