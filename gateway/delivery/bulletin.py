"""Everything on MQTT that is no reading: the state of gateway and devices, runs, health, discovery, answers.

Of each topic only the newest content matters, so one message of a topic waits at most, and one is in flight at most. It
is different with the answers to requests: each is sent.
Used by the publisher's thread alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.clocks import Clock
from gateway.delivery.commands.counter import Counter
from gateway.delivery.discovery.announcer import Announcer
from gateway.delivery.message import Message
from gateway.delivery.mqtt import Received
from gateway.delivery.payload import encode_json, rfc3339
from gateway.delivery.topics import Topics
from gateway.status.board import DeviceBoard, DeviceStatus, State

SECOND = 1_000_000_000
STATUS_EVERY = 60 * SECOND
HEALTH_EVERY = 30 * SECOND
SWEEP_EVERY = SECOND // 4
"""How often all devices are looked at for what is due by time alone."""
CHANGES_EVERY = SECOND
"""At most one message for changes in this time."""
AGAIN_AFTER = 5 * SECOND
"""When a message that the broker did not take is sent again."""
ALLOWED_AFTER = 60 * SECOND
"""The same for one that it does not allow: somebody may change an access list, which ends no connection."""
RUNS = "gateway/runs"
HEALTH = ""
"""Stands for the gateway among the names of devices that have changed."""


def status_object(status: DeviceStatus) -> dict[str, Any]:
    """A device's status as contract section 4 names it."""
    ledger = status.ledger
    late = status.lateness
    return {
        "state": str(status.state),
        "since": rfc3339(status.since_ns),
        "last_error": status.last_error or None,
        "hint": status.hint or None,
        "last_read": rfc3339(status.last_read_ns) if status.last_read_ns is not None else None,
        "read": ledger.read,
        "acked": ledger.acked,
        "queued": ledger.queued,
        "dead": ledger.dead,
        "dropped": ledger.dropped,
        "suppressed": ledger.suppressed,
        "failed": ledger.failed,
        "missed": ledger.missed,
        "reopens": ledger.reopens,
        "renewals": ledger.renewals,
        "resets": ledger.resets,
        "restarts": ledger.restarts,
        "abandoned": ledger.abandoned,
        "unheard": ledger.unheard,
        "lateness_ms": {"p50": round(late.p50, 1), "p99": round(late.p99, 1)} if late else None,
    }


