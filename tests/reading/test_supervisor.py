"""Readers started, watched, replaced and stopped: first thread by thread in virtual time, then with real threads."""

from __future__ import annotations

import dataclasses
import logging
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.clock import FakeClock
from support.company import Company
from support.pty import PtyPair
from support.readers import DOOR, Line, NoHardware, device, driver, returning
from support.waiting import wait_until

from gateway.clocks import SystemClock
from gateway.config.settings import DeviceSettings
from gateway.driver import BadReading, DeviceUnavailable, Kind, Misconfigured
from gateway.hardware.real import RealHardware
from gateway.reading.left_behind import MOST, MOST_OF_DEVICE
from gateway.reading.reader import Beat, Reader
from gateway.reading.supervisor import Supervisor
from gateway.status.board import State

ONE = {"temperature": 20.5}
SECOND = 1_000_000_000
DAY = 86_400.0


class Puppet:
    """A thread without a thread: it is alive until its reader is done, and can be made to hang in a call."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.due: int | None = 0
        self.hangs = False

    def is_alive(self) -> bool:
        """Until its reader is done."""
        return self.due is not None

    def join(self, timeout: float | None = None) -> None:
        """Nothing to wait for."""

    def hang(self) -> None:
        """Be in a read that does not return."""
        self.hangs = True
        self.reader.beat = Beat("read", self.reader.settings.timeout, 0)

    def wake(self) -> None:
        """Return from that read."""
        self.hangs = False
        self.reader.beat = None

    def go(self, now: int) -> None:
        """Do what a thread would have done by now."""
        if self.hangs or self.due is None:
            return
        if self.reader.stop.is_set():
            self.due = None
            self.reader.run()
        elif self.due <= now:
            self.due = self.reader.step()


class Theatre:
    """A supervisor with puppets for threads, in virtual time."""

    def __init__(self, *devices: DeviceSettings) -> None:
        self.clock = FakeClock()
        self.lines: dict[str, Line] = {}
        self.puppets: list[Puppet] = []
        self.full = False
        self.supervisor = Supervisor(
            queue_for=lambda name: self.line(name).queue,
            board_for=lambda name: self.line(name).board,
            hardware_for=lambda _: NoHardware(),
            clock=self.clock,
            trust=lambda: None,
            rng=random.Random(1),
            spawn=self._spawn,
        )
        self.supervisor.start(devices)

    def line(self, name: str) -> Line:
        """What belongs to one device."""
        return self.lines.setdefault(name, Line(name, self.clock))

    def _spawn(self, reader: Reader) -> Puppet:
        if self.full:
            raise RuntimeError("can't start new thread")
        self.puppets.append(Puppet(reader))
        return self.puppets[-1]

    def now_of(self, name: str) -> Puppet:
        """The newest thread of a device."""
        return [puppet for puppet in self.puppets if puppet.reader.settings.device == name][-1]

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        """The main loop and all threads."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            for puppet in self.puppets:
                puppet.go(self.clock.boot_ns())
            self.supervisor.tick()

    def skip(self, seconds: float) -> None:
        """Time in which nobody runs."""
        self.clock.advance(seconds)
        self.puppets = [puppet for puppet in self.puppets if puppet.is_alive()]


def plain_device(name: str = "office", **settings: Any) -> DeviceSettings:
    """A device that works."""
    given = {"interval": 1.0, "timeout": 5.0, **settings}
    return device(name, driver(returning(ONE)), **given)


# In virtual time -----------------------------------------------------------------------------------------------------


def test_hanging_read_is_replaced_by_generation() -> None:
    """Hung after its timeout, left behind after a short grace, replaced after a second; late results are refused."""
    theatre = Theatre(plain_device())
    line = theatre.line("office")
    theatre.run_for(3.0)
    assert line.status.state is State.ONLINE
    read = len(line.values())
    first = theatre.now_of("office")
    first.hang()
    theatre.run_for(4.5)
    assert line.status.state is State.ONLINE
    theatre.run_for(1.0)
    assert theatre.supervisor.hung() == ["office"]
    assert line.status.last_error == "read has not returned within 5 s"
    assert line.ledger.abandoned == 0
    theatre.run_for(0.5)
    assert line.ledger.abandoned == 1
    theatre.run_for(2.0)
    assert line.status.state is State.ONLINE
    assert (line.ledger.restarts, theatre.supervisor.left_behind) == (1, 1)
    theatre.run_for(10.0)
    numbers = [reading.seq for reading in line.readings()]
    assert numbers[0] == read + 1
    before = line.queue.last_seq
    first.wake()
    theatre.run_for(0.25)
    assert not first.is_alive()
    assert line.queue.last_seq <= before + 1
    assert theatre.supervisor.left_behind == 0


