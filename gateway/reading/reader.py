"""Reads one device: opens its driver, polls it on schedule, and hands over what it says.

A :class:`Reader` is one generation of one device. It holds no thread: :meth:`Reader.step` does what is due and says
when to come back, and :meth:`Reader.run` is the loop around it that a thread executes. Whatever a driver does, the loop
goes on; only a device that is misconfigured, a stop, or being replaced ends it.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from gateway.clocks import Clock
from gateway.config.settings import DeviceSettings
from gateway.delivery.queue import DeviceQueue
from gateway.driver import BadReading, Driver, Kind
from gateway.hardware.protocols import Hardware
from gateway.reading.home import Beat, Here, Home, Openable
from gateway.reading.ladder import Rung
from gateway.reading.memory import DeviceMemory, Report
from gateway.reading.outlet import Outcome, Outlet, Taken
from gateway.reading.pace import Backoff
from gateway.reading.remote import Process, Remote
from gateway.reading.schedule import SECOND, Schedule, spread
from gateway.reading.trouble import Reaction, Trouble, sort_out
from gateway.reading.writing import Stop, Write, Writes
from gateway.status.board import DeviceBoard, State
from gateway.status.meter import Seat

log = logging.getLogger(__name__)

NAP = 30 * SECOND
"""The longest sleep in one piece: then a wall clock that was set, or a machine that slept, is noticed."""
AT_ONCE = SECOND // 1000
"""A streaming read that takes less than this did not wait for its device."""
IDLE_PAUSE = SECOND // 100
"""After such a read that brought nothing, so that a driver that does not wait cannot take all of a processor."""
FLOOD_PAUSE = SECOND // 5000
"""After a streaming read of which something was dropped for coming too fast."""
FAILURES = 3
"""So many failures running make a device offline."""
PATIENCE = 10 * SECOND
"""When bad readings have come for so long, and that many of them, the device is opened again."""

T = TypeVar("T")


class Reader:
    """One generation of one device."""

    def __init__(
        self,
        settings: DeviceSettings,
        *,
        queue: DeviceQueue,
        board: DeviceBoard,
        hardware: Hardware,
        clock: Clock,
        trust: Callable[[], str | None],
        rng: random.Random,
        memory: DeviceMemory,
        process: Process | None = None,
    ) -> None:
        """``process``: where the driver lives; by default it lives here."""
        assert settings.driver_type is not None
        now = clock.boot_ns()
        self.settings = settings
        self.stop = Stop()
        """Set to end the reader: between two calls of the driver at once, else when the call returns."""
        self.beat: Beat | None = None
        """The driver call under way. The supervisor looks at it from outside."""
        self.misconfigured = False
        """It has ended because trying again is useless."""
        self.lost = False
        """It has ended because the process that its driver lived in is of no use any more."""
        self.report = Report(board, memory)
        self.writes = Writes(self.stop.or_more)
        """What is to be set. Any thread may add to it."""
        self._clock = clock
        self._memory = memory
        self._pid = None if process is None else process.pid
        self.home: Home
        if process is None:
            self.home = Here(settings, hardware, clock, memory, self.stop)
        else:
            self.home = Remote(process, settings, memory, self.stop)
        self._driver: Openable | None = None
        self._is_open = False
        self._backoff = Backoff(rng)
        self._outlet = Outlet(settings, queue, report=self.report, memory=memory, trust=trust, boot_ns=now)
        self._schedule: Schedule | None = None
        self._next_ns = now + (spread(settings.device) if memory.started_ns is None else 0)
        self._resets = settings.driver_type.reset is not Driver.reset
        self._failures = 0
        self._failing_ns = now  # since when reads fail, or since the last attempt to open it again
        self._garbled = False  # the last thing that a streaming device sent could not be read

    def run(self) -> None:
        """Work until the end. Never raises: a thread executes this."""
        self.report.sits(Seat.here(self._clock.boot_ns(), self._pid, lambda: self.beat))
        try:
            due: int | None = self._next_ns
            while due is not None and not self._sleep_until(due):
                due = self.step()
        except BaseException:  # our own bug: the supervisor replaces the reader
            log.exception("%s: the reader has ended unexpectedly", self.settings.device)
        finally:
            self.writes.close("it was stopped or restarted before it came to that")
            self._release()
            self.report.sits(None)

    def step(self) -> int | None:
        """Do what is due now; when to come back, on boot time. ``None``: this reader is done."""
        now = self._clock.boot_ns()
        if self._is_open and self._schedule is not None:
            self._next_ns = self._schedule.adjust(now, self._clock.wall_ns())
        if now < self._next_ns or self.writes.waiting:
            return self._next_ns if all(map(self._write, self.writes.take())) else None
        go_on = self._poll() if self._is_open else self._open()
        return self._next_ns if go_on and not self.stop.is_set() else None

    def _sleep_until(self, due_ns: int) -> bool:
        """Sleep until then, but in naps; whether to stop."""
        left = min(due_ns - self._clock.boot_ns(), NAP)
        if left > 0 and self._clock.wait(self.stop.or_more, left / SECOND):
            self.stop.or_more.clear()
        return self.stop.is_set()

    # Opening and closing ---------------------------------------------------------------------------------------------

    def _open(self) -> bool:
        """Try to open the device; whether to go on."""
        origin = self._memory.start()
        try:
            if self._driver is None:
                self._driver = self._call("start", self.home.moving_in, self.home.new_driver)
            if self._resets and self._memory.ladder.reset_is_due:
                self.report.count("resets")
                self._call("reset", self.settings.open_timeout, self._driver.reset)
                self._call("close", self.settings.open_timeout, self._driver.release)
            self._call("open", self.settings.open_timeout, self._driver.open)
        except BaseException as error:  # noqa: BLE001 (drivers may raise anything; nothing of it may end the thread)
            return self._failed(error, opening=True)
        now = self._clock.boot_ns()
        self._schedule = self._schedule or Schedule.of(self.settings, origin, now)
        if self._schedule is not None:
            self._schedule.begin(now)
        self._is_open = True
        self._outlet.reset(now)
        self._next_ns = now
        return True

    def _release(self) -> None:
        """Let go of the device."""
        self._is_open = False
        if self._driver is None:
            return
        try:
            self._call("close", self.settings.open_timeout, self._driver.release)
        except BaseException as error:  # noqa: BLE001 (the same as in open; and there is nothing left to do about it)
            self._log_bug(error, sort_out(error))
        self.home.forget()

    def _call(self, what: str, limit: float, function: Callable[[], T]) -> T:
        began = self._clock.boot_ns()
        self.beat = Beat(what, limit, began)
        try:
            return function()
        finally:
            self.beat = None
            if what == "read":
                self.report.took(began, self._clock.boot_ns())

    # Reading ---------------------------------------------------------------------------------------------------------

    def _write(self, write: Write) -> bool:
        """Set a channel and read what came of it; whether to go on. A value that is not taken is no trouble."""
        if not self._is_open or self._driver is None:
            write.settle("it is not open")
            return True
        try:
            self._call("write", self.settings.timeout, partial(self._driver.write, write.channel, write.value))
        except BaseException as error:  # noqa: BLE001 (the same as in open)
            trouble = sort_out(error)
            write.settle(trouble.text or "failed")
            return trouble.reaction in (Reaction.COUNT, Reaction.STOP) or self._failed(error, opening=True)
        write.settle("")
        return self._schedule is None or self._poll(planned=False)

    def _poll(self, *, planned: bool = True) -> bool:
        """Read once; whether to go on."""
        begun = due = self._clock.boot_ns()
        if self._schedule is not None and planned:
            self.report.late((begun - self._schedule.due) / 1e6)
            due = max(self._schedule.due, begun - self._schedule.interval)  # after a long sleep, about now
        pause = 0
        try:
            taken = self._call("read", self.settings.timeout, self._take)
        except BaseException as error:  # noqa: BLE001 (the same as in open)
            if not self._failed(error, opening=False):
                return False
            pause = IDLE_PAUSE
        else:
            self._worked(taken)
            outcome = self._outlet.deliver(taken, due)
            if outcome is Outcome.REPLACED:
                return False
            pause = FLOOD_PAUSE if outcome is Outcome.TOO_FAST else 0 if taken.frozen.samples else IDLE_PAUSE
        if self._is_open and planned:
            self._plan(begun, pause)
        return True

    def _take(self) -> Taken:
        """Read, stamp, check: all under the read's time limit, since looking at what came runs the driver's code."""
        assert self._driver is not None
        result = self._driver.read()
        wall_ns, boot_ns = self._clock.wall_ns(), self._clock.boot_ns()
        frozen = self._outlet.see(self.home.check(result), boot_ns)
        if not frozen.samples and self.settings.kind is Kind.SAMPLED and self._schedule is not None:
            raise BadReading("read returned nothing")
        return Taken(frozen, wall_ns, boot_ns)

    def _worked(self, taken: Taken) -> None:
        """A read has returned as it should."""
        came = bool(taken.frozen.samples)
        if self._garbled and not came and self.settings.kind is Kind.SAMPLED:
            return  # a streaming device is silent after what could not be read: that makes nothing better
        self._failures = 0
        self._garbled = False
        self._backoff.reset()
        self.report.good(taken.wall_ns if came else None, "; ".join(taken.frozen.notes) or None)

    def _plan(self, begun: int, pause: int) -> None:
        """When to read next."""
        now = self._clock.boot_ns()
        if self._schedule is not None:
            self.report.count("missed", self._schedule.advance(now, self._clock.wall_ns()))
            self._next_ns = self._schedule.due
        elif pause == FLOOD_PAUSE or now - begun < AT_ONCE:
            self._next_ns = now + pause
        else:
            self._next_ns = now

    # Trouble ---------------------------------------------------------------------------------------------------------

    def _failed(self, error: BaseException, *, opening: bool) -> bool:
        """React to what a driver raised; whether to go on."""
        if self.stop.is_set():  # it was woken in order to stop; or it was replaced
            return False
        trouble = sort_out(error)
        log.debug("%s: %s failed: %s", self.settings.device, "open" if opening else "read", trouble.text)
        if trouble.reaction is Reaction.BUG:
            self._log_bug(error, trouble)
        if trouble.reaction is Reaction.STOP:
            self.misconfigured = True
            self.report.bad(State.FAILED, trouble.text, trouble.hint)
            return False
        if not opening:
            self.report.count("failed")
        if trouble.reaction is Reaction.REPLACE:
            self.lost = True
            self.report.bad(State.OFFLINE, trouble.text, trouble.hint)
            return False
        now = self._clock.boot_ns()
        self._failures += 1
        if self._failures == 1:
            self._failing_ns = now
        offline = opening or self._failures >= FAILURES
        self.report.bad(State.OFFLINE if offline else State.DEGRADED, trouble.text, trouble.hint)
        self._garbled = trouble.reaction is Reaction.COUNT
        if self._garbled and not opening and (not offline or now - self._failing_ns < PATIENCE):
            return True
        self._release()
        self._climb(anew=trouble.reaction is Reaction.BUG)
        return True

    def _climb(self, *, anew: bool) -> None:
        """Get ready for another attempt: when, and whether with a new driver object."""
        self.report.count("reopens")
        if self._memory.ladder.climb() is not Rung.REOPEN or anew:
            self.report.count("renewals")
            self._driver = None
        self._next_ns = self._failing_ns = self._clock.boot_ns() + int(self._backoff.next() * SECOND)

    def _log_bug(self, error: BaseException, trouble: Trouble) -> None:
        if trouble.reaction is Reaction.BUG and self._memory.is_news(trouble.text):
            log.warning("%s: %s", self.settings.device, trouble.text)
            with suppress(BaseException):  # formatting a traceback runs code of the exceptions in it
                log.debug("%s: traceback", self.settings.device, exc_info=error)
