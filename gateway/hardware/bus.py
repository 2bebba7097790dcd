"""Buses that devices share: each has one lock, and a device has it for one transaction.

A :class:`Bus` knows nothing of what is said on it. Who wants to use it is a :class:`Rider`, what a rider gets is a
:class:`Turn`: first come, first served, with a handle of its own that the rider's thread opens and closes. A thread
that hangs in its turn loses it (:meth:`Rider.revoke`): the bus goes on with the next turn and another handle, and what
the thread still wants to do with its own fails. When the call of the next one hangs as well, the bus itself is stuck:
then nobody gets a turn before one of those calls has returned. The kernel lets one call after the other on a bus, so
that a further try would only be one more thread that hangs.

A thread has a turn on one bus at a time, and calls nothing of ours while it holds a lock of this file: so no two
threads can wait for each other.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, Protocol, TypeVar

from gateway.driver import BadReading, DeviceUnavailable, DriverError

WAIT = 5.0
"""Seconds that a device waits for its bus at most."""
STUCK = 2
"""So many calls running that do not return are the fault of the bus and not of a device."""

_here = threading.local()  # .turn: the turn that this thread has


class Handle(Protocol):
    """What a library gives for an open bus."""

    def close(self) -> None:
        """Close it."""


H = TypeVar("H", bound=Handle)
K = TypeVar("K", bound=Hashable)
B = TypeVar("B")
T = TypeVar("T")


class Buses(Generic[K, B]):
    """The buses of one kind in this process, by number or whatever they are told apart by, each made once."""

    def __init__(self, make: Callable[[K], B]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._all: dict[K, B] = {}

    def bus(self, key: K) -> B:
        """The bus with this number or name."""
        with self._lock:
            if key not in self._all:
                self._all[key] = self._make(key)
            return self._all[key]


class Turn(Generic[H]):
    """One transaction of one rider."""

    def __init__(self, bus: Bus[H], rider: Rider[H]) -> None:
        self.bus = bus
        self.rider = rider
        self.depth = 1
        """How many blocks of the rider's code it spans."""
        self.since = 0.0
        self.decided = threading.Event()
        """It has come, or never will."""
        self.taken = False
        self.calling = False
        self.selected: object = None
        """What the rider has made the bus lead to, for those who must know."""
        self._handle: H | None = None

    def call(self, function: Callable[[H], T]) -> T:
        """What a function of the open handle returns. Raises what it raises; ``DeviceUnavailable`` without the turn."""
        self.bus.enter(self)
        try:
            if self._handle is None:
                self._handle = self.bus.open()
            result = function(self._handle)
        finally:
            self.bus.leave(self)
        self.check()
        return result

    def check(self) -> None:
        """Raise ``DeviceUnavailable`` when it was taken away."""
        if self.taken:
            raise DeviceUnavailable(f"{self.bus.name} was taken from a thread that did not return")

    def close(self) -> None:
        """Close the handle. From the rider's thread only: nobody closes what another may still be using."""
        if self._handle is not None:
            with suppress(OSError):
                self._handle.close()
            self._handle = None


class Rider(Generic[H]):
    """One device on a bus, as long as one of its threads has it open. ``revoke`` and ``cancel`` are for any thread."""

    def __init__(self, bus: Bus[H], device: str) -> None:
        self.device = device
        self.revoked = False
        self.waits_for: Turn[H] | None = None
        self._bus = bus

    @property
    def waiting(self) -> bool:
        """Whether it waits for its turn."""
        return self.waits_for is not None

    @property
    def has_turn(self) -> bool:
        """Whether the bus is its own at this moment."""
        return self._bus.turn_of(self)

    @contextmanager
    def turn(self) -> Iterator[Turn[H]]:
        """Have the bus for a block of code. A block within that one, in the same thread, is part of the same turn.

        Raises ``BadReading`` when the others leave no time for it, ``DeviceUnavailable`` when the bus is stuck or was
        taken from this thread, ``RuntimeError`` when the thread has a turn on another bus.
        """
        turn = self._bus.take(self)
        try:
            yield turn
        finally:
            self._bus.give_back(turn)

    def revoke(self) -> bool:
        """Take the bus from it for good: its thread does not return, or another thread is in its place.

        Whether it was in the middle of a call.
        """
        return self._bus.revoke(self)

    def cancel(self) -> None:
        """End its waiting."""
        self._bus.cancel(self)


