"""Starts a reader for every device, watches them, replaces those that hang or break, and stops them all.

Python cannot end a thread. A reader whose driver does not come back is woken as far as its ports allow, then left
behind: from that moment its results are refused, and another reader takes its place. How many may be left behind and
still be alive is limited, so that a device that hangs for ever costs a few threads and no more.

All methods are for the main thread.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable

from gateway.clocks import Clock
from gateway.config.settings import DeviceSettings
from gateway.delivery.queue import DeviceQueue
from gateway.hardware.protocols import Hardware, Reclaimable
from gateway.reading.memory import DeviceMemory
from gateway.reading.reader import Beat, Reader
from gateway.reading.slot import Handle, Slot, start_thread
from gateway.status.board import DeviceBoard, State
from gateway.status.text import plain, span

log = logging.getLogger(__name__)

MOST_OF_DEVICE = 3
"""Threads of one device that were left behind and are alive."""
MOST = 32
"""The same of all devices together."""
GRACE = 0.5
"""Seconds between waking a call that hangs and leaving its thread behind."""
LONGEST_ROUND = 1_000_000_000
"""A longer time between two looks means that this process did not run itself: it is not held against the drivers."""
STEADY = 120 * 1_000_000_000
"""A reader that has lived that long starts the pauses between replacements from the shortest again."""
WAKE_AGAIN = 0.05
"""At a stop, seconds between attempts to wake readers that wait on a port."""
HUNG_LIMIT = 0.2
"""At a stop, seconds for those that hang already."""


class Supervisor:
    """The readers of all devices."""

    def __init__(
        self,
        *,
        queue_for: Callable[[str], DeviceQueue],
        board_for: Callable[[str], DeviceBoard],
        hardware_for: Callable[[str], Hardware],
        clock: Clock,
        trust: Callable[[], str | None],
        rng: random.Random,
        spawn: Callable[[Reader], Handle] = start_thread,
    ) -> None:
        self._queue_for = queue_for
        self._board_for = board_for
        self._hardware_for = hardware_for
        self._clock = clock
        self._trust = trust
        self._rng = rng
        self._spawn = spawn
        self._slots: dict[str, Slot] = {}
        self._memories: dict[str, DeviceMemory] = {}
        self._hardware: dict[str, Hardware] = {}
        self._left: list[tuple[str, Handle]] = []
        self._looked_ns = clock.boot_ns()
        self._stopped = False

    def start(self, devices: Iterable[DeviceSettings]) -> None:
        """Start a reader for each device that is enabled and whole."""
        for settings in devices:
            self.add(settings)
        self.tick()

    def add(self, settings: DeviceSettings) -> None:
        """Add a device, or give one that is there new settings: its reader ends, and the next look starts another."""
        name, now = settings.device, self._clock.boot_ns()
        slot = self._slots.get(name)
        if slot is not None:
            slot.settings = settings
            slot.leaving = False
            self.restart(name)
            return
        self._slots[name] = Slot(
            settings,
            queue=self._queue_for(name),
            board=self._board_for(name),
            hardware=self._hardware.setdefault(name, self._hardware_for(name)),
            memory=self._memories.setdefault(name, DeviceMemory(name, self._clock)),
            rng=self._rng,
            now=now,
        )

    def remove(self, device: str) -> None:
        """End a device's reader and forget the device; the looks that follow see it through."""
        slot = self._slots.get(device)
        if slot is not None:
            slot.leaving = True
            slot.ask_to_end()

    def restart(self, device: str) -> bool:
        """Begin anew with a device: its reader ends, and a look that follows starts another. False: there is none."""
        slot = self._slots.get(device)
        if slot is None:
            return False
        slot.backoff.reset()
        slot.replaces = False
        slot.start_ns = self._clock.boot_ns()
        slot.ask_to_end()
        return True

    def hung(self) -> list[str]:
        """The names of the devices that hang."""
        return [name for name, slot in self._slots.items() if slot.board.state is State.HUNG]

    @property
    def left_behind(self) -> int:
        """Threads that were left behind and are still alive."""
        self._left = [(name, thread) for name, thread in self._left if thread.is_alive()]
        return len(self._left)

    @property
    def exhausted(self) -> bool:
        """Whether no more threads may be left behind: only a restart of the process gets rid of them."""
        return self.left_behind >= MOST

    def tick(self, now: int | None = None) -> None:
        """Look after every device once. Call it at least every 0.25 s; ``now`` is boot time in nanoseconds."""
        if self._stopped:
            return
        now = self._clock.boot_ns() if now is None else now
        passed = now - self._looked_ns if now - self._looked_ns <= LONGEST_ROUND else 0
        self._looked_ns = now
        for slot in tuple(self._slots.values()):
            if slot.reader is None or slot.thread is None:
                self._without_reader(slot, now)
            elif not slot.thread.is_alive():
                self._ended(slot, slot.reader, now)
            else:
                self._watch(slot, slot.reader, now, passed)

    def stop(self, deadline: float) -> None:
        """End all readers: at once when they wait, else when their driver call returns, ``deadline`` seconds at most.

        Those that hang are left behind; nothing that they still bring is taken.
        """
        self._stopped = True
        slots = [slot for slot in self._slots.values() if slot.reader is not None and slot.thread is not None]
        for slot in slots:
            slot.ask_to_end()
        begun = time.monotonic()  # joining takes real time, whatever clock the devices live on
        while slots := [slot for slot in slots if slot.thread is not None and slot.thread.is_alive()]:
            waited = time.monotonic() - begun
            if waited >= deadline or (waited >= HUNG_LIMIT and all(slot.hung for slot in slots)):
                break
            for slot in slots:
                slot.ask_to_end()
            waiting = next((slot.thread for slot in slots if not slot.hung), slots[0].thread)
            assert waiting is not None
            waiting.join(min(WAKE_AGAIN, max(0.0, deadline - waited)))
        for slot in slots:
            slot.disown()
        left = {slot.settings.device for slot in slots} | {name for name, thread in self._left if thread.is_alive()}
        if left:
            log.warning("left behind at the stop, because their drivers do not return: %s", ", ".join(sorted(left)))

    def _without_reader(self, slot: Slot, now: int) -> None:
        if slot.leaving:
            del self._slots[slot.settings.device]
        elif slot.start_ns is not None and now >= slot.start_ns and self._may_start(slot):
            self._begin(slot, now)

    def _begin(self, slot: Slot, now: int) -> None:
        settings = slot.settings
        slot.start_ns = None
        if not slot.replaces:
            slot.memory.settle()
        if not settings.enabled:
            slot.board.set(State.DISABLED, "")
            return
        if settings.driver_type is None:
            reason = plain(settings.broken)
            slot.board.set(State.FAILED, reason, "repair the driver's file, then reload")
            log.error("%s: %s", settings.device, reason)
            return
        if slot.replaces:
            slot.board.ledger.note("restarts")
        else:
            slot.board.set(State.STARTING, "")
        reader = Reader(
            settings,
            queue=slot.queue,
            board=slot.board,
            hardware=slot.hardware,
            clock=self._clock,
            trust=self._trust,
            rng=self._rng,
            memory=slot.memory,
        )
        try:
            thread = self._spawn(reader)
        except (RuntimeError, MemoryError) as error:  # "can't start new thread"
            reader.report.bad(State.OFFLINE, plain(f"no thread for it: {error}"), "this process has too many threads")
            slot.start_ns = now + int(slot.backoff.next() * 1e9)
            slot.replaces = True
            return
        slot.begin(reader, thread, now)

    def _ended(self, slot: Slot, reader: Reader, now: int) -> None:
        """A reader's thread is over."""
        if slot.asked_to_end:
            slot.end(slot.start_ns)
            self._without_reader(slot, now)
        elif reader.misconfigured:
            slot.end(None)
        else:
            reader.report.bad(State.OFFLINE, "its thread has ended unexpectedly", "please report this, with the log")
            slot.disown()
            self._replace(slot, now)

    def _watch(self, slot: Slot, reader: Reader, now: int, passed: int) -> None:
        """See whether a call of the driver takes too long."""
        watched = slot.watch(passed)
        if watched is None:
            return
        beat, age = watched
        if age < beat.limit:
            return
        if not slot.hung:
            slot.hung = reader.report.hung(
                lambda: reader.beat is beat, f"{beat.what} has not returned within {span(beat.limit)}"
            )
            reader.hardware.wake()
        elif age >= beat.limit + GRACE:
            if self._room(slot):
                self._leave_behind(slot, beat, now)
            else:
                self._say_full(slot, reader, beat)

    def _leave_behind(self, slot: Slot, beat: Beat, now: int) -> None:
        device = slot.settings.device
        assert slot.thread is not None
        slot.disown()
        self._left.append((device, slot.thread))
        slot.board.ledger.note("abandoned")
        log.debug("%s: leaving its thread behind, which hangs in %s", device, beat.what)
        if slot.asked_to_end:  # it hung while it was to end
            slot.end(slot.start_ns)
        else:
            self._replace(slot, now)
        if isinstance(slot.hardware, Reclaimable):
            slot.hardware.abandon()
        if not self._may_start(slot):
            slot.board.set(State.HUNG, self._full(slot, beat), "it is tried again when one of them ends")

    def _replace(self, slot: Slot, now: int) -> None:
        if now - slot.began_ns >= STEADY:
            slot.backoff.reset()
        slot.end(now + int(slot.backoff.next() * 1e9))
        slot.replaces = True

    def _say_full(self, slot: Slot, reader: Reader, beat: Beat) -> None:
        reader.report.hung(lambda: reader.beat is beat, self._full(slot, beat))

    def _full(self, slot: Slot, beat: Beat) -> str:
        mine = self._count(slot)
        return f"{beat.what} does not return; {mine} thread(s) of it hang, {self.left_behind} in all"

    def _count(self, slot: Slot) -> int:
        total = self.left_behind
        return sum(name == slot.settings.device for name, _ in self._left) if total else 0

    def _room(self, slot: Slot) -> bool:
        """Whether one more thread may be left behind."""
        return self.left_behind < MOST and self._count(slot) < MOST_OF_DEVICE

    def _may_start(self, slot: Slot) -> bool:
        """A device with no thread left behind may always start: what the others do is not its fault."""
        return self._count(slot) == 0 or self._room(slot)
