"""Notices another gateway that publishes under the same id: both would write the same topics."""

from __future__ import annotations

import json

from gateway.clocks import Clock
from gateway.delivery.mqtt import Received
from gateway.delivery.payload import rfc3339
from gateway.status.alarms import Alarms
from gateway.status.text import plain

GONE_NS = 120_000_000_000
"""Health comes every 30 s; after four times that the other one is gone."""
ALARM = "same_id"


class Twin:
    """Listens to ``gateway/health``, where only our own messages should come. Used by the publisher's thread."""

    def __init__(self, clock: Clock, alarms: Alarms, topic: str, run: str) -> None:
        self._clock = clock
        self._alarms = alarms
        self.topic = topic
        self._run = run
        self._since = rfc3339(clock.wall_ns())
        self._first: tuple[str, str] | None = None
        """Run and time of the first message: a retained one is what was there before us."""
        self._heard_ns: int | None = None

    def heard(self, message: Received) -> None:
        """A message has come. A retained one that an earlier run of ours has left is the first, and older.

        Its time alone does not tell: a machine without a battery wakes in the past after a power cut.
        """
        if message.topic != self.topic:
            return
        try:
            health = json.loads(message.payload)
            run, time = str(health["run"]), str(health["time"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        self._first = self._first or (run, time)
        if run == self._run or (message.retained and ((run, time) == self._first or time <= self._since)):
            return
        self._heard_ns = self._clock.boot_ns()
        host = health.get("host")
        address = host.get("ip") if isinstance(host, dict) else None
        where = f" at {plain(address)}" if isinstance(address, str) else ""
        self._alarms.set(ALARM, f"another gateway{where} publishes under the same gateway.id; give each its own")

    def tick(self, now_ns: int) -> None:
        """The alarm ends when the other one has been silent."""
        if self._heard_ns is not None and now_ns - self._heard_ns > GONE_NS:
            self._heard_ns = None
            self._alarms.clear(ALARM)
