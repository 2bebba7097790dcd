"""One device as the supervisor sees it."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from gateway import threads
from gateway.clocks import Clock
from gateway.config.settings import DeviceSettings
from gateway.delivery.queue import DeviceQueue
from gateway.hardware.protocols import Hardware
from gateway.reading.home import Beat
from gateway.reading.memory import DeviceMemory
from gateway.reading.pace import Backoff
from gateway.reading.reader import Reader
from gateway.status.board import DeviceBoard

if TYPE_CHECKING:
    from gateway.reading.child import Child


STEADY = 120 * 1_000_000_000
"""A reader that has lived that long starts the pauses between replacements from the shortest again."""
PATIENCE = 10
"""After so many replacements running they are far apart: each costs a thread or a process."""


class Handle(Protocol):
    """What the supervisor needs of a thread."""

    def is_alive(self) -> bool:
        """Whether it has not ended."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, at most ``timeout`` seconds."""


def start_thread(reader: Reader) -> Handle:
    """Run a reader in a thread of its own. ``RuntimeError`` when the machine allows no more threads."""
    return threads.start(threads.of_device(reader.settings.device), reader.run)


class Slot:
    """A configured device: its settings, its current reader if there is one, and when the next one starts."""

    def __init__(
        self,
        settings: DeviceSettings,
        *,
        queue: DeviceQueue,
        board: DeviceBoard,
        hardware: Hardware,
        memory: DeviceMemory,
        rng: random.Random,
        now: int,
    ) -> None:
        self.settings = settings
        self.queue = queue
        self.board = board
        self.hardware = hardware
        self.memory = memory
        self.backoff = Backoff(rng, patience=PATIENCE)
        self.reader: Reader | None = None
        self.thread: Handle | None = None
        self.child: Child | None = None
        """The process of the driver, where it has one."""
        self.began_ns = now
        """When the current reader was started."""
        self.start_ns: int | None = now
        """When to start a reader; ``None``: not before somebody asks for it."""
        self.replaces = False
        """The next start takes the place of a reader that hung or broke."""
        self.asked_to_end = False
        """The current reader ends because somebody asked for it."""
        self.leaving = False
        """The device is to be removed."""
        self.why_disabled = ""
        """Where that is not in the configuration."""
        self._beat: Beat | None = None
        self._age_ns = 0
        self.hung = False
        """The call that is under way has taken longer than it may."""

    @property
    def isolated(self) -> bool:
        """Whether the driver lives in a process of its own."""
        return self.settings.isolation == "process" or (self.settings.isolation == "auto" and self.memory.moved)

    @property
    def may_move(self) -> bool:
        """Whether it may get a process of its own although it has none yet."""
        return self.settings.isolation == "auto" and not self.memory.moved

    def watch(self, passed_ns: int) -> tuple[Beat, float] | None:
        """The driver call that was under way at the last look and still is, and its age in seconds.

        A look that finds it waiting for its bus makes it no older: that is the time of the others on the bus.
        """
        assert self.reader is not None
        beat = self.reader.beat
        if beat is None or beat is not self._beat:
            self._beat, self._age_ns, self.hung = beat, 0, False
            return None
        if not self.reader.home.waiting:
            self._age_ns += passed_ns
        return beat, self._age_ns / 1e9

    def new_reader(
        self, clock: Clock, trust: Callable[[], str | None], rng: random.Random, child: Child | None
    ) -> Reader:
        """The next generation, whose driver lives in ``child`` where there is one."""
        return Reader(
            self.settings,
            queue=self.queue,
            board=self.board,
            hardware=self.hardware,
            clock=clock,
            trust=trust,
            rng=rng,
            memory=self.memory,
            process=child,
        )

    def begin(self, reader: Reader, thread: Handle, child: Child | None, now: int) -> None:
        """A reader was started."""
        self.reader, self.thread, self.child, self.began_ns = reader, thread, child, now
        self.start_ns = None
        self.replaces = self.asked_to_end = False
        self._beat, self._age_ns, self.hung = None, 0, False

    def end(self, start_ns: int | None) -> None:
        """The reader is no more, or no more ours. ``start_ns``: when to start the next one."""
        if self.child is not None:
            self.child.let_go()
        self.reader = self.thread = self.child = None
        self.start_ns = start_ns
        self.hung = False

    def replace(self, now: int) -> None:
        """The reader is of no more use: another takes its place after a pause."""
        if now - self.began_ns >= STEADY:
            self.backoff.reset()
        self.end(now + int(self.backoff.next() * 1e9))
        self.replaces = True
        self.memory.ladder.climb()
        if self.backoff.is_slow:
            status = self.board.snapshot()
            hint = "it hangs or breaks again and again, so it is tried every 10 minutes; a restart of it tries at once"
            self.board.set(status.state, status.last_error, hint)

    def restart(self, now: int) -> None:
        """Begin anew: the reader ends, and a look that follows starts another."""
        self.backoff.reset()
        self.replaces = False
        self.start_ns = now
        self.ask_to_end()

    def configure(self, settings: DeviceSettings) -> None:
        """These are its settings from the next start on, whatever was asked for before."""
        self.settings = settings
        self.leaving = False
        self.why_disabled = ""

    def switch(self, now: int, *, enabled: bool) -> None:
        """Enable or disable it until it is given other settings."""
        self.settings = dataclasses.replace(self.settings, enabled=enabled)
        self.why_disabled = "" if enabled else "it was disabled by a command, for this run; enable it with one"
        self.restart(now)

    def ask_to_end(self) -> None:
        """Let the reader end as soon as it can."""
        self.asked_to_end = True
        if self.reader is not None:
            self.reader.stop.set()
            self.reader.home.wake()

    def disown(self) -> None:
        """What the reader still says or brings counts for nothing from now on."""
        if self.reader is not None:
            self.reader.report.silence()
            self.reader.stop.set()
            self.queue.claim(self.settings.kind)
