"""Takes back every announcement of a gateway, whether it runs or not."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.clocks import Clock, SystemClock
from gateway.config.settings import Settings
from gateway.delivery.discovery.messages import folder
from gateway.delivery.link import Link
from gateway.delivery.mqtt import Acked, Closed, Connected, Received
from gateway.delivery.queue import Inbox

CONNECTING = 15.0
"""Seconds in which a connection has to be there."""
ATTEMPTS = 4
"""Of each broker: two are needed to learn that one knows no MQTT 5."""
QUIET = 1.0
"""Seconds without another kept message after which the broker has sent all that it keeps."""
ANSWERING = 10.0
"""Seconds in which the broker has to acknowledge."""


class Uncleared(Exception):
    """It could not be done; the text says why."""


def clear(settings: Settings, remembered: Iterable[str], clock: Clock | None = None) -> list[str]:
    """Clear what the broker keeps of this gateway's announcements, and the topics ``remembered``; return all, sorted.

    Raises :class:`Uncleared` when the broker cannot be reached or does not take it.
    """
    return _Clearing(settings, clock or SystemClock()).run(set(remembered))


class _Clearing:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        mqtt = settings.mqtt
        self._clock = clock
        self._inbox = Inbox()
        self._ours = f"{folder(settings)}/"
        self._topics: set[str] = set()
        self._waiting: dict[int, str] = {}
        self._failed = 0
        self._attempts = ATTEMPTS * len(mqtt.endpoints)
        self._refused: list[str] = []
        self._link = Link(
            mqtt, f"{mqtt.client_id}-clear", self._inbox.post, clock.wall_ns, subscriptions=[f"{self._ours}+/config"]
        )

    def run(self, remembered: set[str]) -> list[str]:
        self._topics = remembered
        try:
            self._connect()
            while self._next(QUIET):
                pass
            for topic in sorted(self._topics):
                self._settle(self._link.limits.receive_maximum - 1)
                mid = self._link.publish(topic, b"", retain=True)
                if mid is None:
                    raise Uncleared(self._trouble())
                self._waiting[mid] = topic
            self._settle(0)
            if self._refused:
                raise Uncleared(f"the broker does not allow this user to publish to {self._refused[0]}")
        finally:
            self._end()
        return sorted(self._topics)

    def _connect(self) -> None:
        until = self._now() + CONNECTING
        while not self._link.up:
            self._link.tick(self._now())
            self._next(max(0.0, min(until, self._link.next_due()) - self._now()))
            if self._failed >= self._attempts or self._now() >= until:
                raise Uncleared(self._trouble())

    def _settle(self, most: int) -> None:
        """Wait until at most so many messages are without an answer."""
        until = self._now() + ANSWERING
        while len(self._waiting) > most:
            if not self._link.up:
                raise Uncleared(self._trouble())
            if not self._next(max(0.0, until - self._now())):
                raise Uncleared("the broker does not acknowledge")

    def _next(self, seconds: float) -> bool:
        """Handle what comes next; False when nothing came."""
        item = self._inbox.get(seconds)
        match item:
            case Connected():
                self._link.connected(item, self._now())
            case Closed():
                self._failed += self._link.closed(item, self._now())
            case Received() if item.retained and item.payload and item.topic.startswith(self._ours):
                self._topics.add(item.topic)
            case Acked() if item.mid in self._waiting:
                topic = self._waiting.pop(item.mid)
                if item.code >= 0x80:
                    self._refused.append(topic)
            case _:
                pass
        return item is not None

    def _end(self) -> None:
        if self._link.end():
            until = self._now() + 1.0
            while self._now() < until and not isinstance(self._inbox.get(until - self._now()), Closed):
                pass

    def _trouble(self) -> str:
        status = self._link.status
        return f"{status.url}: {status.last_error or 'no connection'}"

    def _now(self) -> float:
        return self._clock.boot_ns() / 1e9