class Bulletin:
    """What is to be told, in order."""

    def __init__(
        self,
        topics: Topics,
        clock: Clock,
        *,
        boards: Callable[[], Mapping[str, DeviceBoard]],
        announcer: Announcer,
        counter: Counter,
        devices: Callable[[], dict[str, Any]],
        runs: Callable[[], list[Any]],
        health: Callable[[], dict[str, Any]],
    ) -> None:
        """The callables give plain snapshots; they are called on the publisher's thread."""
        self._topics = topics
        self._clock = clock
        self._boards = boards
        self._announcer = announcer
        self._counter = counter
        self._answers = counter.answers
        self._devices = devices
        self._runs = runs
        self._health = health
        self._up = False
        self._waiting: dict[str, Message] = {}
        self._in_flight: set[str] = set()
        self._dirty: set[str] = set()
        self._runs_dirty = False
        self._available: dict[str, bool] = {}
        self._swept_ns = 0
        self._told_ns: dict[str, int] = {}
        self._later: dict[str, Message] = {}
        self._later_ns = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is in flight."""
        return not self._waiting and not self._in_flight and not self._answers

    def changed(self, device: str) -> None:
        """A device's state has changed, or with ``HEALTH`` the gateway's."""
        self._dirty.add(device)

    def connected(self, again: Iterable[Message]) -> None:
        """Tell everything from the beginning: the broker may have forgotten it. ``again``: the newest readings."""
        self.closed()
        self._up = True
        for message in self._announcer.announce():
            self._tell(message)
        self._tell_all(again)

    def _tell_all(self, again: Iterable[Message]) -> None:
        self._available.clear()
        now_ns = self._clock.boot_ns()
        for device, board in self._boards().items():
            self._tell_device(device, board, now_ns)
        self._tell_devices()
        self._tell_runs(now_ns)
        self._tell(Message(self._topics.gateway("state"), b"online"))
        for message in again:
            self._tell(message)
        self._tell_health(now_ns)

    def devices_changed(self, removed: Iterable[str]) -> None:
        """The configuration has changed: tell the devices anew, and of those that left that they are gone."""
        for device in removed:
            self._told_ns.pop(device, None)
            self._available.pop(device, None)
        if self._up:
            for message in self._announcer.changed():
                self._tell(message)
            self._tell_devices()
        self._dirty.add(HEALTH)
        self._dirty.update(self._boards())

    def runs_changed(self) -> None:
        """``gateway/runs`` has another content."""
        self._runs_dirty = True

    def closed(self) -> None:
        """The connection is gone; all will be told again on the next one."""
        self._up = False
        self._waiting.clear()
        self._in_flight.clear()
        self._later.clear()
        self._announcer.closed()
        self._answers.closed()

    def heard(self, message: Received) -> None:
        """A message of a subscription has come."""
        self._counter.heard(message)
        for answer in self._announcer.heard(message):
            self._tell(answer)

    def tick(self, now_ns: int, again: Callable[[], Iterable[Message]]) -> None:
        """Tell what is due by time or by change. ``again``: see ``connected``."""
        self._counter.tick(now_ns)
        if not self._up:
            return
        self._announce_due(now_ns, again)
        self._take_up_refused(now_ns)
        boards = self._boards()
        for device in tuple(self._dirty):
            if (board := boards.get(device)) is not None:
                self._tell_availability(device, board.state)  # never late: automations depend on it
                if self._due(device, now_ns, CHANGES_EVERY):
                    self._tell_device(device, board, now_ns)
                    self._dirty.add(HEALTH)
        if now_ns >= self._swept_ns + SWEEP_EVERY:
            self._swept_ns = now_ns
            for device, board in boards.items():
                if self._due(device, now_ns, STATUS_EVERY):
                    self._tell_device(device, board, now_ns)
        if self._runs_dirty and self._due(RUNS, now_ns, CHANGES_EVERY):
            self._tell_runs(now_ns)
        every = CHANGES_EVERY if HEALTH in self._dirty else HEALTH_EVERY
        if self._due(HEALTH, now_ns, every):
            self._tell_health(now_ns)

    def _announce_due(self, now_ns: int, again: Callable[[], Iterable[Message]]) -> None:
        """Home Assistant has started anew."""
        announced, states = self._announcer.due(now_ns)
        for message in announced:
            self._tell(message)
        if states:
            self._tell_all(again())

    def goodbye(self) -> None:
        """The last words before a clean end."""
        for device in self._boards():
            self._tell(Message(self._topics.availability(device), b"offline"))
        self._tell(Message(self._topics.gateway("state"), b"offline"))
        self._up = False

    def next_message(self) -> Message | None:
        """The next message to send; it counts as in flight from now on."""
        for topic, message in self._waiting.items():
            if topic not in self._in_flight:
                del self._waiting[topic]
                self._in_flight.add(topic)
                return message
        return self._answers.next_message()

    def put_back(self, message: Message) -> None:
        """The message could not be sent now."""
        if self._answers.put_back(message):
            return
        self._in_flight.discard(message.topic)
        self._waiting.setdefault(message.topic, message)

    def settled(self, topic: str) -> None:
        """The broker has answered, with success or without: what is in force will be told again in time."""
        self._answers.settled(topic)
        self._in_flight.discard(topic)

    def delivered(self, topic: str, payload: bytes) -> None:
        """The broker has taken the message."""
        if not payload:
            self._announcer.cleared(topic)

    def again_later(self, message: Message, after_ns: int = AGAIN_AFTER) -> None:
        """The broker did not take it now: unless there is something newer by then, it is sent again."""
        again_ns = self._clock.boot_ns() + after_ns
        self._later_ns = min(self._later_ns, again_ns) if self._later else again_ns
        self._later[message.topic] = message

    def _take_up_refused(self, now_ns: int) -> None:
        if self._later and now_ns >= self._later_ns:
            self._waiting = {**self._later, **self._waiting}
            self._later.clear()

    def _due(self, name: str, now_ns: int, every_ns: int) -> bool:
        return now_ns - self._told_ns.get(name, -STATUS_EVERY) >= every_ns

    def _tell(self, message: Message) -> None:
        self._later.pop(message.topic, None)
        self._waiting[message.topic] = message

    def _tell_device(self, device: str, board: DeviceBoard, now_ns: int) -> None:
        self._dirty.discard(device)
        self._told_ns[device] = now_ns
        status = board.snapshot()
        self._tell_availability(device, status.state)
        self._tell(Message(self._topics.status(device), encode_json(status_object(status))))

    def _tell_availability(self, device: str, state: State) -> None:
        """Where it is another one than was told on this connection."""
        if self._available.get(device) != state.available:
            self._available[device] = state.available
            payload = b"online" if state.available else b"offline"
            self._tell(Message(self._topics.availability(device), payload))

    def _tell_devices(self) -> None:
        self._tell(Message(self._topics.gateway("devices"), encode_json(self._devices())))

    def _tell_runs(self, now_ns: int) -> None:
        self._runs_dirty = False
        self._told_ns[RUNS] = now_ns
        self._tell(Message(self._topics.gateway("runs"), encode_json(self._runs())))

    def _tell_health(self, now_ns: int) -> None:
        self._dirty.discard(HEALTH)
        self._told_ns[HEALTH] = now_ns
        self._tell(Message(self._topics.gateway("health"), encode_json(self._health())))
