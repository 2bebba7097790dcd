"""Starts a reader for every device, watches them, replaces those that hang or break, and stops them all.

A reader whose driver does not come back is woken as far as its ports allow, then given up: from that moment its results
are refused, and another reader takes its place. A driver in a process of its own is killed with that process. Python
cannot end a thread, so such a reader is left behind. How many may be left behind and still be alive is limited: then
the device moves to a process, or costs a few threads and no more.

All methods are for the main thread.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gateway.clocks import Clock
from gateway.config.settings import DeviceSettings
from gateway.delivery.queue import DeviceQueue
from gateway.hardware.protocols import Hardware, Reclaimable
from gateway.reading.children import Children
from gateway.reading.ending import end_readers
from gateway.reading.home import Beat
from gateway.reading.left_behind import LeftBehind
from gateway.reading.memory import DeviceMemory, Report
from gateway.reading.reader import Reader
from gateway.reading.slot import Handle, Slot, start_thread
from gateway.status.board import DeviceBoard, State
from gateway.status.text import plain, span

if TYPE_CHECKING:
    from gateway.reading.child import Child

log = logging.getLogger(__name__)

GRACE = 0.5
"""Seconds between waking a call that hangs and giving its reader up."""
STUCK = 5 * 1_000_000_000
"""A process that is still there so long after it was killed is worth a word."""
LONGEST_ROUND = 1_000_000_000
"""A longer time between two looks means that this process did not run itself: it is not held against the drivers."""
PROBE = 6 * 3600 * 1_000_000_000
"""How often a device that must not leave more threads behind is tried all the same."""


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
        isolated_hardware: str = "real",
    ) -> None:
        """``isolated_hardware``: what drivers in processes are given, see :mod:`gateway.reading.isolated`."""
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
        self._left = LeftBehind()
        self._children = Children(isolated_hardware)
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
            slot.configure(settings)
            slot.restart(now)
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
        """Begin anew with a device, see :meth:`Slot.restart`. False: there is none."""
        slot = self._slots.get(device)
        if slot is not None:
            slot.restart(self._clock.boot_ns())
        return slot is not None

    def slot(self, device: str) -> Slot | None:
        """A device, for what is asked of it; see :mod:`gateway.reading.orders`."""
        return self._slots.get(device)

    def hung(self) -> list[str]:
        """The names of the devices that hang."""
        return [name for name, slot in self._slots.items() if slot.board.state is State.HUNG]

    @property
    def left_behind(self) -> int:
        """Threads that were left behind and are still alive."""
        return self._left.count()

    @property
    def exhausted(self) -> bool:
        """Whether no more threads may be left behind: only a restart of the process gets rid of them."""
        return self._left.full

    def tick(self, now: int | None = None) -> None:
        """Look after every device once. Call it at least every 0.25 s; ``now`` is boot time in nanoseconds."""
        if self._stopped:
            return
        now = self._clock.boot_ns() if now is None else now
        passed = now - self._looked_ns if now - self._looked_ns <= LONGEST_ROUND else 0
        self._looked_ns = now
        self._children.tick()
        for slot in tuple(self._slots.values()):
            if slot.reader is None or slot.thread is None:
                self._without_reader(slot, now)
            elif not slot.thread.is_alive():
                self._ended(slot, slot.reader, now)
            elif slot.reader.beat is None and slot.child is not None and slot.child.has_ended:
                self._homeless(slot, slot.reader, slot.child, now)
            else:
                self._watch(slot, slot.reader, now, passed)

    def stop(self, deadline: float) -> None:
        """End all readers: at once when they wait, else when their driver call returns, ``deadline`` seconds at most.

        Those that hang are left behind; nothing that they still bring is taken.
        """
        self._stopped = True
        slots = end_readers(self._slots.values(), deadline)
        for slot in slots:
            self._give_up(slot)
        for slot in slots:
            if slot.child is not None and slot.thread is not None:
                slot.thread.join(GRACE)  # its call has ended with its process
            slot.end(None)
        self._children.stop()
        if left := self._left.devices():
            log.warning("left behind at the stop, because their drivers do not return: %s", ", ".join(sorted(left)))

    def _without_reader(self, slot: Slot, now: int) -> None:
        if slot.leaving:
            del self._slots[slot.settings.device]
        elif slot.start_ns is None or now < slot.start_ns:
            return
        elif self._may_start(slot, now):
            self._begin(slot, now)
        elif slot.isolated and now >= slot.start_ns + STUCK:
            why = "its process was killed and does not end: it waits in the kernel"
            slot.board.set(State.HUNG, why, "unplug the device, or restart the machine")

    def _begin(self, slot: Slot, now: int) -> None:
        settings = slot.settings
        slot.start_ns = None
        if not slot.replaces:
            slot.memory.settle()
        if not settings.enabled:
            slot.board.set(State.DISABLED, "", slot.why_disabled)
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
        child = None
        try:
            if slot.isolated:
                child = self._children.start(settings.device)
            reader = slot.new_reader(self._clock, self._trust, self._rng, child)
            thread = self._spawn(reader)
        except (RuntimeError, MemoryError, OSError) as error:  # "can't start new thread", no room for a process
            if child is not None:
                child.let_go()
            what = "process" if slot.isolated and child is None else "thread"
            hint = "this machine or this service allows no more threads and processes"
            Report(slot.board, slot.memory).bad(State.OFFLINE, plain(f"no {what} for it: {error}"), hint)
            slot.start_ns = now + int(slot.backoff.next() * 1e9)
            slot.replaces = True
            return
        slot.begin(reader, thread, child, now)

    def _ended(self, slot: Slot, reader: Reader, now: int) -> None:
        """A reader's thread is over."""
        if slot.asked_to_end:
            slot.end(slot.start_ns)
            self._without_reader(slot, now)
        elif reader.misconfigured:
            slot.end(None)
        elif reader.lost:
            slot.replace(now)
        else:
            reader.report.bad(State.OFFLINE, "its thread has ended unexpectedly", "please report this, with the log")
            slot.disown()
            slot.replace(now)

    def _homeless(self, slot: Slot, reader: Reader, child: Child, now: int) -> None:
        """A driver's process has ended between two calls."""
        trouble = child.end_of_it()
        reader.report.bad(State.OFFLINE, trouble.text, trouble.hint)
        slot.disown()
        if slot.asked_to_end:
            slot.end(slot.start_ns)
        else:
            slot.replace(now)

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
            reader.home.wake()
        elif age >= beat.limit + GRACE:
            device = slot.settings.device
            if slot.child is None and self._left.full and not slot.may_move:
                reader.report.hung(lambda: reader.beat is beat, self._full(device, beat))
            else:
                self._overdue(slot, beat, now)

    def _overdue(self, slot: Slot, beat: Beat, now: int) -> None:
        """A call has not returned although it was woken."""
        device = slot.settings.device
        log.debug("%s: giving up its %s, which hangs in %s", device, "process" if slot.child else "thread", beat.what)
        self._give_up(slot)
        if slot.asked_to_end:  # it hung while it was to end
            slot.end(slot.start_ns)
            return
        if slot.may_move and not self._left.room(device):
            slot.memory.moved = True
            log.warning("%s: moves to a process of its own: %s", device, self._full(device, beat))
            slot.board.set(State.HUNG, self._full(device, beat), "from now on it runs in a process of its own")
        slot.replace(now)
        if not slot.isolated and not self._may_start(slot, now):
            hint = "it is tried again when one of them ends, and every 6 hours; a restart of the gateway ends them"
            slot.board.set(State.HUNG, self._full(device, beat), hint)

    def _give_up(self, slot: Slot) -> None:
        """Take no more from a reader; end its driver as far as that can be done."""
        assert slot.thread is not None
        slot.disown()
        if slot.child is not None:
            slot.child.kill()
            return
        self._left.add(slot.settings.device, slot.thread)
        slot.board.ledger.note("abandoned")
        if isinstance(slot.hardware, Reclaimable):
            slot.hardware.abandon()

    def _full(self, device: str, beat: Beat) -> str:
        return f"{beat.what} does not return; {self._left.text(device)}"

    def _may_start(self, slot: Slot, now: int) -> bool:
        """What the other devices do is not the fault of one with nothing left behind. No device has two processes."""
        device = slot.settings.device
        if slot.isolated:
            return self._children.of(device) == 0
        if self._left.count(device) == 0 or self._left.room(device):
            return True
        return slot.start_ns is not None and now >= slot.start_ns + PROBE and not self._left.full