def test_call_that_returns_when_it_is_woken_stays() -> None:
    """Within the grace nobody is left behind, and the device is online with its next reading."""
    theatre = Theatre(plain_device())
    theatre.run_for(3.0)
    theatre.now_of("office").hang()
    theatre.run_for(5.25)
    assert theatre.supervisor.hung() == ["office"]
    theatre.now_of("office").wake()
    theatre.run_for(2.0)
    line = theatre.line("office")
    assert line.status.state is State.ONLINE
    assert (line.ledger.abandoned, line.ledger.restarts, len(theatre.puppets)) == (0, 0, 1)


def test_time_in_which_the_process_did_not_run_is_not_held_against_a_driver() -> None:
    """After an hour of SIGSTOP in the middle of a read nobody hangs."""
    theatre = Theatre(plain_device())
    theatre.run_for(3.0)
    theatre.now_of("office").hang()
    theatre.run_for(1.0)
    theatre.clock.advance(3600.0)
    theatre.supervisor.tick()
    assert theatre.supervisor.hung() == []
    theatre.now_of("office").wake()
    theatre.run_for(10.0)
    assert theatre.line("office").ledger.abandoned == 0


def test_pauses_between_replacements_double_to_a_minute() -> None:
    """A driver that hangs at once, over and over (and comes back in the end, so no limit is met)."""
    theatre = Theatre(plain_device())
    theatre.run_for(1.0)
    starts = []
    for _ in range(8):
        puppet = theatre.now_of("office")
        puppet.hang()
        theatre.run_for(6.0)
        left = theatre.clock.boot_ns()
        puppet.wake()
        while theatre.now_of("office") is puppet:
            theatre.run_for(0.25)
        starts.append((theatre.clock.boot_ns() - left) / 1e9)
    for pause, whole in zip(starts, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert 0.8 * whole - 0.75 <= pause <= whole + 0.75


def test_a_hang_a_week_adds_up_to_nothing() -> None:
    """For a year; each hang lasts a day. The device works at the end, replaced within seconds each time."""
    theatre = Theatre(plain_device(interval=3600.0))
    line = theatre.line("office")
    theatre.run_for(1.0)
    for _ in range(52):
        hanging = theatre.now_of("office")
        hanging.hang()
        theatre.run_for(8.0)
        assert line.status.state is State.ONLINE
        theatre.skip(DAY)
        hanging.wake()
        theatre.run_for(1.0)
        theatre.skip(6 * DAY)
        theatre.run_for(1.0)
    assert line.status.state is State.ONLINE
    assert line.ledger.abandoned == line.ledger.restarts == 52
    assert theatre.supervisor.left_behind == 0
    assert len(theatre.puppets) == 1


def test_device_that_hangs_for_ever_costs_three_threads() -> None:
    """Then it stays hung, says so, and is tried again as soon as one of them ends."""
    theatre = Theatre(plain_device())
    line = theatre.line("office")
    for _ in range(40):
        for puppet in theatre.puppets:
            if not puppet.hangs and puppet.is_alive():
                puppet.hang()
        theatre.run_for(10.0)
    assert len(theatre.puppets) == MOST_OF_DEVICE == line.ledger.abandoned
    assert line.status.state is State.HUNG
    assert line.status.last_error == "read does not return; 3 thread(s) of it hang, 3 in all"
    theatre.puppets[0].wake()
    theatre.run_for(2.0)
    assert len(theatre.puppets) == MOST_OF_DEVICE + 1
    assert line.status.state is State.ONLINE


def hang_all(theatre: Theatre, name: str = "office") -> None:
    """Every thread of the device that is not yet in a read that never returns, is now."""
    for puppet in theatre.puppets:
        if puppet.reader.settings.device == name and puppet.is_alive() and not puppet.hangs:
            puppet.hang()


def test_device_whose_threads_never_end_has_a_way_out() -> None:
    """It is tried every 6 hours: when it works again, nobody has to do anything."""
    theatre = Theatre(plain_device())
    line = theatre.line("office")
    for _ in range(30):
        hang_all(theatre)
        theatre.run_for(3.0)
    assert (len(theatre.puppets), line.status.state) == (3, State.HUNG)
    theatre.run_for(5 * 3600.0, step=60.0)
    assert len(theatre.puppets) == 3
    theatre.run_for(3600.0, step=60.0)
    theatre.run_for(5.0)
    assert len(theatre.puppets) == 4
    assert line.status.state is State.ONLINE
    hang_all(theatre)
    theatre.run_for(6.0)
    assert (line.ledger.abandoned, line.status.state) == (4, State.HUNG)
    assert "every 6 hours" in line.status.hint
    theatre.run_for(6 * 3600.0 + 60.0, step=60.0)
    theatre.run_for(5.0)
    assert line.status.state is State.ONLINE


def test_a_hang_a_week_that_never_ends_is_survived_for_a_year() -> None:
    """In threads alone, with the process started anew when no more of them can hang, as systemd does."""
    starts, away = 1, 0.0
    theatre = Theatre(plain_device(interval=60.0))
    for _ in range(52):
        hang_all(theatre)
        begun = theatre.clock.boot_ns()
        theatre.run_for(10.0)
        if theatre.supervisor.exhausted:
            theatre, starts = Theatre(plain_device(interval=60.0)), starts + 1
            begun = theatre.clock.boot_ns()
        while theatre.line("office").status.state is not State.ONLINE:
            theatre.run_for(600.0, step=60.0)
            theatre.run_for(2.0)
        away += (theatre.clock.boot_ns() - begun) / 1e9
        theatre.skip(7 * DAY)
        theatre.run_for(120.0, step=60.0)
    assert theatre.line("office").status.state is State.ONLINE
    assert starts <= 2
    assert away < 52 * 7 * 3600.0


@pytest.mark.parametrize("where", ["open", "read"])
@pytest.mark.parametrize(
    "trouble",
    [DeviceUnavailable("x"), OSError("x"), BadReading("x"), ValueError("x"), SystemExit(1), None, {"no": 1}],
    ids=repr,
)
def test_every_state_has_a_way_out(where: str, trouble: object) -> None:
    """After hours of any trouble a device is online within a minute of being well, and nobody has done anything."""
    well: list[bool] = [False]

    def call(_: Any) -> Any:
        if not well[0] and isinstance(trouble, BaseException):
            raise trouble
        return ONE if well[0] else trouble

    calls: dict[str, Any] = {"open": call} if where == "open" else {}
    read = call if where == "read" else returning(ONE)
    theatre = Theatre(device("office", driver(read, **calls), interval=1.0))
    line = theatre.line("office")
    theatre.run_for(2 * 3600.0, step=5.0)
    broken = where == "read" or isinstance(trouble, BaseException)
    assert (line.status.state is State.ONLINE) is not broken
    well[0] = True
    theatre.run_for(62.0)
    assert line.status.state is State.ONLINE
    assert (line.ledger.restarts, len(theatre.puppets)) == (0, 1)


def test_device_that_breaks_again_and_again_is_tried_every_10_minutes() -> None:
    """After ten replacements running; a person who restarts it need not wait, and one that holds starts anew."""
    theatre = Theatre(plain_device())
    line = theatre.line("office")
    theatre.run_for(1.0)
    while line.ledger.restarts < 10:
        theatre.now_of("office").due = None
        theatre.run_for(1.0)
    theatre.now_of("office").due = None
    theatre.run_for(1.0)
    assert "every 10 minutes" in line.status.hint
    assert (line.status.state, line.status.last_error) == (State.OFFLINE, "its thread has ended unexpectedly")
    puppets = len(theatre.puppets)
    theatre.run_for(460.0)
    assert len(theatre.puppets) == puppets
    theatre.run_for(160.0)
    assert line.status.state is State.ONLINE
    theatre.now_of("office").due = None
    theatre.run_for(1.0)
    assert theatre.supervisor.restart("office")
    theatre.run_for(2.0)
    assert line.status.state is State.ONLINE
    theatre.now_of("office").due = None
    theatre.run_for(3.0)
    assert line.status.state is State.ONLINE


def test_33_hung_devices() -> None:
    """32 threads are left behind, no more; a healthy device goes on, also when its own thread breaks."""
    theatre = Theatre(*(plain_device(f"bad-{number}") for number in range(33)), plain_device("good"))
    theatre.run_for(1.0)
    for puppet in theatre.puppets:
        if puppet.reader.settings.device != "good":
            puppet.hang()
    for _ in range(30):
        theatre.run_for(2.0)
        for puppet in theatre.puppets:
            if puppet.reader.settings.device != "good" and puppet.is_alive() and not puppet.hangs:
                puppet.hang()
    assert theatre.supervisor.left_behind == MOST
    assert theatre.supervisor.exhausted
    assert len(theatre.supervisor.hung()) == 33
    assert sum(line.ledger.abandoned for line in theatre.lines.values()) == MOST
    good = theatre.line("good")
    assert good.status.state is State.ONLINE
    assert good.ledger.missed == 0
    theatre.now_of("good").due = None
    theatre.run_for(2.0)
    assert good.status.state is State.ONLINE
    assert good.ledger.restarts == 1
    for puppet in theatre.puppets:
        puppet.wake()
    theatre.run_for(62.0)
    assert theatre.supervisor.hung() == []
    assert not theatre.supervisor.exhausted


def test_thread_that_ends_unexpectedly_is_replaced() -> None:
    """Whatever ended it."""
    theatre = Theatre(plain_device())
    theatre.run_for(2.0)
    theatre.now_of("office").due = None
    theatre.run_for(0.25)
    line = theatre.line("office")
    assert (line.status.state, line.status.last_error) == (State.OFFLINE, "its thread has ended unexpectedly")
    theatre.run_for(2.0)
    assert line.status.state is State.ONLINE
    assert (line.ledger.restarts, line.ledger.abandoned) == (1, 0)


def test_machine_without_threads_to_spare() -> None:
    """The device is offline with the reason, and starts once there are threads again."""
    theatre = Theatre(plain_device())
    theatre.run_for(1.0)
    theatre.full = True
    theatre.supervisor.add(plain_device("other"))
    theatre.run_for(3.0)
    line = theatre.line("other")
    assert line.status.state is State.OFFLINE
    assert line.status.last_error == "no thread for it: can't start new thread"
    theatre.full = False
    theatre.run_for(10.0)
    assert line.status.state is State.ONLINE


def test_disabled_broken_and_misconfigured_devices() -> None:
    """Each has its state and no thread; the others run."""
    wrong = device("wrong", driver(returning(Misconfigured("no channel 9"))))
    broken = dataclasses.replace(plain_device("broken"), driver_type=None, broken="my.py:3: SyntaxError: invalid")
    theatre = Theatre(plain_device("off", enabled=False), broken, wrong, plain_device("good"))
    theatre.run_for(120.0)
    states = {name: (line.status.state.value, line.status.last_error) for name, line in theatre.lines.items()}
    assert states == {
        "off": ("disabled", ""),
        "broken": ("failed", "my.py:3: SyntaxError: invalid"),
        "wrong": ("failed", "no channel 9"),
        "good": ("online", ""),
    }
    assert len(theatre.puppets) == 2


def test_restart_remove_and_add() -> None:
    """One device at a time, its numbers going on; a restart brings back what had failed."""
    trouble: list[Any] = [Misconfigured("no")]
    theatre = Theatre(plain_device("a"), device("b", driver(lambda _: returning(*trouble)(None)), interval=1.0))
    a, b = theatre.line("a"), theatre.line("b")
    theatre.run_for(3.0)
    assert b.status.state is State.FAILED
    trouble[:] = [ONE]
    assert theatre.supervisor.restart("b")
    assert not theatre.supervisor.restart("c")
    theatre.run_for(1.0)
    assert b.status.state is State.ONLINE
    assert b.ledger.restarts == 0
    theatre.supervisor.add(plain_device("a", enabled=False))
    theatre.run_for(1.0)
    assert a.status.state is State.DISABLED
    theatre.supervisor.add(plain_device("a"))
    theatre.run_for(3.0)
    assert a.status.state is State.ONLINE
    numbers = [reading.seq for reading in a.readings()]
    assert numbers == list(range(1, len(numbers) + 1))
    theatre.supervisor.remove("a")
    theatre.supervisor.remove("c")
    theatre.run_for(1.0)
    assert a.values() == []
    assert not theatre.supervisor.restart("a")
    theatre.supervisor.add(plain_device("a"))
    theatre.run_for(1.0)
    assert a.readings()[0].seq == numbers[-1] + 1


def test_removed_device_that_hangs_is_left_behind() -> None:
    """And when it is added again, it gets a thread of its own."""
    theatre = Theatre(plain_device())
    theatre.run_for(1.0)
    theatre.now_of("office").hang()
    theatre.supervisor.remove("office")
    theatre.run_for(8.0)
    assert theatre.supervisor.left_behind == 1
    theatre.supervisor.add(plain_device())
    theatre.run_for(1.0)
    assert theatre.line("office").status.state is State.ONLINE


# With real threads ---------------------------------------------------------------------------------------------------


@pytest.mark.alone
def test_threads_have_names_and_end_at_once(hire: Callable[..., Company]) -> None:
    """One daemon thread per device, named after it; waiting ones end within the blink of an eye."""
    company = hire(*(plain_device(f"device-{number}", interval=3600.0) for number in range(50)))
    company.start()
    company.until(lambda: all(line.status.state is State.ONLINE for line in company.lines.values()))
    mine = [thread for thread in threading.enumerate() if thread.name.startswith("dev:")]
    assert sorted(thread.name for thread in mine) == sorted(f"dev:{name}" for name in company.lines)
    assert all(thread.daemon for thread in mine)
    assert company.stop() < 0.5
    assert not any(thread.is_alive() for thread in mine)
    company.supervisor.tick()
    assert not any(thread.name.startswith("dev:") for thread in threading.enumerate())


@pytest.mark.alone
@pytest.mark.slow
def test_stop_at_any_moment_200_times(hire: Callable[..., Company]) -> None:
    """From a start that has hardly begun to full work: always prompt, always whole, every reading numbered."""
    dice = random.Random(3)
    for _ in range(200):
        company = hire(
            device("a", driver(returning(ONE)), interval=0.001),
            device("b", driver(returning([{"event": "x"}] * 3), kind=Kind.EVENT), interval=None, max_rate=1e9),
            device("c", driver(returning(OSError("gone"))), interval=0.001),
            device("d", driver(returning({"door": True}), channels=(DOOR,), kind=Kind.STATE), interval=0.001),
        )
        company.start()
        time.sleep(dice.uniform(0.0, 0.03))
        assert company.stop() < 1.0
        for line in company.lines.values():
            numbers = [reading.seq for reading in line.readings()]
            assert numbers == list(range(1, len(numbers) + 1))
            assert line.ledger.balanced
            assert line.ledger.read == line.queue.last_seq


class Hanging:
    """A read that hangs until it is released, whatever wakes its thread."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.hanging = 0

    def __call__(self, _: Any) -> Any:
        """Hang."""
        self.hanging += 1
        self.release.wait()
        return ONE


@pytest.fixture
def hanging(finally_do: Callable[[Callable[[], object]], None]) -> Hanging:
    """A read that hangs, released after the test."""
    read = Hanging()
    finally_do(read.release.set)
    return read


@pytest.mark.alone
def test_33_hung_devices_and_a_prompt_stop(
    hire: Callable[..., Company], hanging: Hanging, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that hang are left behind and named in one line; a healthy device was never late."""
    bad = [device(f"bad-{number}", driver(hanging), interval=1.0, timeout=0.3) for number in range(33)]
    company = hire(*bad, plain_device("good", interval=0.05))
    company.start()
    company.until(lambda: len(company.supervisor.hung()) == 33 and company.supervisor.left_behind == MOST, 10.0)
    caplog.clear()
    assert company.stop(5.0) < 1.0
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.message.startswith("left behind at the stop, because their drivers do not return: bad-0, bad-1, ")
    assert "good" not in record.message
    good = company.lines["good"]
    assert good.ledger.failed == 0
    assert good.status.lateness is not None
    assert good.status.lateness.p50 < 20.0


def test_late_result_is_refused_200_times(hanging: Hanging) -> None:
    """The old thread wakes at the very moment of its replacement: each number is given once, none to the old one."""
    for _ in range(200):
        line = Line("office", SystemClock())
        gate = threading.Event()

        def read(_: Any, gate: threading.Event = gate) -> Any:
            gate.wait()
            return {"temperature": 1.0}

        def reader(made: Any, line: Line = line) -> Reader:
            return Reader(
                device("office", made, interval=3600.0),
                queue=line.queue,
                board=line.board,
                hardware=NoHardware(),
                clock=SystemClock(),
                trust=lambda: None,
                rng=random.Random(1),
                memory=line.memory,
            )

        line.memory.start()
        old = reader(driver(read))
        thread = threading.Thread(target=old.run)
        thread.start()
        while old.beat is None or old.beat.what != "read":
            time.sleep(0)
        gate.set()
        old.report.silence()
        line.queue.claim(Kind.SAMPLED)
        state_then = line.board.state
        old.stop.set()
        thread.join()
        assert line.board.state is state_then
        young = reader(driver(returning({"temperature": 2.0})))
        for _ in range(3):
            young.step()
        readings = line.readings()
        assert [reading.seq for reading in readings] == list(range(1, len(readings) + 1))
        assert [dict(one.sample.values)["temperature"] for one in readings][-1] == 2.0
        assert line.ledger.read == len(readings)


def test_reset_that_hangs(hire: Callable[..., Company], hanging: Hanging) -> None:
    """It is treated as a read that hangs."""
    stuck = driver(returning(ONE, OSError("gone")))
    stuck.reset = lambda self: hanging(self)  # type: ignore[method-assign]  # noqa: PLW0108 (a class binds only functions)
    company = hire(device("office", stuck, interval=0.5, open_timeout=0.2))
    company.start()
    line = company.lines["office"]
    company.until(lambda: line.status.state is State.ONLINE)
    for _ in range(4):
        company.supervisor._memories["office"].ladder.climb()
    company.until(lambda: line.status.state is State.HUNG)
    assert line.status.last_error == "reset has not returned within 0.2 s"
    assert line.ledger.resets == 1


@pytest.mark.alone
@pytest.mark.parametrize("where", ["open", "close"])
def test_open_and_close_that_hang(hire: Callable[..., Company], where: str, hanging: Hanging) -> None:
    """They are treated as a read that hangs; the stop is prompt."""
    stuck = driver(
        returning(OSError("gone")),
        open=hanging if where == "open" else None,
        close=hanging if where == "close" else None,
    )
    company = hire(device("office", stuck, open_timeout=0.2))
    company.start()
    company.until(lambda: company.lines["office"].ledger.abandoned)
    assert company.supervisor.hung() == ["office"]
    assert company.lines["office"].status.last_error.startswith(f"{where} ")
    assert company.stop(5.0) < 1.0


@pytest.mark.alone
def test_stop_waits_no_longer_than_its_deadline(hire: Callable[..., Company], hanging: Hanging) -> None:
    """For a read that is not overdue yet."""
    company = hire(device("office", driver(hanging), timeout=60.0))
    company.start()
    company.until(lambda: hanging.hanging)
    assert 0.3 <= company.stop(0.3) < 0.8
    assert company.lines["office"].readings() == []
    hanging.release.set()
    wait_until(lambda: not any(thread.name == "dev:office" for thread in threading.enumerate()))
    assert company.lines["office"].readings() == []


def serial_device(pair: PtyPair, **settings: Any) -> DeviceSettings:
    """A device that reads lines from a serial port, each read waiting up to 30 s."""

    def opening(self: Any) -> None:
        self.port = self.serial(pair.path, timeout=30.0)

    def read(self: Any) -> Any:
        line = self.port.read_until(b"\n")
        return {"temperature": float(line)} if line.endswith(b"\n") else None

    return device("office", driver(read, open=opening), interval=None, **settings)


@pytest.mark.alone
def test_stop_wakes_readers_that_wait_on_a_port(hire: Callable[..., Company], pty_pair: PtyPair) -> None:
    """A read that would wait for 30 s ends at once."""
    company = hire(serial_device(pty_pair, timeout=60.0), hardware_for=RealHardware)
    company.start()
    company.until_waiting()
    pty_pair.feed(b"21.5\n")
    company.until(lambda: company.lines["office"].ledger.read == 1)
    assert company.stop() < 0.5


@pytest.mark.alone
def test_read_that_is_overdue_is_woken_and_goes_on(hire: Callable[..., Company], pty_pair: PtyPair) -> None:
    """The port cancels the read: nobody is left behind."""
    company = hire(serial_device(pty_pair, timeout=0.3), hardware_for=RealHardware)
    company.start()
    line = company.lines["office"]
    company.until(lambda: line.status.state is State.HUNG)
    company.until(lambda: line.status.state is State.ONLINE)
    pty_pair.feed(b"21.5\n")
    company.until(lambda: line.ledger.read == 1)
    assert line.ledger.abandoned == 0
    assert company.stop() < 0.5


@pytest.mark.alone
@pytest.mark.slow
def test_port_of_a_hanging_reader_is_given_to_the_next(
    hire: Callable[..., Company], pty_pair: PtyPair, hanging: Hanging
) -> None:
    """The old thread keeps its descriptor but not the port; it ends without disturbing the new one."""
    first = True

    def opening(self: Any) -> None:
        self.port = self.serial(pty_pair.path, timeout=1.0)

    def read(self: Any) -> Any:
        nonlocal first
        if first:
            first = False
            hanging(self)
        line = self.port.read_until(b"\n")
        return {"temperature": float(line)} if line else None

    made = driver(read, open=opening)
    company = hire(device("office", made, interval=None, timeout=0.3), hardware_for=RealHardware)
    company.start()
    line = company.lines["office"]
    company.until(lambda: line.ledger.restarts)
    company.until_waiting()
    pty_pair.feed(b"1\n2\n")
    company.until(lambda: line.ledger.read == 2)
    hanging.release.set()
    company.until(lambda: company.supervisor.left_behind == 0)
    pty_pair.feed(b"3\n")
    company.until(lambda: line.ledger.read == 3)
    assert [one["temperature"] for one in line.values()] == [1.0, 2.0, 3.0]
    assert company.stop() < 0.5


@pytest.mark.alone
@pytest.mark.slow
def test_unplug_and_replug_100_times_leaks_nothing(hire: Callable[..., Company], pty_pair: PtyPair) -> None:
    """Threads and descriptors are as many after as before; the device is online again each time."""

    def opening(self: Any) -> None:
        self.port = self.serial(pty_pair.path, timeout=0.5)

    def read(self: Any) -> Any:
        line = self.port.read_until(b"\n")
        return {"temperature": float(line)} if line.endswith(b"\n") else None

    def belongings() -> tuple[int, int]:
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    company = hire(device("office", driver(read, open=opening), interval=None, timeout=5.0), hardware_for=RealHardware)
    company.start()
    line = company.lines["office"]
    company.until_waiting()
    pty_pair.feed(b"0\n")
    company.until(lambda: line.ledger.read == 1)
    before = belongings()
    for number in range(1, 101):
        pty_pair.unplug()
        company.until(lambda: line.status.state is not State.ONLINE)
        pty_pair.plug_in()
        assert company.supervisor.restart("office")  # instead of waiting for the pause before the next attempt
        company.until_waiting()
        pty_pair.feed(b"%d\n" % number)
        company.until(lambda number=number: line.ledger.read == number + 1)
    assert [one["temperature"] for one in line.values()] == list(range(101))
    assert belongings() == before
    assert company.stop() < 0.5
