"""A whole publisher for tests: queue, lanes, store, bulletin and link, on its own thread, on time to skip."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.clocks import SystemClock
from gateway.config.settings import Settings
from gateway.delivery.bulletin import HEALTH, Bulletin
from gateway.delivery.commands.counter import Counter
from gateway.delivery.commands.verbs import Verbs
from gateway.delivery.correction import Correction
from gateway.delivery.discovery.announcer import Announcer
from gateway.delivery.discovery.record import NAME as RECORD
from gateway.delivery.discovery.record import Record
from gateway.delivery.intake import Route
from gateway.delivery.lanes import Lanes
from gateway.delivery.link import Link
from gateway.delivery.memory_store import MemoryStore
from gateway.delivery.publisher import Publisher
from gateway.delivery.queue import DeviceQueue, Inbox
from gateway.delivery.topics import Topics
from gateway.delivery.twin import Twin
from gateway.driver import Kind, Scalar, Settable
from gateway.reading.reading import Sample
from gateway.status.alarms import Alarms
from gateway.status.board import DeviceBoard, State
from gateway.status.ledger import LedgerSnapshot
from support.delivery import SECOND, mqtt_settings
from support.waiting import wait_until

TOPICS = Topics("B")


class LeapingClock(SystemClock):
    """The machine's clock, and whatever the test has skipped."""

    def __init__(self) -> None:
        self._skipped_ns = 0

    def boot_ns(self) -> int:
        """The boot clock."""
        return super().boot_ns() + self._skipped_ns

    def wall_ns(self) -> int:
        """The wall clock."""
        return super().wall_ns() + self._skipped_ns

    def skip(self, seconds: float) -> None:
        """Let time pass at one stroke."""
        self._skipped_ns += int(seconds * SECOND)


class NoOrders:
    """There are no readers."""

    def restart(self, device: str) -> None:
        """See ``gateway.reading.orders``."""

    def switch(self, device: str, *, enabled: bool) -> None:
        """See ``gateway.reading.orders``."""

    def write(self, device: str, channel: str, value: Settable) -> None:
        """See ``gateway.reading.orders``."""


