"""The one place where readers and the publisher meet.

Each device has its own bounded share (:class:`DeviceQueue`), so a device that floods can fill only that, and a reader
never waits. The publisher waits on one inbox for everything: readings, acknowledgements, news of the connection. The
inbox carries *tokens*, not readings: a device with readings waiting has exactly one token in it, and goes to the back
of the line after each helping. So the order between devices is fair, and a put costs one lock that is almost never
contended.
"""

from __future__ import annotations

import queue
import threading
from collections import deque

from gateway.driver import Kind
from gateway.reading.reading import Reading, Sample
from gateway.status.ledger import Ledger

HELPING = 64
"""How many readings of one device the publisher takes before the next device has its turn."""


class DeviceQueue:
    """One device's share of the queue. It lives as long as the run, whatever happens to the device's threads."""

    def __init__(self, device: str, run: str, share: int, inbox: Inbox) -> None:
        self.device = device
        self.ledger = Ledger()
        self._kind = Kind.SAMPLED
        self._run = run
        self._share = share
        self._inbox = inbox
        self._lock = threading.Lock()
        self._waiting: deque[Reading] = deque()
        self._token_out = False
        self._generation = 0
        self._seq = 0

    def claim(self, kind: Kind) -> int:
        """Begin a new generation of reader; what an older one still brings is refused from now on."""
        with self._lock:
            self._kind = kind
            self._generation += 1
            return self._generation

    def put(self, generation: int, sample: Sample) -> bool:
        """Give a sample its number and hand it over.

        False when ``generation`` is not the current one: then nothing is counted and no number is used. A sample for
        which there is no room uses its number and is counted as dropped (``queue_full``).
        """
        with self._lock:
            if generation != self._generation:
                return False
            self._seq += 1
            if len(self._waiting) >= self._share:
                self.ledger.refused("queue_full")
                return True
            self._waiting.append(Reading(self.device, self._run, self._seq, self._kind, sample))
            self.ledger.accepted()
            announce = not self._token_out
            self._token_out = True
        if announce:
            self._inbox.post(self)
        return True

    def refuse(self, generation: int, reason: str) -> bool:
        """Drop a sample by policy before it enters the queue: it uses its number, so the loss shows as a gap."""
        with self._lock:
            if generation != self._generation:
                return False
            self._seq += 1
            self.ledger.refused(reason)
            return True

    def take(self) -> list[Reading]:
        """For the publisher, when it holds this device's token: one helping. The token goes back if more is waiting."""
        with self._lock:
            helping = [self._waiting.popleft() for _ in range(min(HELPING, len(self._waiting)))]
            self._token_out = bool(self._waiting)
            if self._token_out:
                self._inbox.post(self)
            return helping

    @property
    def last_seq(self) -> int:
        """The last number that was given."""
        with self._lock:
            return self._seq


class Inbox:
    """What the publisher waits on."""

    def __init__(self) -> None:
        self._tokens: queue.SimpleQueue[object] = queue.SimpleQueue()

    def post(self, item: object) -> None:
        """Leave a device's token or an event. Never blocks; for any thread, also inside callbacks."""
        self._tokens.put(item)

    def get(self, timeout: float) -> object | None:
        """The next item, or ``None`` when nothing came within ``timeout`` seconds."""
        try:
            return self._tokens.get(timeout=timeout) if timeout > 0 else self._tokens.get_nowait()
        except queue.Empty:
            return None

    def drain(self, limit: int, timeout: float) -> list[object]:
        """Up to ``limit`` items: the first is waited for, the rest are those already there."""
        first = self.get(timeout)
        items = []
        while first is not None:
            items.append(first)
            if len(items) >= limit:
                break
            first = self.get(0)
        return items
