"""What is known of a device beyond one driver and one thread, and what a reader may say about it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from gateway.clocks import Clock
from gateway.reading.ladder import Ladder
from gateway.reading.presence import Visits
from gateway.reading.tag_list import TagList
from gateway.status.board import DeviceBoard, State
from gateway.status.meter import Seat
from gateway.status.text import span

log = logging.getLogger(__name__)

MOST_ERRORS = 100
"""Distinct errors of one device that are logged."""
MOST_REASONS = 3
"""Distinct reasons of one loss that are logged: the port that was not there is there now, but may not be used."""


class DeviceMemory:
    """One device over the whole run: when it first started, since when it is lost, which errors were logged.

    Log lines are written when a device is lost and when it is back; in between only for a new reason.
    """

    def __init__(self, device: str, clock: Clock) -> None:
        self.device = device
        self.started_ns: int | None = None
        """Boot time of the first start."""
        self.moved = False
        """Its driver has moved to a process of its own, because too many of its threads hang."""
        self.ladder = Ladder()
        self.visits = Visits()
        """What lies on it, of a reader of tags. Changed by :meth:`Report.keep` alone."""
        self._tag_list: TagList | None = None
        self._clock = clock
        self._lost_ns: int | None = None
        self._reasons: set[str] = set()
        """Why it is lost, as far as it was logged."""
        self._logged: set[str] = set()

    def start(self) -> int:
        """Boot time of the first start, which is now unless it was earlier."""
        if self.started_ns is None:
            self.started_ns = self._clock.boot_ns()
        return self.started_ns

    def elapsed(self) -> float:
        """Seconds since the first start."""
        return (self._clock.boot_ns() - self.start()) / 1e9

    def tag_list(self, path: Path) -> TagList:
        """The list in a file: the same object as long as it is the same file."""
        if self._tag_list is None or self._tag_list.path != path:
            self._tag_list = TagList(path)
        return self._tag_list

    @property
    def is_lost(self) -> bool:
        """Whether it was lost and has not brought anything since."""
        return self._lost_ns is not None

    def lost(self, why: str) -> None:
        """It is offline or hung. Says so when that is news, and when there is another reason for it now."""
        if self._lost_ns is None:
            self._lost_ns = self._clock.boot_ns()
            self._reasons = {why}
            log.warning("%s: lost: %s", self.device, why)
        elif why not in self._reasons | self._logged and len(self._reasons) < MOST_REASONS:
            self._reasons.add(why)
            log.warning("%s: still lost: %s", self.device, why)

    def back(self) -> None:
        """It works. Says so when it was lost."""
        self.ladder.leave()
        if self._lost_ns is not None:
            away = (self._clock.boot_ns() - self._lost_ns) / 1e9
            self._lost_ns = None
            log.info("%s: back after %s", self.device, span(away))

    def settle(self) -> None:
        """Somebody begins anew with the device: whether it was lost before is of no interest any more."""
        self._lost_ns = None
        self.ladder.leave()

    def is_news(self, error: str) -> bool:
        """Whether an error has not been logged yet; later ones are not after ``MOST_ERRORS`` different ones."""
        if error in self._logged or len(self._logged) >= MOST_ERRORS:
            return False
        self._logged.add(error)
        return True


class Report:
    """What one reader says about its device. Once the reader is abandoned, nothing that it says has any effect.

    The lock makes "abandoned" and what the supervisor then says one step: a thread that wakes that very moment cannot
    put its own state over it.
    """

    def __init__(self, board: DeviceBoard, memory: DeviceMemory) -> None:
        self._board = board
        self._memory = memory
        self._lock = threading.Lock()
        self._silenced = False

    def silence(self) -> None:
        """The reader is abandoned."""
        with self._lock:
            self._silenced = True

    def hung(self, still: Callable[[], bool], error: str) -> bool:
        """The driver does not return: said only if that is ``still`` so, and then True."""
        with self._lock:
            if self._silenced or not still():
                return False
            self._board.set(State.HUNG, error, "is the device connected well? The driver's timeout may be too short")
            self._memory.lost(error)
            return True

    def count(self, what: str, number: int = 1) -> None:
        """See ``Ledger.note``."""
        with self._lock:
            if not self._silenced:
                self._board.ledger.note(what, number)

    def late(self, milliseconds: float) -> None:
        """See ``DeviceBoard.late``."""
        with self._lock:
            if not self._silenced:
                self._board.late(milliseconds)

    def took(self, began_ns: int, ended_ns: int) -> None:
        """See ``DeviceBoard.took``."""
        with self._lock:
            if not self._silenced:
                self._board.took(began_ns, ended_ns)

    def sits(self, seat: Seat | None) -> None:
        """The thread that the reader runs in, ``None`` when it ends."""
        with self._lock:
            if not self._silenced:
                self._board.seat = seat

    def keep(self, visits: Visits) -> None:
        """What lies on a reader of tags now."""
        with self._lock:
            if not self._silenced:
                self._memory.visits = visits

    def good(self, wall_ns: int | None, note: str | None = None) -> None:
        """A read worked; ``wall_ns`` when it brought something. ``note``: what was wrong with one of its channels."""
        with self._lock:
            if self._silenced:
                return
            if wall_ns is not None:
                self._board.read_ok(wall_ns)
            self._board.set(State.ONLINE, note)
            self._memory.back()

    def bad(self, state: State, error: str, hint: str) -> None:
        """It does not work. A failure never makes a lost device available again: that takes a read that works."""
        with self._lock:
            if self._silenced:
                return
            if state is State.DEGRADED and self._memory.is_lost:
                state = State.OFFLINE
            self._board.set(state, error, hint)
            if state is State.FAILED:
                log.error("%s: stopped until its configuration changes: %s", self._memory.device, error)
            elif state is not State.DEGRADED:
                self._memory.lost(error)
