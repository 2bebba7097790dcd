"""One device from opening to its samples in the queue, stepped through virtual time."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from support.clock import FakeClock
from support.readers import DOOR, LABEL, TEMPERATURE, Bench, channel, driver, returning

from gateway.driver import BadReading, Channel, DeviceUnavailable, Driver, Kind, Misconfigured, NoOptions
from gateway.status.board import State

ONE = {"temperature": 20.5}


class Nasty(BaseException):
    """It cannot even be shown."""

    def __str__(self) -> str:
        raise SystemExit

    __repr__ = __str__


ANYTHING = [
    Exception,
    SystemExit,
    KeyboardInterrupt,
    MemoryError,
    RecursionError,
    GeneratorExit,
    StopIteration,
    asyncio.CancelledError,
    BaseException,
    Nasty,
]
"""What a driver may raise without meaning it."""


def counting(read: Any) -> tuple[Any, list[str]]:
    """A driver class around ``read`` and the list in which its calls are noted."""
    calls: list[str] = []

    def noted(self: Any) -> Any:
        calls.append("read")
        return read(self)

    made = driver(noted, open=lambda _: calls.append("open"), close=lambda _: calls.append("close"))
    return made, calls


# The way of a reading ------------------------------------------------------------------------------------------------


def test_first_reading_comes_at_once_then_on_the_grid() -> None:
    """Within 0.2 s, then one per interval; all are numbered from 1."""
    bench = Bench(driver(returning(ONE)), interval=10.0)
    assert bench.status.state is State.STARTING
    bench.run_for(0.2)
    assert [dict(one.sample.values) for one in bench.readings()] == [ONE]
    assert bench.status.state is State.ONLINE
    bench.run_for(15.0)
    bench.run_for(80.0)
    numbers = [one.seq for one in bench.readings()]
    assert numbers == list(range(2, 2 + len(numbers)))
    assert len(numbers) in (9, 10)
    assert bench.ledger.missed == bench.ledger.failed == 0
    assert bench.status.lateness is not None
    assert bench.status.lateness.p99 == 0.0


def test_sample_is_stamped_when_read_returns() -> None:
    """Both clocks are taken after the read, with what is thought of the wall clock."""
    clock = FakeClock()

    def read(_: Any) -> Any:
        clock.advance(1.5)
        return ONE

    bench = Bench(driver(read), clock=clock, trust=lambda: "unsynced")
    bench.steps(2)
    (sample,) = bench.samples()
    assert (sample.wall_ns, sample.boot_ns) == (clock.wall_ns(), clock.boot_ns())
    assert sample.clock == "unsynced"
    assert bench.status.last_read_ns == clock.wall_ns()


def test_channels_are_transformed() -> None:
    """Renamed, scaled, disabled: as the settings say."""
    bench = Bench(
        driver(returning({"temperature": 20.0, "label": "x"}), channels=(TEMPERATURE, DOOR, LABEL)),
        channels=(channel(TEMPERATURE, key="room", unit="°F"), channel(DOOR), channel(LABEL, enabled=False)),
    )
    bench.steps(2)
    assert bench.values() == [{"room": 68.0, "door": None}]


def test_several_samples_of_one_read() -> None:
    """They keep their order and have the same time."""
    bench = Bench(driver(returning([{"temperature": n} for n in range(5)])))
    bench.steps(2)
    samples = bench.samples()
    assert [dict(sample.values)["temperature"] for sample in samples] == list(range(5))
    assert len({sample.boot_ns for sample in samples}) == 1


def test_driver_that_changes_its_dict_later() -> None:
    """What was handed over stays as it was."""
    mine: dict[str, Any] = {"temperature": 0}

    def read(_: Any) -> Any:
        mine["temperature"] += 1
        return mine

    bench = Bench(driver(read))
    bench.steps(4)
    assert [one["temperature"] for one in bench.values()] == [1, 2, 3]


def test_slow_reads_miss_polls() -> None:
    """A read of 25 s at an interval of 10 s: two polls are counted as missed, none is caught up."""
    clock = FakeClock()

    def read(_: Any) -> Any:
        clock.advance(25.0)
        return ONE

    bench = Bench(driver(read), clock=clock, interval=10.0)
    bench.steps(2)
    bench.values()
    missed = bench.ledger.missed
    bench.steps(4)
    assert bench.ledger.missed - missed == 8
    assert len(bench.values()) == 4


def test_an_hour_of_sigstop_costs_one_poll() -> None:
    """One late poll, then the grid goes on; the lateness shows it."""
    bench = Bench(driver(returning(ONE)), interval=10.0)
    bench.steps(3)
    bench.values()
    bench.clock.advance(3600.0)
    bench.run_for(0.0)
    assert len(bench.values()) == 1
    bench.run_for(100.0)
    assert len(bench.values()) == 10
    assert bench.ledger.missed in (358, 359, 360)
    assert bench.status.lateness is not None
    assert bench.status.lateness.p99 == 0.0 or bench.status.lateness.p99 > 3e6


def test_deadband_holds_back_and_counts() -> None:
    """Held back polls use no number and are counted as suppressed."""
    bench = Bench(
        driver(returning(*({"temperature": t} for t in (20.0, 20.01, 20.02, 20.2)))),
        channels=(channel(TEMPERATURE, deadband=0.1),),
    )
    bench.steps(5)
    assert [(one.seq, dict(one.sample.values)["temperature"]) for one in bench.readings()] == [(1, 20.0), (2, 20.2)]
    assert bench.ledger.suppressed == 2


def test_max_rate_drops_and_counts() -> None:
    """What is too much uses its number and is counted as dropped."""
    bench = Bench(driver(returning([{"temperature": n} for n in range(50)])), max_rate=10.0, interval=1.0)
    bench.steps(2)
    assert len(bench.values()) == 10
    assert bench.ledger.dropped == {"rate": 40}
    assert bench.queue.last_seq == 50
    assert bench.ledger.balanced


# Kinds ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [None, {}, []])
def test_polled_sampled_device_that_returns_nothing_has_failed(nothing: Any) -> None:
    """No reading, `failed` + 1, and the reason."""
    bench = Bench(driver(returning(ONE, nothing)))
    bench.steps(3)
    assert len(bench.values()) == 1
    assert bench.ledger.failed == 1
    assert bench.status.state is State.DEGRADED
    assert bench.status.last_error == "read returned nothing"


def test_event_device_is_well_when_nothing_happens() -> None:
    """Nothing is no failure; events are never held back and have only what they came with."""
    tag = {"event": "arrived", "tag": "04a2"}
    made = driver(returning(None, {}, tag, tag, None), channels=(TEMPERATURE,), kind=Kind.EVENT)
    bench = Bench(made, interval=0.1)
    bench.steps(2)
    assert bench.status.state is State.ONLINE
    bench.steps(4)
    assert bench.values() == [tag, tag]
    assert bench.ledger.failed == bench.ledger.suppressed == 0


def test_state_device_is_published_on_change_and_heartbeat() -> None:
    """Unchanged polls are suppressed; a driver that says nothing means that all is as it was."""
    made = driver(returning({"door": False}, {"door": False}, {"door": True}, None), channels=(DOOR,), kind=Kind.STATE)
    bench = Bench(made, interval=10.0)
    bench.run_for(60.0)
    assert [one["door"] for one in bench.values()] == [False, True]
    assert bench.ledger.suppressed == 1
    bench.run_for(310.0)
    assert [one["door"] for one in bench.values()] == [True]
    assert bench.ledger.suppressed == 1


def test_state_device_is_published_after_reopening() -> None:
    """The first reading after an open always is."""
    made = driver(returning({"door": True}, OSError("gone"), {"door": True}), channels=(DOOR,), kind=Kind.STATE)
    bench = Bench(made, interval=10.0)
    bench.run_for(30.0)
    assert [one["door"] for one in bench.values()] == [True, True]


def test_streaming_device_is_read_again_at_once() -> None:
    """No interval, no lateness, no missed polls; nothing is normal."""
    clock = FakeClock()
    results = iter([None, ONE, None, ONE, ONE])

    def read(_: Any) -> Any:
        clock.advance(0.9)
        return next(results)

    bench = Bench(driver(read), clock=clock, interval=None)
    bench.step()
    begun = clock.boot_ns()
    bench.steps(5)
    assert clock.boot_ns() - begun == pytest.approx(4.5e9)
    assert len(bench.values()) == 3
    assert bench.status.lateness is None
    assert bench.ledger.failed == bench.ledger.missed == 0


@pytest.mark.parametrize(("result", "pause"), [(None, 0.01), (BadReading("noise"), 0.01), (ONE, 0.0)])
def test_streaming_driver_that_does_not_wait_cannot_spin(result: Any, pause: float) -> None:
    """Nothing, or noise, in no time at all: it is read again after 10 ms."""
    bench = Bench(driver(returning(result)), interval=None)
    bench.step()
    begun = bench.clock.boot_ns()
    bench.steps(101)
    assert (bench.clock.boot_ns() - begun) / 1e9 == pytest.approx(100 * pause)


def test_streaming_flood_is_slowed_down_as_well_as_dropped() -> None:
    """Once readings are dropped the driver is not called without any pause."""
    bench = Bench(driver(returning(ONE)), interval=None, max_rate=10.0)
    bench.steps(1001)
    assert bench.ledger.dropped["rate"] > 900
    assert bench.clock.boot_ns() / 1e9 > 1000.1


def test_silence_after_noise_makes_a_streaming_device_no_better() -> None:
    """It is degraded, and after three in a row offline, until something comes that can be read."""
    noise = BadReading("noise")
    bench = Bench(driver(returning(None, noise, None, noise, None, noise, None, ONE)), interval=None)
    states = []
    for _ in range(9):
        bench.step()
        states.append(bench.status.state.value)
    assert states == ["starting", "online", *["degraded"] * 4, *["offline"] * 2, "online"]


# Errors --------------------------------------------------------------------------------------------------------------


def test_bad_reading_degrades_and_three_in_a_row_are_offline() -> None:
    """The device stays open and is polled on; one good reading and all is well."""
    bad = BadReading("bad CRC", hint="check the wiring")
    made, calls = counting(returning(ONE, bad, bad, bad, bad, ONE))
    bench = Bench(made, interval=1.0)
    states = []
    for _ in range(7):
        bench.step()
        states.append(bench.status.state.value)
    assert states == ["starting", "online", "degraded", "degraded", "offline", "offline", "online"]
    assert calls == ["open", *["read"] * 6]
    assert (bench.ledger.failed, bench.ledger.reopens) == (4, 0)
    assert (bench.status.last_error, bench.status.hint) == ("bad CRC", "check the wiring")


@pytest.mark.parametrize(("interval", "reads"), [(1.0, 12), (10.0, 4)])
def test_bad_readings_that_go_on_have_the_device_opened_again(interval: float, reads: int) -> None:
    """After three of them and 10 s: a chip that has forgotten its set-up gets it again. Ever more seldom."""
    made, calls = counting(returning(ONE, *[BadReading("no set-up")] * (reads - 1), ONE))
    bench = Bench(made, interval=interval)
    bench.run_for(60.0)
    assert calls[: reads + 4] == ["open", *["read"] * reads, "close", "open", "read"]
    assert bench.status.state is State.ONLINE
    assert bench.ledger.reopens == 1
    forever, calls = counting(returning(BadReading("broken")))
    bench = Bench(forever, interval=interval)
    bench.run_for(3600.0)
    assert 40 <= calls.count("open") <= 3600 / 50
    assert bench.status.state is State.OFFLINE


def test_noise_that_goes_on_has_a_streaming_device_opened_again() -> None:
    """After 10 s of nothing else; that it is silent after that makes it no better."""
    sends: list[Any] = [BadReading("noise")]

    def read(_: Any) -> Any:
        bench.clock.advance(0.5)
        if sends[0] is not None and sends[0] != ONE:
            raise sends[0]
        return sends[0]

    bench = Bench(driver(read), interval=None)
    bench.run_for(9.5)
    assert (bench.status.state, bench.ledger.reopens) == (State.OFFLINE, 0)
    bench.run_for(2.0)
    assert bench.ledger.reopens == 1
    sends[0] = None
    bench.run_for(60.0)
    assert (bench.status.state, bench.ledger.reopens) == (State.OFFLINE, 1)
    sends[0] = ONE
    bench.run_for(1.0)
    assert bench.status.state is State.ONLINE


def test_wrong_types_are_a_bad_reading() -> None:
    """A driver's bug in what it returns is counted; nothing of it reaches the queue."""
    bench = Bench(driver(returning({"temperature": b"21"})))
    bench.steps(3)
    assert bench.values() == []
    assert bench.ledger.failed == 2
    assert bench.status.last_error == (
        "read returned a value of type bytes for temperature; a number or None is expected"
    )