class Rig:
    """Started by ``start``; ``stop`` ends it."""

    def __init__(
        self,
        *urls: str,
        devices: Mapping[str, Kind] | None = None,
        window: int = 1000,
        stall: float = 30.0,
        batch: float = 0.0,
        live_window: float = 10.0,
        share: int = 20_000,
        most_bytes: int = 32_000_000,
        settings: Settings | None = None,
        state_dir: Path | None = None,
        **more: Any,
    ) -> None:
        """``batch`` is for all devices; ``settings`` for Home Assistant; ``more`` are settings of ``[mqtt]``."""
        self.clock = clock = LeapingClock()
        self.inbox = inbox = Inbox()
        kinds = devices or {"d": Kind.SAMPLED}
        self.queues = {device: DeviceQueue(device, "run1", share, inbox) for device in kinds}
        self.generations = {device: self.queues[device].claim(kind) for device, kind in kinds.items()}
        self.boards = {
            device: DeviceBoard(device, queue.ledger, clock, inbox.post) for device, queue in self.queues.items()
        }
        for board in self.boards.values():
            board.set(State.ONLINE)
        self.alarms = Alarms(lambda: inbox.post(HEALTH))
        self.store = MemoryStore(most_bytes)
        self.mqtt = mqtt_settings(*urls, **more)
        settings = settings or Settings(files=(), gateway_id="g", mqtt=self.mqtt)
        self.announcer = Announcer(settings, TOPICS, Record(state_dir and state_dir / RECORD), clock)
        self.link = Link(
            self.mqtt,
            "sensorpost-t",
            inbox.post,
            clock.wall_ns,
            will=(TOPICS.gateway("state"), b"offline"),
            subscriptions=self.announcer.subscriptions,
        )
        self.verbs = Verbs(
            devices=lambda: settings.devices, boards=lambda: self.boards, control={}, orders=NoOrders(), health=dict
        )
        correction = Correction(clock, lambda: True)
        self.publisher = Publisher(
            inbox=inbox,
            link=self.link,
            lanes=Lanes(self.store, live_window, inline=False, prepare=correction.prepare),
            store=self.store,
            bulletin=Bulletin(
                TOPICS,
                clock,
                boards=lambda: self.boards,
                announcer=self.announcer,
                counter=Counter(TOPICS, clock, inbox, self.verbs, enabled=lambda: settings.commands.enabled),
                devices=lambda: {device: {} for device in kinds},
                runs=list,
                health=lambda: {"alarms": self.alarms.texts(), "connected": self.link.up},
            ),
            alarms=self.alarms,
            correction=correction,
            twin=Twin(clock, self.alarms, TOPICS.gateway("health"), "run1"),
            ledger_of=lambda row: self.queues[row.device].ledger,
            clock=clock,
            window=window,
            stall=stall,
        )
        self.publisher.set_routes(
            {
                device: Route(TOPICS.live(device), kind is not Kind.EVENT, int(batch * SECOND))
                for device, kind in kinds.items()
            }
        )
        self._thread = threading.Thread(target=self.publisher.run, name="publisher", daemon=True)

    def start(self, *, connected: bool = True) -> Rig:
        """Start the thread and, unless told otherwise, wait for the connection."""
        self._thread.start()
        if connected:
            wait_until(lambda: self.link.up, what="the connection")
        return self

    @property
    def running(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def put(self, count: int = 1, device: str = "d", value: Scalar = 1.5, *, age: float = 0.0) -> None:
        """Readings of a device, taken ``age`` seconds ago."""
        boot_ns = self.clock.boot_ns() - int(age * SECOND)
        for _ in range(count):
            sample = Sample((("value", value),), self.clock.wall_ns(), boot_ns, None)
            assert self.queues[device].put(self.generations[device], sample)

    def skip(self, seconds: float) -> None:
        """Let time pass, and wake the thread."""
        self.clock.skip(seconds)
        self.inbox.post(object())

    def ledger(self, device: str = "d") -> LedgerSnapshot:
        """The account of a device; it balances."""
        snapshot = self.queues[device].ledger.snapshot()
        assert snapshot.balanced
        return snapshot

    def skip_until(self, predicate: Callable[[], object], timeout: float = 20.0, step: float = 4.0) -> None:
        """Let time pass by a usual back-off, again and again, until ``predicate()`` is true.

        Not while the broker owes an answer, be it to an attempt: on a busy machine it would be late by hours.
        """

        def now() -> object:
            if self.link._connection is None or (self.link.up and self.in_flight == 0):
                self.skip(step)
            return predicate()

        wait_until(now, timeout)

    @property
    def in_flight(self) -> int:
        """Messages that were sent and are not acknowledged."""
        return len(self.publisher._in_flight)

    def wait_settled(self, device: str = "d", timeout: float = 20.0) -> LedgerSnapshot:
        """Wait until nothing of the device is queued any more."""
        wait_until(lambda: self.ledger(device).queued == 0, timeout, f"all of {device} settled")
        return self.ledger(device)

    def stop(self, flush: float = 3.0, timeout: float = 8.0) -> float:
        """End the thread; the seconds that it took."""
        began = time.monotonic()
        if self._thread.ident is not None and self._thread.is_alive():
            self.publisher.stop(flush)
            self._thread.join(timeout)
            assert not self._thread.is_alive(), "the publisher does not end"
        return time.monotonic() - began

    def rounds(self, seconds: float = 0.6) -> int:
        """How often the loop comes round in that time when nothing happens."""
        seen = 0
        last = self.publisher.beat_ns
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.001)
            seen += self.publisher.beat_ns != last
            last = self.publisher.beat_ns
        return seen


def readings(messages: Iterable[Any]) -> list[dict[str, Any]]:
    """The readings in messages of live, history and batch topics, in the order in which they came."""
    found: list[dict[str, Any]] = []
    for message in messages:
        value = json.loads(message.payload) if message.payload[:1] in b"{[" else None
        found += [one for one in (value if isinstance(value, list) else [value]) if one and "seq" in one]
    return found


def sequence(messages: Iterable[Any]) -> list[int]:
    """Their numbers."""
    return [one["seq"] for one in readings(messages)]
