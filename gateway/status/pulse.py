"""What the running gateway tells systemd: that it is ready, how it does in one line, and that it moves.

It moves when the main loop comes round, which calls :meth:`Pulse.tick`, and the publisher does. A publisher that is in
the middle of a commit moves too, for a minute: a slow SD card is no reason for a restart. A device that hangs is none
either; neither of the two loops waits for one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.clocks import Clock
from gateway.delivery.link import LinkStatus
from gateway.status.board import DeviceBoard, State
from gateway.status.notify import Notifier
from gateway.status.text import plain
from gateway.status.work import Work

log = logging.getLogger(__name__)

SECOND = 1_000_000_000
ROUND_NS = 15 * SECOND
"""A publisher that has not come round for so long stands still; it comes round four times a second."""
GAP_NS = 5 * SECOND
"""When the main loop itself comes round so late, everything had stopped (SIGSTOP, a laptop's sleep, a driver that kept
the interpreter): the publisher has its next round before it, and is not judged by the last one."""
STATUS_NS = SECOND
QUEUED_NS = 10 * SECOND
"""A line in which only the number of those that wait is new is not worth more than this."""
WORST = ("spool.", "threads", "dead", "twin", "quota", "topic:", "size:")
"""Alarms in the order of what they cost; all others come after these."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the line is made of."""

    boards: Iterable[DeviceBoard]
    link: LinkStatus
    queued: int
    alarms: dict[str, str]


class Pulse:
    """For the main thread."""

    def __init__(
        self,
        notifier: Notifier,
        clock: Clock,
        *,
        beat_ns: Callable[[], int],
        work: Work,
        facts: Callable[[], Facts],
    ) -> None:
        """``beat_ns``: boot time at which the publisher last came round."""
        self._notifier = notifier
        self._clock = clock
        self._beat_ns = beat_ns
        self._work = work
        self._facts = facts
        self._reloading = False
        self._stands = False
        self._told = ("", -1)
        """The last line without the number of those that wait, and that number."""
        self._look_ns = 0
        self._queued_ns = 0
        self._dog_ns = 0
        self._came_ns = clock.boot_ns()
        self._woke_ns = 0

    def ready(self) -> None:
        """All is there that is needed to take readings."""
        if self._notifier.there:
            self._tell(READY=1)

    def stopping(self) -> None:
        """The end has begun."""
        self._notifier.send(STOPPING=1, STATUS="stopping")

    def tick(self, *, reloading: bool) -> None:
        """Call it every round of the main loop."""
        if not self._notifier.there:
            return
        now_ns = self._clock.boot_ns()
        if now_ns - self._came_ns > GAP_NS:
            self._woke_ns = now_ns
        self._came_ns = now_ns
        if reloading != self._reloading:
            self._reloading = reloading
            if reloading:
                self._notifier.reloading()
            else:
                self._tell(READY=1)
        elif now_ns >= self._look_ns:
            self._look_ns = now_ns + STATUS_NS
            self._tell_news(now_ns)
        watchdog = self._notifier.watchdog
        if watchdog is not None and now_ns >= self._dog_ns and self._moves(now_ns):
            self._dog_ns = now_ns + int(watchdog * 1e9 / 4)
            self._notifier.send(WATCHDOG=1)

    def _moves(self, now_ns: int) -> bool:
        """Whether the publisher does."""
        came_ns = max(self._beat_ns(), self._work.ended_ns, self._woke_ns)
        moves = self._work.goes_on(now_ns) or now_ns - came_ns < ROUND_NS
        if not moves and not self._stands:
            log.error("the publisher stands still; systemd's watchdog will start the gateway anew")
        elif moves and self._stands:
            log.info("the publisher moves again")
        self._stands = not moves
        return moves

    def _tell_news(self, now_ns: int) -> None:
        facts = self._facts()
        told = line(facts, "?"), facts.queued
        if told[0] != self._told[0] or (told != self._told and now_ns >= self._queued_ns):
            self._tell(facts)

    def _tell(self, facts: Facts | None = None, **also: object) -> None:
        facts = facts or self._facts()
        if self._notifier.send(**also, STATUS=line(facts, str(facts.queued))):
            self._told = line(facts, "?"), facts.queued
            self._queued_ns = self._clock.boot_ns() + QUEUED_NS


def line(facts: Facts, queued: str) -> str:
    """``3 of 4 devices online, 1 hung; broker connected; 0 queued; alarm: …``, as ``systemctl status`` shows it."""
    states = Counter(board.state for board in facts.boards)
    total = states.total() - states[State.DISABLED]
    online = states[State.ONLINE] + states[State.DEGRADED]
    bad = [f"{states[state]} {state}" for state in (State.OFFLINE, State.HUNG, State.FAILED) if states[state]]
    link = facts.link
    broker = "broker connected" if link.connected else f"no broker{f' ({link.last_error})' if link.last_error else ''}"
    pieces = [", ".join([f"{online} of {total} devices online", *bad]), broker, f"{queued} queued"]
    if facts.alarms:
        more = f" (and {len(facts.alarms) - 1} more)" if len(facts.alarms) > 1 else ""
        pieces.append(f"alarm{more}: {worst(facts.alarms)}")
    return plain("; ".join(pieces))


def worst(alarms: dict[str, str]) -> str:
    """The alarm that costs most, of several that cost the same the oldest."""

    def rank(key: str) -> int:
        return next((number for number, start in enumerate(WORST) if key.startswith(start)), len(WORST))

    return alarms[min(alarms, key=rank)]
