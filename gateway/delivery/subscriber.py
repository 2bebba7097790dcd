"""Listens to topics of a broker, for ``listen`` and ``demo``. Reconnects as the publisher does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway import threads
from gateway.clocks import Clock, SystemClock
from gateway.config.settings import MqttSettings
from gateway.delivery.link import Link
from gateway.delivery.mqtt import Closed, Connected, Received
from gateway.delivery.queue import Inbox


@dataclass(frozen=True, slots=True)
class Message:
    """A message that came."""

    topic: str
    payload: bytes
    retained: bool
    """Whether it is an old one that the broker had kept."""


@dataclass(frozen=True, slots=True)
class LinkNews:
    """The connection was made or lost."""

    connected: bool
    text: str
    """The broker's URL, and the reason when it was lost or could not be made."""


class Subscriber:
    """A subscription that lives on its own thread, named ``subscriber``."""

    def __init__(
        self,
        mqtt: MqttSettings,
        client_id: str,
        topics: Sequence[str],
        tell: Callable[[Message | LinkNews], None],
        clock: Clock | None = None,
    ) -> None:
        """``tell`` is called on the subscriber's thread, in order, and should only put things aside."""
        self._clock = clock or SystemClock()
        self._tell = tell
        self._inbox = Inbox()
        self._link = Link(mqtt, client_id, self._inbox.post, self._clock.wall_ns, subscriptions=topics)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread = threads.start("subscriber", self._run)

    def stop(self) -> None:
        """End the connection and the thread, within 2 s."""
        self._stop.set()
        self._inbox.post(self._stop)
        if self._thread is not None:
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            now = self._now()
            self._link.tick(now)
            self._handle(self._inbox.get(min(1.0, max(0.0, self._link.next_due() - now))))
        if self._link.end():
            deadline = self._now() + 1.0
            while self._now() < deadline:
                if isinstance(self._inbox.get(deadline - self._now()), Closed):
                    return

    def _handle(self, item: object) -> None:
        match item:
            case Received() if item.number == self._link.number:
                self._tell(Message(item.topic, item.payload, item.retained))
            case Connected() if self._link.connected(item, self._now()):
                self._tell(LinkNews(connected=True, text=self._link.status.url))
            case Closed() if self._link.closed(item, self._now()):
                self._tell(LinkNews(connected=False, text=f"{self._link.status.url}: {self._link.status.last_error}"))
            case _:
                pass

    def _now(self) -> float:
        return self._clock.boot_ns() / 1e9