def test_bad_value_of_the_hardware_is_null_and_noted() -> None:
    """NaN is no failure: that channel is null, and the status says why."""
    bench = Bench(driver(returning({"temperature": math.nan})))
    bench.steps(2)
    assert bench.values() == [{"temperature": None}]
    assert bench.ledger.failed == 0
    assert (bench.status.state, bench.status.last_error) == (State.ONLINE, "temperature is NaN")


def test_device_absent_at_start_comes_later() -> None:
    """Offline with pauses of 1, 2, 4 … s, online without a restart, polled at once."""
    present = False

    def opening(_: Any) -> None:
        if not present:
            raise FileNotFoundError(2, "No such file or directory", "/dev/ttyUSB0")

    bench = Bench(driver(returning(ONE), open=opening), interval=3600.0)
    waits = []
    for _ in range(9):
        bench.step()
        assert bench.due is not None
        waits.append((bench.due - bench.clock.boot_ns()) / 1e9)
    for wait, whole in zip(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert 0.8 * whole <= wait <= whole
    assert bench.status.state is State.OFFLINE
    assert bench.status.last_error == "/dev/ttyUSB0: No such file or directory"
    assert bench.ledger.failed == 0
    present = True
    bench.run_for(60.0)
    assert bench.values() == [ONE]
    assert bench.status.state is State.ONLINE


@pytest.mark.parametrize("gone", [DeviceUnavailable("gone"), OSError("gone"), TimeoutError("gone")])
def test_device_lost_and_back(gone: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """It is released and opened again after a pause; the log has one line when it is lost and one when it is back."""
    caplog.set_level(logging.INFO)
    plugged = True

    def opening(_: Any) -> None:
        if not plugged:
            raise gone

    def read(_: Any) -> Any:
        if not plugged:
            raise gone
        return ONE

    calls: list[str] = []
    made = driver(read, open=opening, close=lambda _: calls.append("close"))
    bench = Bench(made, interval=1.0)
    bench.run_for(5.0)
    plugged = False
    bench.run_for(1.0)
    assert bench.status.state is State.DEGRADED
    assert calls == ["close"]
    bench.run_for(120.0)
    assert bench.status.state is State.OFFLINE
    plugged = True
    bench.run_for(61.0)
    assert bench.status.state is State.ONLINE
    assert bench.ledger.failed == 1
    lines = [record.message for record in caplog.records]
    assert lines[0] == "office: lost: gone"
    assert lines[1].startswith("office: back after ")
    assert len(lines) == 2


def test_reading_that_fails_again_and_again_is_opened_ever_more_seldom() -> None:
    """An open that works resets nothing: only a read that works does."""
    made, calls = counting(returning(OSError("gone")))
    bench = Bench(made, interval=1.0)
    bench.run_for(600.0)
    assert 14 <= calls.count("open") <= 20
    assert bench.status.state is State.OFFLINE


def test_device_that_was_offline_needs_a_good_read_to_be_available() -> None:
    """A bad reading after an open does not make it degraded, which would be available."""
    failures = [OSError("gone")]

    def opening(_: Any) -> None:
        if failures:
            raise failures.pop()

    bench = Bench(driver(returning(BadReading("bad"), ONE), open=opening))
    bench.steps(3)
    assert bench.ledger.failed == 1
    assert bench.status.state is State.OFFLINE
    bench.step()
    assert bench.status.state is State.ONLINE


@pytest.mark.parametrize("where", ["open", "read"])
def test_misconfigured_ends_the_reader(where: str, caplog: pytest.LogCaptureFixture) -> None:
    """The device has failed; nothing is tried again; the log says why."""
    error = Misconfigured("no channel 9", hint="channels are 1 to 8")

    def raise_it(_: Any) -> None:
        raise error

    bench = Bench(driver(returning(error), open=raise_it if where == "open" else None))
    bench.run_for(10.0)
    assert bench.due is None
    assert bench.reader.misconfigured
    status = bench.status
    assert (status.state, status.last_error, status.hint) == (State.FAILED, "no channel 9", "channels are 1 to 8")
    assert [record.message for record in caplog.records] == [
        "office: stopped until its configuration changes: no channel 9"
    ]


@pytest.mark.parametrize("kind", ANYTHING)
@pytest.mark.parametrize("where", ["construct", "open", "read", "close"])
def test_nothing_that_a_driver_raises_ends_its_reader(
    where: str, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """A new driver object is tried after a pause, again and again, and works once the bug is gone."""
    caplog.set_level(logging.WARNING)
    broken = True

    def trouble(there: str) -> None:
        if broken and there == where:
            raise kind("made by the test")

    def read(_: Any) -> Any:
        trouble("read")
        if broken and where == "close":
            raise OSError("closed and opened again")
        return ONE

    class Tiny(driver(read, open=lambda _: trouble("open"), close=lambda _: trouble("close"))):  # type: ignore[misc]
        def __init__(self, options: Any, runtime: Any) -> None:
            super().__init__(options, runtime)
            trouble("construct")

    bench = Bench(Tiny, interval=1.0)
    bench.run_for(100.0)
    assert bench.due is not None
    assert bench.status.state is State.OFFLINE
    bugs = [record.message for record in caplog.records if "driver bug" in record.message]
    assert len([line for line in bugs if "lost" not in line]) == 1
    broken = False
    bench.run_for(61.0)
    assert bench.status.state is State.ONLINE
    assert bench.values()[0] == ONE


def test_bug_gets_a_new_driver_object_and_a_lost_device_keeps_its_own() -> None:
    """What a bug may have left in the object goes with it."""
    objects = []

    def opening(self: Any) -> None:
        objects.append(self)

    bench = Bench(driver(returning(ONE, OSError("gone"), ONE, ValueError("bug"), ONE), open=opening), interval=1.0)
    bench.run_for(10.0)
    first, second, third = objects
    assert first is second
    assert second is not third


class Climber(Driver[NoOptions]):
    """Cannot be opened until it is told so; notes what is done with which object."""

    channels = (TEMPERATURE,)
    works = False
    calls: ClassVar[list[str]] = []
    objects: ClassVar[list[Any]] = []

    def _note(self, what: str) -> None:
        if self not in self.objects:
            self.objects.append(self)
        self.calls.append(f"{what} {self.objects.index(self)}")

    def open(self) -> None:
        """Fail, or not."""
        self._note("open")
        if not self.works:
            raise DeviceUnavailable("no answer")

    def read(self) -> Any:
        """Work."""
        return ONE

    def close(self) -> None:
        """Note it."""
        self._note("close")


@pytest.fixture
def climber(finally_do: Callable[[Callable[[], object]], None]) -> type[Climber]:
    """A class of its own, with lists of its own."""
    return type("Climber", (Climber,), {"calls": [], "objects": []})


def test_reopen_then_a_new_object_then_a_reset(climber: type[Climber]) -> None:
    """Rung by rung, each counted, until it works; then from the bottom again."""

    def reset(self: Any) -> None:
        self._note("reset")

    climber.reset = reset  # type: ignore[method-assign]  # this one offers a reset
    bench = Bench(climber)
    while bench.ledger.reopens < 6:
        bench.step()
    assert [call for call in climber.calls if not call.startswith("close")] == [
        *["open 0"] * 3,
        *["open 1"] * 2,
        "reset 2",
        "open 2",
    ]
    assert climber.calls[-4:] == ["reset 2", "close 2", "open 2", "close 2"]
    assert (bench.ledger.renewals, bench.ledger.resets, bench.ledger.restarts) == (3, 1, 0)
    climber.works = True
    bench.steps(2)
    assert bench.status.state is State.ONLINE
    assert not bench.memory.ladder.reset_is_due


def test_driver_without_a_reset_is_never_reset(climber: type[Climber]) -> None:
    """What it cannot do is not counted."""
    bench = Bench(climber)
    bench.run_for(1800.0)
    assert bench.ledger.reopens > 30
    assert bench.ledger.resets == 0


@pytest.mark.parametrize("error", [DeviceUnavailable("no reset"), ValueError("no reset")])
def test_reset_that_fails_is_an_attempt_that_failed(climber: type[Climber], error: Exception) -> None:
    """The next one is made all the same."""

    def reset(_: Any) -> None:
        raise error

    climber.reset = reset  # type: ignore[method-assign]  # this one offers a reset
    bench = Bench(climber)
    while not bench.ledger.resets:
        bench.step()
    assert "no reset" in bench.status.last_error
    climber.works = True
    bench.run_for(120.0)
    assert bench.status.state is State.ONLINE


def test_bug_is_logged_once_with_its_traceback_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    """One warning per distinct error, whatever happens in between; the traceback once."""
    caplog.set_level(logging.DEBUG)
    bench = Bench(driver(returning(*[ValueError("one"), KeyError("two")] * 10)), interval=1.0)
    bench.run_for(300.0)
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    bugs = [line for line in warnings if "lost" not in line]
    assert [line.rpartition(": ")[2] for line in bugs] == ["one", "'two'"]
    assert len(warnings) == 3
    assert sum(record.exc_info is not None for record in caplog.records) == 2


def test_another_reason_for_a_loss_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What was not plugged in is plugged in now, but not permitted: the journal's last word must not be the old one."""
    texts = ["no port"] * 4 + ["no permission", "no port", "busy", "cut"]
    bench = Bench(driver(returning(*map(DeviceUnavailable, texts), ONE)), interval=1.0)
    bench.run_for(300.0)
    told = [record.message for record in caplog.records if "lost" in record.message]
    assert told == ["office: lost: no port", "office: still lost: no permission", "office: still lost: busy"]


def test_device_text_cannot_forge_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    """What a device sends is shown escaped and cut, in the log and in the status."""
    text = "AB\n2026-01-01 INFO forged\x1b[2J" + "x" * 1000
    bench = Bench(driver(returning(BadReading(text, hint=text))))
    bench.steps(5)
    for shown in (bench.status.last_error, bench.status.hint, caplog.records[0].message):
        assert "\n" not in shown
        assert "\x1b" not in shown
        assert len(shown) < 250


# Ending --------------------------------------------------------------------------------------------------------------


def test_replaced_reader_ends_quietly() -> None:
    """Its late result uses no number and changes nothing; its driver is released."""
    made, calls = counting(returning(ONE))
    bench = Bench(made)
    bench.steps(2)
    old = bench.reader
    bench.reader = bench.new_reader()
    assert len(bench.values()) == 1
    old.report.silence()
    bench.clock.advance(30.0)
    before = bench.status
    assert old.step() is None
    assert bench.status == before
    old.run()
    assert calls[-1] == "close"
    bench.steps(2)
    assert [one.seq for one in bench.readings()] == [2]


@pytest.mark.parametrize("error", [OSError("gone"), ValueError("bug"), BadReading("bad"), Misconfigured("no")])
def test_late_failure_of_a_replaced_reader_counts_nothing(error: BaseException) -> None:
    """It has no say any more."""
    bench = Bench(driver(returning(ONE, error)))
    bench.steps(2)
    bench.reader.report.silence()
    bench.reader.stop.set()
    before = bench.status
    bench.step()
    assert bench.due is None
    assert bench.status == before


def test_elapsed_counts_from_the_first_start_of_the_device() -> None:
    """Across reopening and replacement."""
    seen: list[float] = []

    def read(self: Any) -> Any:
        seen.append(self.elapsed())
        return ONE

    bench = Bench(driver(read), interval=10.0)
    bench.run_for(60.0)
    bench.reader = bench.new_reader()
    bench.due = bench.clock.boot_ns()
    bench.steps(2)
    assert seen[0] == 0.0
    assert 59.0 < seen[-1] <= 60.0


def test_wait_of_a_driver_is_on_the_runtimes_clock_and_ends_with_it() -> None:
    """A stop ends it at once; nonsense does not wait at all."""
    clock = FakeClock()

    def waiting(seconds: float) -> Any:
        return driver(lambda self: self.wait(seconds) or ONE)

    for nonsense in (-1.0, 0.0, math.nan):
        bench = Bench(waiting(nonsense), clock=clock)
        bench.steps(2)
        assert bench.values() == [ONE]
    bench = Bench(waiting(math.inf), clock=clock)
    bench.step()
    bench.reader.stop.set()
    bench.step()
    assert bench.due is None


def test_grid_is_kept_by_the_next_generation() -> None:
    """A replacement polls at once and then at the very instants that its predecessor would have."""
    bench = Bench(driver(returning(ONE)), interval=10.0)
    bench.run_for(60.0)
    grid = bench.samples()[-1].boot_ns % 10_000_000_000
    bench.clock.advance(3.3)
    bench.reader = bench.new_reader()
    bench.due = bench.clock.boot_ns()
    bench.run_for(30.0)
    first, *rest = bench.samples()
    assert first.boot_ns % 10_000_000_000 != grid
    assert {sample.boot_ns % 10_000_000_000 for sample in rest} == {grid}


def test_unknown_unit_and_text_channels_pass_unchanged() -> None:
    """A channel without a unit has nothing to convert."""
    plain = Channel("raw")
    bench = Bench(driver(returning({"raw": 3}), channels=(plain,)))
    bench.steps(2)
    assert bench.values() == [{"raw": 3}]