class Bus(Generic[H]):
    """One bus. ``open`` gives a new handle, or raises one of the driver errors in words for people."""

    def __init__(self, name: str, open: Callable[[], H], wait: float = WAIT) -> None:
        self.name = name
        self.open = open
        self._wait = wait
        self._lock = threading.Lock()  # for all that follows, and for the fields of turns and riders
        self._turn: Turn[H] | None = None
        self._line: deque[Turn[H]] = deque()
        self._hanging: list[Turn[H]] = []
        """Turns that were taken in the middle of a call, without a call that has returned in between."""

    def rider(self, device: str) -> Rider[H]:
        """One more device on it. ``DeviceUnavailable`` while the bus is stuck."""
        with self._lock:
            self._refuse_if_stuck()
        return Rider(self, device)

    def take(self, rider: Rider[H]) -> Turn[H]:
        """See :meth:`Rider.turn`."""
        mine: Turn[H] | None = getattr(_here, "turn", None)
        if mine is not None:
            if mine.bus is not self:
                raise RuntimeError(f"uses {self.name} within a transaction on {mine.bus.name}; end that one first")
            mine.check()
            mine.depth += 1
            return mine
        turn = Turn(self, rider)
        with self._lock:
            self._refuse_if_stuck()
            self._refuse_if_revoked(rider)
            at_once = self._turn is None
            if at_once:
                self._begin(turn)
            else:
                self._line.append(turn)
                rider.waits_for = turn
        if not at_once:
            self._wait_for(turn)
        _here.turn = turn
        return turn

    def give_back(self, turn: Turn[H]) -> None:
        """End a block of a turn, and with the last one the turn."""
        turn.depth -= 1
        if turn.depth:
            return
        if getattr(_here, "turn", None) is turn:  # a block that was left open is ended by whoever collects the garbage
            _here.turn = None
        try:
            turn.close()
        finally:
            with self._lock:
                if self._turn is turn:
                    self._next()

    def enter(self, turn: Turn[H]) -> None:
        """A call on the bus begins."""
        with self._lock:
            turn.check()
            turn.calling = True

    def leave(self, turn: Turn[H]) -> None:
        """It has returned, in whatever way: so the bus moves."""
        with self._lock:
            turn.calling = False
            if not turn.taken:
                self._hanging.clear()
            elif turn in self._hanging:
                self._hanging.remove(turn)

    def turn_of(self, rider: Rider[H]) -> bool:
        """See :meth:`Rider.has_turn`."""
        with self._lock:
            return self._turn is not None and self._turn.rider is rider

    def revoke(self, rider: Rider[H]) -> bool:
        """See :meth:`Rider.revoke`."""
        in_a_call = False
        with self._lock:
            rider.revoked = True
            turn = self._turn
            if turn is not None and turn.rider is rider:
                turn.taken = True
                in_a_call = turn.calling
                if in_a_call:
                    self._hanging.append(turn)
                self._next()
        self.cancel(rider)
        return in_a_call

    def cancel(self, rider: Rider[H]) -> None:
        """See :meth:`Rider.cancel`."""
        with self._lock:
            if rider.waits_for is not None:
                rider.waits_for.decided.set()

    def _wait_for(self, turn: Turn[H]) -> None:
        """Wait until a turn has come; raise when it has not."""
        in_time = False
        try:
            in_time = turn.decided.wait(self._wait)
        finally:
            with self._lock:
                turn.rider.waits_for = None
                if turn in self._line:
                    self._line.remove(turn)
        if self._turn is not turn:
            with self._lock:
                raise self._refusal(turn.rider, in_time=in_time)

    def _begin(self, turn: Turn[H]) -> None:
        self._turn = turn
        turn.since = time.monotonic()
        turn.decided.set()

    def _next(self) -> None:
        """Go on without the turn that was."""
        self._turn = None
        if len(self._hanging) >= STUCK:
            for turn in self._line:
                turn.decided.set()
        elif self._line:
            self._begin(self._line.popleft())

    def _refuse_if_stuck(self) -> None:
        if len(self._hanging) >= STUCK:
            devices = " and ".join(sorted({turn.rider.device for turn in self._hanging}))
            hint = "power what is connected to it off and on; when that does not help, restart the machine"
            raise DeviceUnavailable(f"{self.name} is stuck: calls of {devices} on it do not return", hint=hint)

    def _refuse_if_revoked(self, rider: Rider[H]) -> None:
        if rider.revoked:
            raise DeviceUnavailable(f"{self.name} was taken from a thread that did not return")

    def _refusal(self, rider: Rider[H], *, in_time: bool) -> DriverError:
        """Why somebody does not get his turn."""
        self._refuse_if_stuck()
        self._refuse_if_revoked(rider)
        if in_time:
            return DeviceUnavailable(f"the wait for {self.name} was ended")
        turn = self._turn
        by = f" (held by {turn.rider.device} for {time.monotonic() - turn.since:.1f} s)" if turn is not None else ""
        return BadReading(f"{self.name} is busy{by}")
