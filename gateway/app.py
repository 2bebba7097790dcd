"""The composition root: the only place that knows every part, and the order in which they start and stop.

Start: publisher first, so that nothing that is read has to wait for it, then the readers. Stop: readers first, so that
nothing new comes, then the publisher, which flushes what is there. The main thread supervises and joins nobody without
a limit.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gateway import threads
from gateway.clocks import Clock, SystemClock
from gateway.config.changes import Changes
from gateway.config.settings import Settings
from gateway.delivery.bulletin import HEALTH, Bulletin
from gateway.delivery.commands.counter import Counter
from gateway.delivery.commands.verbs import Verbs
from gateway.delivery.correction import Correction
from gateway.delivery.desk import Desk
from gateway.delivery.discovery.announcer import Announcer
from gateway.delivery.discovery.record import NAME as ANNOUNCED
from gateway.delivery.discovery.record import Record
from gateway.delivery.lanes import Lanes
from gateway.delivery.link import Link
from gateway.delivery.memory_store import MemoryStore
from gateway.delivery.publisher import Publisher
from gateway.delivery.queue import Inbox
from gateway.delivery.spool.spool import Spool
from gateway.delivery.task import Task, on_publisher
from gateway.delivery.topics import Topics
from gateway.delivery.twin import Twin
from gateway.hardware.protocols import Hardware
from gateway.hardware.real import RealHardware
from gateway.paths import control_socket, new_run, state_directory
from gateway.reading.orders import Orders
from gateway.reading.supervisor import Supervisor
from gateway.reload import Reloader
from gateway.roster import Roster
from gateway.status import logs, readings
from gateway.status.alarms import Alarms
from gateway.status.clock_trust import ClockTrust
from gateway.status.control import ControlServer, Verb
from gateway.status.health import health_object
from gateway.status.inside import Inside
from gateway.status.notify import Notifier
from gateway.status.pulse import Facts, Pulse
from gateway.status.text import waiting
from gateway.status.work import Work
from gateway.storage import make_store, open_disk

log = logging.getLogger(__name__)

ROUND = 0.25
"""Seconds from one look of the supervisor to the next."""
FLUSH = 3.0
"""Seconds that a stop gives the broker to take what is waiting."""
STOP_MAY_TAKE = 60.0
"""Seconds for a disk that takes its time over the last commit."""


class Gateway:
    """A gateway for one configuration. Build it, then :meth:`run` it once."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        hardware_for: Callable[[str], Hardware] = RealHardware,
        isolated_hardware: str = "real",
        state_dir: Path | None = None,
        reload: Callable[[], Settings] | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        """``reload`` reads the configuration anew; ``None`` for one that is in no file. ``notifier``: for systemd.

        ``isolated_hardware`` is what drivers in processes are given, see :mod:`gateway.reading.isolated`.
        """
        self._clock = clock = clock or SystemClock()
        self._state_dir = state_dir or state_directory(settings.files[0] if settings.files else None, os.environ)
        self._started_ns = clock.boot_ns()
        self.run_id = new_run()
        self._inbox = Inbox()
        self._alarms = Alarms(lambda: self._inbox.post(HEALTH))
        self._trust = ClockTrust(clock, believe=settings.clock == "trusted")
        self._topics = Topics.of(settings.mqtt.base_topic, settings.gateway_id)
        self._roster = Roster(settings, self._topics, clock, self.run_id, self._inbox)
        self._supervisor = Supervisor(
            queue_for=self._roster.queue,
            board_for=self._roster.board,
            hardware_for=hardware_for,
            isolated_hardware=isolated_hardware,
            clock=clock,
            trust=self._trust.mark,
            rng=random.Random(),  # noqa: S311 (jitter, not a secret)
        )
        self._orders = Orders(self._supervisor.slot, clock)
        self._verbs: dict[str, Verb] = {}
        self._counter = Counter(
            self._topics,
            clock,
            self._inbox,
            Verbs(
                devices=lambda: self._roster.settings.devices,
                boards=self._roster.boards,
                control=self._verbs,
                orders=self._orders,
                health=lambda: on_publisher(self._inbox, self._health_object),
            ),
            enabled=lambda: self._roster.settings.commands.enabled,
        )
        self._announcer = Announcer(settings, self._topics, Record(self._state_dir / ANNOUNCED), clock)
        mqtt = settings.mqtt
        self._link = Link(
            mqtt,
            mqtt.client_id,
            self._inbox.post,
            clock.wall_ns,
            will=(self._topics.gateway("state"), b"offline"),
            subscriptions=self._subscriptions(),
        )
        self._disk = open_disk(settings, self._state_dir, clock, self._alarms)
        self._store = make_store(self._disk, self._roster, clock, self.run_id)
        self._bulletin = bulletin = Bulletin(
            self._topics,
            clock,
            boards=self._roster.boards,
            announcer=self._announcer,
            counter=self._counter,
            devices=self._roster.devices_object,
            runs=self._store.runs,
            health=self._health_object,
        )
        correction = Correction(clock, self._trust.trusted)
        self._lanes = lanes = Lanes(
            self._store, mqtt.live_window, inline=mqtt.replay == "inline", prepare=correction.prepare
        )
        self._publisher = Publisher(
            inbox=self._inbox,
            link=self._link,
            lanes=lanes,
            store=self._store,
            bulletin=bulletin,
            alarms=self._alarms,
            correction=correction,
            twin=Twin(clock, self._alarms, self._topics.gateway("health"), self.run_id),
            ledger_of=self._roster.ledger_of,
            clock=clock,
            window=mqtt.window,
            stall=mqtt.stall,
        )
        desk = Desk(
            inbox=self._inbox,
            publisher=self._publisher,
            caretaker=self._store if isinstance(self._store, MemoryStore) else self._store.care,
            ledgers=self._roster.ledgers,
            follow=self._roster.follow,
            run=self.run_id,
            runs=self._store.runs,
            keeps=lambda: self._roster.settings.spool.keep > 0,
        )
        self.inside = Inside(settings.gateway_id, self.run_id, self._roster.boards, clock)
        self.reloader = Reloader(reload, self._apply)
        self._verbs |= desk.verbs() | {
            "read": lambda request: readings.read(request, self._publisher.taps, self._roster.boards),
            "top": self.inside.top,
            "reload": self.reloader.verb,
        }
        self._notifier = notifier or Notifier()
        self._pulse = Pulse(
            self._notifier,
            clock,
            beat_ns=lambda: self._publisher.beat_ns,
            work=self._disk.work if self._disk is not None else Work(clock),
            facts=self._facts,
        )
        self._control = ControlServer(control_socket(self._state_dir, os.environ), self._verbs)

    def run(self, stop: threading.Event, seconds: float | None = None) -> int:
        """Run until ``stop`` is set or ``seconds`` have passed; the exit code: 0, or 1 when a part of us broke."""
        settings = self._roster.settings
        sys.setswitchinterval(threads.switch_interval(len(settings.devices)))
        self._publisher.set_routes(self._roster.routes())
        about = f"gateway {settings.gateway_id}, run {self.run_id}: {len(settings.devices)} device(s)"
        log.info("%s%s", about, waiting(self._store.queued))
        if self._counter.subscriptions:
            log.info("commands are allowed to whoever may publish to %s", " and ".join(self._counter.subscriptions))
        thread = threads.start("publisher", self._publisher.run)
        self._listen()
        self._supervisor.start(settings.devices)
        self._pulse.ready()
        until_ns = None if seconds is None else self._clock.boot_ns() + int(seconds * 1e9)
        worn_out = False
        while thread.is_alive() and not worn_out and not self._clock.wait(stop, self._round(until_ns)):
            self._orders.tick()
            self._supervisor.tick()
            self.reloader.tick(self._roster.settings)
            self._pulse.tick(reloading=self.reloader.under_way)
            logs.sweep()
            worn_out = self._is_worn_out()
            if until_ns is not None and self._clock.boot_ns() >= until_ns:
                break
        self._pulse.stopping()
        with self._notifier.taking_long(STOP_MAY_TAKE):
            return max(self._stop(thread), int(worn_out))

    def _is_worn_out(self) -> bool:
        """Whether so many threads hang that only a new process helps, and systemd is there to start one."""
        if not self._supervisor.exhausted:
            self._alarms.clear("threads")
            return False
        self._alarms.set("threads", f"{self._supervisor.left_behind} threads hang for ever; only a restart ends them")
        return self._notifier.there

    def _apply(self, changes: Changes) -> None:
        """Put a new configuration in force: what is different, and nothing else."""
        settings = changes.settings
        sys.setswitchinterval(threads.switch_interval(len(settings.devices)))
        self._roster.enter(settings)
        self._publisher.set_routes(self._roster.routes())
        self._inbox.post(Task(lambda: self._apply_to_delivery(settings, changes.removed)))
        logs.set_level(settings.log.level)
        for device in (*changes.added, *changes.changed):
            self._supervisor.add(device)
        for name in changes.removed:
            self._supervisor.remove(name)

    def _apply_to_delivery(self, settings: Settings, removed: Sequence[str]) -> None:
        """On the publisher's thread."""
        mqtt, spool = settings.mqtt, settings.spool
        self._announcer.configure(settings)
        self._link.use(mqtt, self._subscriptions())
        self._lanes.configure(mqtt.live_window, inline=mqtt.replay == "inline")
        self._publisher.configure(window=mqtt.window, stall=mqtt.stall)
        if isinstance(self._store, Spool):
            refuse_new = spool.when_full == "refuse_new"
            self._store.configure(spool.max_size, spool.spill_after, spool.keep, refuse_new=refuse_new)
        self._bulletin.devices_changed(removed)

    def _subscriptions(self) -> list[str]:
        return [self._topics.gateway("health"), *self._announcer.subscriptions, *self._counter.subscriptions]

    def _stop(self, publisher: threading.Thread) -> int:
        broken = not publisher.is_alive()
        self._control.stop()
        self._supervisor.stop(2.0)
        if broken:
            log.error("the publisher has ended unexpectedly; stopping")
            return 1
        self._publisher.stop(FLUSH)
        publisher.join(FLUSH + 2.0)
        lost = self._publisher.lost_at_stop
        if publisher.is_alive():
            log.error("the publisher does not end; leaving it behind")
        elif lost:
            log.warning("%d reading(s) could not be delivered before the end and were in memory only", lost)
        if self._disk is not None:
            self._disk.close()
        log.info("stopped%s", waiting(self._store.queued - lost))
        return 0

    def _listen(self) -> None:
        """Open the control socket; the gateway does its work without one, too."""
        try:
            self._control.start()
        except OSError as exc:
            self._alarms.set("control", f"no control socket ({exc}): sensorpost read cannot reach this gateway")

    def _round(self, until_ns: int | None) -> float:
        if until_ns is None:
            return ROUND
        return min(ROUND, max(0.0, (until_ns - self._clock.boot_ns()) / 1e9))

    def _facts(self) -> Facts:
        boards = self._roster.boards().values()
        return Facts(boards, self._link.status, self._store.queued, self._alarms.by_key())

    def _health_object(self) -> dict[str, Any]:
        return health_object(
            clock=self._clock,
            started_ns=self._started_ns,
            run=self.run_id,
            config_hash=self._roster.settings.config_hash,
            clock_word=self._trust.word(),
            state_dir=self._state_dir,
            link=self._link.status,
            store=self._store.status(),
            boards=list(self._roster.boards().values()),
            alarms=self._alarms.texts(),
        )
