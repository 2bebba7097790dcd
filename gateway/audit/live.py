"""An audit of what comes now: listens to the broker for a while, and judges when the rest has had time to come."""

from __future__ import annotations

import json
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.audit.account import Account
from gateway.audit.received import Received
from gateway.audit.sources import Local, Remote
from gateway.audit.verdict import DeviceVerdict, Excuses, Expected, judge
from gateway.config.settings import MqttSettings
from gateway.delivery.subscriber import LinkNews, Message, Subscriber
from gateway.delivery.topics import Topics

SUBSCRIBED = 10.0
"""Seconds for the broker to give us the gateway's state, which it keeps."""
SETTLED = 5.0
"""Seconds without anything new after which what is missing is missing."""
TELL_AFTER = 3.0
"""Seconds of waiting for what is queued before it is worth a word: a batch is always under way."""
ROUND = 0.25
STATUS = 65.0
"""Seconds within which every device of a running gateway publishes its status."""


class Unjudged(Exception):
    """There can be no verdict; the text says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    mqtt: MqttSettings
    topics: Topics
    devices: frozenset[str]
    copies: frozenset[str]
    """Devices whose live topic shows only copies of what travels in batches."""
    seconds: float
    patience: float
    """Seconds to wait for what is still queued."""


class LiveAudit:
    """Runs once. ``tell`` is given a line when there is something to say."""

    def __init__(self, plan: Plan, local: Local | None, tell: Callable[[str], None]) -> None:
        """``local``: the gateway runs on this machine. Otherwise what it publishes about itself has to do."""
        self._plan = plan
        self._local = local
        self._tell = tell
        self._remote = Remote()
        self._received = Received()
        self._inbox: queue.SimpleQueue[Message | LinkNews] = queue.SimpleQueue()
        self._subscribed = False
        self._connected = False
        self._trouble = ""
        self._interruptions = 0
        self._levels = plan.topics.base.count("/") + 1

    def run(self, stop: threading.Event) -> list[DeviceVerdict]:
        """The verdict per device. ``stop`` ends the listening, not the judging. Raises ``Unjudged``."""
        base = self._plan.topics.base
        topics = [f"{base}/+", f"{base}/+/+"]
        subscriber = Subscriber(self._plan.mqtt, f"sensorpost-{secrets.token_hex(4)}", topics, self._inbox.put)
        subscriber.start()
        try:
            self._wait_subscribed(stop)
            begin = self._account()
            deadline = time.monotonic() + self._plan.seconds
            while not stop.is_set() and time.monotonic() < deadline:
                self._listen(min(ROUND, deadline - time.monotonic()))
            return self._judge(begin, self._last_account(stop))
        finally:
            subscriber.stop()

    @property
    def interruptions(self) -> int:
        """How often our own connection was lost: what was published then we cannot have seen."""
        return self._interruptions

    def _account(self) -> Account:
        return (self._local or self._remote).account()

    def _wait_subscribed(self, stop: threading.Event) -> None:
        """The broker keeps the gateway's state: when it has come, whatever is published from now on comes too."""
        deadline = time.monotonic() + SUBSCRIBED
        while not (self._subscribed and (self._local is not None or self._remote.known)):
            if stop.is_set() or time.monotonic() > deadline:
                if not self._connected:
                    raise Unjudged(self._trouble or "never connected to the broker")
                raise Unjudged(f"no gateway has published anything below {self._plan.topics.base}; is it this broker?")
            self._listen(ROUND)

    def _last_account(self, stop: threading.Event) -> Account:
        """The account up to which readings are expected."""
        if self._local is not None:
            return self._local.account()
        seen = dict(self._remote.statuses)
        deadline = time.monotonic() + STATUS
        self._tell("waiting for the status of every device, which comes once a minute")
        while any(self._remote.statuses[device] == count for device, count in seen.items()):
            if time.monotonic() > deadline or stop.is_set():
                break
            self._listen(ROUND)
        return self._remote.account()

    def _judge(self, begin: Account, end: Account) -> list[DeviceVerdict]:
        """Judge again and again until nothing is missing, or nothing more comes."""
        expected = self._expected(begin, end)
        patient_until = time.monotonic() + self._plan.patience
        quiet_since, before = time.monotonic(), (-1, -1)
        told, began = False, time.monotonic()
        while True:
            account = self._account()
            self._drain()
            verdicts = judge(self._received, expected, Excuses(account, begin), self._devices(end))
            waiting = sum(verdict.explained["queued"] for verdict in verdicts)
            missing = sum(verdict.missing for verdict in verdicts)
            now = time.monotonic()
            if (missing, waiting) != before:
                quiet_since, before = now, (missing, waiting)
            unexplained = sum(verdict.unexplained for verdict in verdicts)
            if not waiting and (not unexplained or now - quiet_since > SETTLED):
                return verdicts
            if waiting and now > patient_until:
                return verdicts
            if waiting and not told and now - began > TELL_AFTER:
                told = True
                self._tell(f"waiting up to {self._plan.patience:g} s for {waiting} reading(s) that are still queued")
            self._listen(ROUND)

    def _expected(self, begin: Account, end: Account) -> Expected:
        expected = Expected()
        next_seq = {device: figures.read + 1 for device, figures in begin.devices.items()}
        same_run = begin.run == end.run
        for device, figures in end.devices.items():
            stream = (device, end.run)
            if not same_run:
                expected.spans[stream] = (1, figures.read)
            elif self._local is not None:
                expected.spans[stream] = (next_seq.get(device, 1), figures.read)
            elif stream in self._received.seqs:  # what was sent before we listened is not known
                expected.spans[stream] = (self._received.seqs[stream].lowest, figures.read)
        if not same_run and begin.run in end.earlier:
            for device, last in end.earlier[begin.run].last_seq.items():
                expected.spans[device, begin.run] = (next_seq.get(device, 1), last)
        expected.singly = set((begin.queued or frozenset()) - begin.in_flight)
        return expected

    def _devices(self, end: Account) -> Iterable[str]:
        every = {*end.devices, *self._received.devices(), *(self._plan.devices)}
        return sorted(every & self._plan.devices if self._plan.devices else every)

    def _listen(self, seconds: float) -> None:
        """Take in what comes within that time."""
        try:
            self._take(self._inbox.get(timeout=max(0.0, seconds)))
        except queue.Empty:
            return
        self._drain()

    def _drain(self) -> None:
        while True:
            try:
                self._take(self._inbox.get_nowait())
            except queue.Empty:
                return

    def _take(self, item: Message | LinkNews) -> None:
        if isinstance(item, LinkNews):
            self._interruptions += self._connected and not item.connected
            self._connected = self._connected or item.connected
            self._trouble = "" if item.connected else f"not connected to {item.text}"
            if self._trouble:
                self._tell(self._trouble)
            return
        levels = item.topic.split("/")[self._levels :]
        if levels == ["gateway", "state"]:
            self._subscribed = True
        elif levels[:1] == ["gateway"] or levels[1:] == ["status"]:
            self._remote.take(levels, item.payload)
        elif item.retained or levels[1:] not in ([], ["history"], ["batch"]):
            return
        elif levels[1:] or levels[0] not in self._plan.copies:
            self._readings(levels[0], item)

    def _readings(self, device: str, message: Message) -> None:
        try:
            value = json.loads(message.payload)
        except (ValueError, RecursionError):
            return
        for reading in value if isinstance(value, list) else [value]:
            if isinstance(reading, dict):
                self._received.take(device, reading, message.topic)
