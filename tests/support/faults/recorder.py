"""A subscriber that keeps everything: every copy of every reading, and what the gateway says of itself.

It has a persistent session, so that a broker which was restarted queues for it until it is back. It subscribes with
QoS 0, so that it has nothing to write: when a broker is killed, what it has sent lies in our socket, and a write that
fails would make paho throw that away. It is independent of the gateway's code.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from support.waiting import wait_until

_decoder = json.JSONDecoder()
BETTER_AFTER_RESTART = ("time", "clock")
"""What may differ in a copy that a later start of the gateway has sent."""


@dataclass(slots=True)
class Seen:
    """One reading as it came first."""

    raw: bytes
    life: int
    """Which start of the gateway it was received in."""


@dataclass(slots=True)
class Record:
    """All that was received. Guarded by the recorder's lock."""

    readings: dict[tuple[str, str], dict[int, Seen]] = field(default_factory=dict)
    """(device, run) -> seq -> reading."""
    distinct: int = 0
    duplicates: int = 0
    """Copies beyond the first that the gateway has sent."""
    slowest_live: float = 0.0
    """Seconds from a reading's time to its arrival on the live topic, the longest; on one machine."""
    violations: list[str] = field(default_factory=list)
    """Whatever must not be: another payload under the same identity, a live topic that ran backwards."""
    statuses: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    """(device, life) -> the newest status."""
    gateway: dict[str, Any] = field(default_factory=dict)
    """health, runs, devices, state -> the newest content."""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What ``gateway/runs`` has said of each run, newest."""


class Recorder:
    """Subscribed to ``base/#`` when the constructor returns. It connects again whenever it can."""

    def __init__(self, port: int, base: str, client_id: str = "oracle") -> None:
        self.record = Record()
        self.life = 0
        """Set by whoever starts the gateway: copies of one life must be equal byte for byte."""
        self._base = base
        self._changed = threading.Condition()
        self._subscriptions = 0
        self._live: dict[tuple[str, str], int] = {}
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session=False, protocol=MQTTProtocolVersion.MQTTv311
        )
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(0.05, 0.1)  # type: ignore[arg-type]  # fractions work
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.wait_subscribed(1)

    def close(self) -> None:
        """Disconnect and end its thread."""
        self._client.disconnect()
        self._client.loop_stop()
        del self._client

    def wait_subscribed(self, times: int, timeout: float = 20.0) -> None:
        """Wait until it has subscribed ``times`` times in all: once more after each return of the broker."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._subscriptions >= times, timeout):
                raise AssertionError(f"the oracle is not subscribed within {timeout:g} s")

    @property
    def subscriptions(self) -> int:
        """How often it has subscribed."""
        with self._changed:
            return self._subscriptions

    @property
    def distinct(self) -> int:
        """Different readings so far."""
        with self._changed:
            return self.record.distinct

    def gateway_says(self, what: str) -> Any:
        """The newest content of ``gateway/<what>`` in this life; ``None`` when nothing has come."""
        with self._changed:
            return self.record.gateway.get(what)

    def begin_life(self) -> None:
        """The gateway is about to be started: forget what the one before has said of itself."""
        with self._changed:
            self.life += 1
            self.record.gateway.clear()

    @property
    def health(self) -> dict[str, Any]:
        """The newest ``gateway/health``."""
        with self._changed:
            found: dict[str, Any] = self.record.gateway.get("health", {})
            return found

    def status(self, device: str) -> dict[str, Any]:
        """The newest status of a device in the present life."""
        with self._changed:
            return self.record.statuses.get((device, self.life), {})

    def seqs(self, device: str, run: str) -> list[int]:
        """The numbers that have come, in the order of their first copies."""
        with self._changed:
            return list(self.record.readings.get((device, run), {}))

    def wait_delivered(self, more: int, timeout: float = 20.0) -> None:
        """Wait until ``more`` different readings have come beyond those that are here."""
        aim = self.distinct + more
        wait_until(lambda: self.distinct >= aim, timeout, f"{more} more readings")

    def wait_quiet(self, seconds: float = 0.3, timeout: float = 20.0) -> None:
        """Wait until nothing has come for that long: what the broker had is here."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._changed.wait(seconds):
                assert time.monotonic() < deadline, "the broker does not stop sending"

    # On paho's thread ------------------------------------------------------------------------------------------------

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe(f"{self._base}/#", qos=0)

    def _on_subscribe(self, *_: object) -> None:
        with self._changed:
            self._subscriptions += 1
            self._changed.notify_all()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            self._changed.notify_all()
            try:
                self._sort(message)
            except Exception as error:  # noqa: BLE001  # paho's thread would end, and the oracle be deaf
                self.record.violations.append(f"{message.topic} {message.payload!r}: {error!r}")

    def _sort(self, message: paho.MQTTMessage) -> None:
        parts = message.topic.removeprefix(f"{self._base}/").split("/")
        if parts[0] != "gateway" and (len(parts) == 1 or parts[1] in ("history", "batch")):
            for raw in _bodies(bytes(message.payload)):
                self._take(parts, raw, message)
        elif message.retain:
            return  # what was told long ago
        elif parts[0] == "gateway":
            self._take_gateway(parts[-1], bytes(message.payload))
        elif parts[1] == "status":
            self.record.statuses[parts[0], self.life] = json.loads(message.payload)

    def _take_gateway(self, what: str, payload: bytes) -> None:
        value: Any = json.loads(payload) if payload[:1] in b"[{" else payload.decode()
        self.record.gateway[what] = value
        if what == "runs":
            for run in value:
                self.record.runs[run["run"]] = run

    def _take(self, parts: list[str], raw: bytes, message: paho.MQTTMessage) -> None:
        reading = json.loads(raw)
        device, run, seq = parts[0], reading["run"], reading["seq"]
        if len(parts) == 1 and not message.retain:
            self._note_live(device, run, seq)
        seen = self.record.readings.setdefault((device, run), {})
        first = seen.get(seq)
        if first is None:
            seen[seq] = Seen(raw, self.life)
            self.record.distinct += 1
            if len(parts) == 1 and not message.retain:
                delay = time.time() - datetime.fromisoformat(reading["time"]).timestamp()
                self.record.slowest_live = max(delay, self.record.slowest_live)
            return
        if message.retain:  # the broker's own copy, because of our subscription
            return
        self.record.duplicates += 1
        if raw != first.raw and (first.life == self.life or _core(raw) != _core(first.raw)):
            self.record.violations.append(f"{device} {run} {seq}: {first.raw!r}, later {raw!r}")

    def _note_live(self, device: str, run: str, seq: int) -> None:
        highest = self._live.get((device, run), 0)
        if seq < highest:
            self.record.violations.append(f"{device} {run}: live {seq} after {highest}")
        self._live[device, run] = max(seq, highest)


def _bodies(payload: bytes) -> Iterator[bytes]:
    """The readings in a message, each with its very bytes."""
    text = payload.decode()
    if not text.startswith("["):
        yield payload
        return
    position = text.find("{")
    while position != -1:
        end = _decoder.raw_decode(text, position)[1]
        yield text[position:end].encode()
        position = text.find("{", end)


def _core(raw: bytes) -> dict[str, Any]:
    return {key: value for key, value in json.loads(raw).items() if key not in BETTER_AFTER_RESTART}
