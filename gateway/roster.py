"""The devices of one run of the gateway: each with its queue, its ledger and its board, for as long as the run lasts.

A device that leaves the configuration keeps its queue and ledger: readings of it may still be on their way, and when it
comes back its numbers go on from where they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.clocks import Clock
from gateway.config.settings import DeviceSettings, Settings
from gateway.delivery.discovery.entities import message_expiry
from gateway.delivery.intake import Route
from gateway.delivery.queue import DeviceQueue, Inbox
from gateway.delivery.store import Counts, Durability, Row
from gateway.delivery.topics import Topics
from gateway.status.board import DeviceBoard
from gateway.status.ledger import Ledger

QUEUE = 100_000
"""Readings in all devices' shares of the queue together; each share is between 200 and 2000."""


class Roster:
    """Changed by the main thread. Mappings that it gives out are never changed, so any thread may read them."""

    def __init__(self, settings: Settings, topics: Topics, clock: Clock, run: str, inbox: Inbox) -> None:
        self.settings = settings
        """The configuration that is in force."""
        self._topics = topics
        self._clock = clock
        self._run = run
        self._inbox = inbox
        self._share = min(2000, max(200, QUEUE // max(1, len(settings.devices))))
        self._queues: dict[str, DeviceQueue] = {}
        self._every: dict[str, DeviceBoard] = {}
        self._boards: dict[str, DeviceBoard] = {}
        self.enter(settings)

    def enter(self, settings: Settings) -> None:
        """These are the devices from now on."""
        queues, every = dict(self._queues), dict(self._every)
        for device in settings.devices:
            name = device.device
            if name not in queues:
                queues[name] = DeviceQueue(name, self._run, self._share, self._inbox)
                every[name] = DeviceBoard(name, queues[name].ledger, self._clock, self._inbox.post)
        self._queues, self._every = queues, every
        self._boards = {device.device: every[device.device] for device in settings.devices}
        self.settings = settings

    def queue(self, device: str) -> DeviceQueue:
        """A device's queue, also of one that has left."""
        return self._queues[device]

    def board(self, device: str) -> DeviceBoard:
        """A device's board, also of one that has left."""
        return self._every[device]

    def boards(self) -> Mapping[str, DeviceBoard]:
        """Those of the devices that are there."""
        return self._boards

    def ledgers(self) -> Mapping[str, Ledger]:
        """All, by device."""
        return {device: queue.ledger for device, queue in self._queues.items()}

    def ledger_of(self, row: Row) -> Ledger | None:
        """The account that a row belongs to; ``None`` for one of an earlier run."""
        return self._queues[row.device].ledger if row.run == self._run else None

    def lost_outside(self) -> Mapping[str, int]:
        """Readings that were dropped before they came to the store, per device."""
        return {device: queue.ledger.lost_outside for device, queue in self._queues.items()}

    def follow(self, counts: Counts, step: Callable[[Ledger, int], None]) -> None:
        """See :class:`gateway.delivery.store.Follow`."""
        for (device, run), count in counts.items():
            if run == self._run and device in self._queues:
                step(self._queues[device].ledger, count)
                self._inbox.post(device)

    def routes(self) -> dict[str, Route]:
        """Where readings go."""
        return {device.device: self._route(device) for device in self.settings.devices}

    def _route(self, device: DeviceSettings) -> Route:
        durability = Durability(device.durability)
        told = self.settings.homeassistant.discovery and device.homeassistant and device.retain
        expiry = message_expiry(device) if told else None
        return Route(self._topics.live(device.device), device.retain, int(device.batch * 1e9), durability, expiry)

    def devices_object(self) -> dict[str, Any]:
        """``gateway/devices``: what each device is, by name."""
        return {
            device.device: {
                "name": device.name,
                "area": device.area,
                "tags": dict(device.tags),
                "driver": device.driver,
                "kind": str(device.kind),
                "channels": [
                    {
                        "key": channel.key,
                        "name": channel.name,
                        "unit": channel.unit,
                        "device_class": channel.channel.device_class,
                    }
                    for channel in device.channels
                    if channel.enabled
                ],
                "interval_s": device.interval,
                "topic": self._topics.live(device.device),
            }
            for device in self.settings.devices
        }
