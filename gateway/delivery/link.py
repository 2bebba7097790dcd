"""Keeps one connection to one of the brokers: which broker, which MQTT version, when to try, when to give up on it."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gateway.config.settings import MqttSettings
from gateway.delivery.backoff import Backoff
from gateway.delivery.mqtt import Closed, Connected, Connection, Event, Limits

log = logging.getLogger(__name__)

CONNACK_WITHIN = 5.0
"""Seconds from the start of an attempt to the broker's CONNACK."""
CONNACK_WITHIN_FIRST = 3.0
"""The same for the first attempt after a good connection: a broker that is just going down may swallow it."""
TLS_TAKES = 5.0
"""Seconds more for a TLS handshake, which a small Pi computes slowly."""
RETRY_MQTT5_AFTER = 3600.0
UNSUPPORTED_VERSION = 0x84
RETAIN_NOT_SUPPORTED = 0x9A
REFUSALS = frozenset({0x85, 0x86, 0x87, 0x8A, 0x8C})
"""Bad client id, bad user or password, not authorised, banned, bad authentication method."""
TAKEN_OVER = 0x8E
SILENT = frozenset({"connection lost", "connection closed"})
"""How a broker that knows no MQTT 5 and says nothing about it looks from here."""


@dataclass(slots=True)
class _Memory:
    """What is known about one broker for this run."""

    version: str
    closed_before_connack: int = 0
    fell_back_at: float | None = None
    will_retain: bool = True


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """The connection at one instant, for health."""

    url: str
    protocol: str
    connected: bool
    since_ns: int
    """Wall clock, nanoseconds, when this condition began."""
    reconnects: int
    last_error: str


class Link:
    """Used by one thread. ``now`` is that thread's steady clock in seconds."""

    def __init__(
        self,
        mqtt: MqttSettings,
        client_id: str,
        post: Callable[[Event], None],
        wall_ns: Callable[[], int],
        *,
        will: tuple[str, bytes] | None = None,
        subscriptions: Sequence[str] = (),
        rng: random.Random | None = None,
    ) -> None:
        self._mqtt = mqtt
        self._client_id = client_id
        self._post = post
        self._wall_ns = wall_ns
        self._will = will
        self._subscriptions = subscriptions
        self._backoff = Backoff(rng or random.Random())  # noqa: S311 (jitter, not a secret)
        first = "3.1.1" if mqtt.protocol == "3.1.1" else "5"
        self._memory = {endpoint: _Memory(first) for endpoint in mqtt.endpoints}
        self._turn = 0
        self._failed_in_round = 0
        self._number = 0
        self._connection: Connection | None = None
        self._up = False
        self._began = 0.0
        self._ever_up = False
        self._told_311 = False
        self._told: set[str] = set()
        """The failures since the last connection that are in the log."""
        self._aborted = ""
        self._ended = False
        self._next_try = 0.0
        self.limits = Limits()
        self.status = LinkStatus(
            mqtt.endpoints[0].url, first, connected=False, since_ns=wall_ns(), reconnects=0, last_error=""
        )

    def use(self, mqtt: MqttSettings, subscriptions: Sequence[str]) -> None:
        """Go on with other settings. The connection is begun anew when it would have been another one with them."""
        if _same_connection(mqtt, self._mqtt):
            self._mqtt = mqtt
            if subscriptions != self._subscriptions:
                self._subscriptions = subscriptions
                self.abort("what is listened to has changed")
            return
        self._mqtt = mqtt
        self._subscriptions = subscriptions
        self._client_id = mqtt.client_id
        first = "3.1.1" if mqtt.protocol == "3.1.1" else "5"
        self._memory = {endpoint: _Memory(first) for endpoint in mqtt.endpoints}
        self._turn = self._failed_in_round = 0
        self._next_try = 0.0
        self._told.clear()
        self.abort("the configuration of [mqtt] has changed")

    @property
    def up(self) -> bool:
        """Whether the broker has accepted us and the connection has not ended."""
        return self._up

    @property
    def number(self) -> int:
        """The current connection's number; events with another one are old news."""
        return self._number

    def next_due(self) -> float:
        """When :meth:`tick` has something to do again."""
        if self._connection is None:
            return self._next_try
        return float("inf") if self._up or self._aborted else self._began + self._patience()

    def tick(self, now: float) -> None:
        """Start an attempt when one is due; give up on one that gets no CONNACK."""
        if self._ended:
            return
        if self._connection is None:
            if now >= self._next_try:
                self._connect(now)
        elif not self._up and not self._aborted and now >= self._began + self._patience():
            self.abort("no CONNACK within the time limit")

    def publish(self, topic: str, payload: bytes, *, retain: bool, expiry: int | None = None) -> int | None:
        """Send on the current connection; ``None`` when there is no room or no connection. Raises ``Unsendable``."""
        if self._connection is None or not self._up:
            return None
        retain = retain and self.limits.retain_available
        return self._connection.publish(topic, payload, retain=retain, expiry=expiry if retain else None)

    def fits(self, topic: str, payload: bytes, expiry: int | None = None) -> bool:
        """Whether the broker's maximum packet size, if it named one, allows this message."""
        most = self.limits.maximum_packet
        if most is None:
            return True
        properties = 0 if expiry is None else 5  # with the topic's length, the message id and that of the properties:
        rest = 2 + len(topic.encode()) + 2 + 1 + properties + len(payload)
        return 1 + max(1, (rest.bit_length() + 6) // 7) + rest <= most

    def connected(self, event: Connected, now: float) -> bool:
        """CONNACK came. False when it belongs to an attempt that was given up."""
        connection = self._connection
        if connection is None or event.number != self._number:
            return False
        self._up = True
        self._began = now
        self._failed_in_round = 0
        self.limits = event.limits
        memory = self._memory[connection.endpoint]
        memory.closed_before_connack = 0
        self.status = replace(
            self.status,
            url=connection.endpoint.url,
            protocol=connection.version,
            connected=True,
            since_ns=self._wall_ns(),
            reconnects=self.status.reconnects + self._ever_up,
        )
        self._ever_up = True
        log.info("connected to %s with MQTT %s", connection.endpoint.url, connection.version)
        if connection.version == "3.1.1" and not self._told_311:
            self._told_311 = True
            log.info("MQTT 3.1.1 cannot tell us when a broker drops a reading (access list, size limit); MQTT 5 can")
        return True

    def closed(self, event: Closed, now: float) -> bool:
        """A connection ended. True when it was the current one; then nothing in flight on it will be acknowledged."""
        connection = self._connection
        if connection is None or event.number != self._number:
            return False
        was_up, lasted = self._up, now - self._began
        if connection.endpoint not in self._memory:  # of settings that are used no more
            self._memory[connection.endpoint] = _Memory(connection.version)
        self._up, self._connection = False, None
        reason = self._aborted or event.reason
        self._aborted = ""
        refused = event.code in REFUSALS
        if event.code == TAKEN_OVER:
            reason = "another client connected with the same client id; give each gateway its own gateway.id"
            refused = True
        if was_up:
            delay = self._backoff.after_connection(lasted, refused=refused)
        else:
            delay = self._after_failure(connection, event, refused=refused, now=now)
        self._next_try = now + delay
        if was_up:
            self._told.clear()
        failure = f"{connection.endpoint.url}: {reason}"
        if not self._ended and failure not in self._told:  # one line each, also where reasons take turns
            self._told.add(failure)
            log.warning("%s; trying again", failure)
        since_ns = self._wall_ns() if was_up else self.status.since_ns
        self.status = replace(self.status, connected=False, since_ns=since_ns, last_error=reason)
        return True

    def abort(self, reason: str) -> None:
        """Break the current connection for ``reason``. ``Closed`` follows at once.

        It is not paho's thread that we wait for: that may hang in a name look-up for a minute and ends by itself.
        """
        if self._connection is None or self._aborted:
            return
        self._aborted = reason
        self._connection.abort()
        self._post(Closed(self._number, accepted=self._up, code=None, reason=reason, ours=True))

    def give_up(self, reason: str) -> None:
        """Stop for good without DISCONNECT: the broker publishes the will. ``Closed`` follows at once."""
        self._ended = True
        self.abort(reason)

    def end(self) -> bool:
        """Stop for good, with DISCONNECT where there is a connection; whether a ``Closed`` is to be waited for."""
        self._ended = True
        if self._connection is None:
            return False
        if self._up:
            self._connection.disconnect()
        else:
            self._connection.abort()
        return True

    def _patience(self) -> float:
        assert self._connection is not None
        first = self._ever_up and self._failed_in_round == 0
        handshake = TLS_TAKES if self._connection.endpoint.secure else 0.0
        return handshake + (CONNACK_WITHIN_FIRST if first else CONNACK_WITHIN)

    def _connect(self, now: float) -> None:
        endpoint = self._mqtt.endpoints[self._turn]
        memory = self._memory[endpoint]
        if memory.fell_back_at is not None and now - memory.fell_back_at >= RETRY_MQTT5_AFTER:
            memory.version, memory.fell_back_at = "5", None
        self._number += 1
        self._began = now
        self._connection = Connection(
            self._number,
            endpoint,
            memory.version,
            self._mqtt,
            client_id=self._client_id,
            post=self._post,
            will=self._will,
            will_retain=memory.will_retain,
            subscriptions=self._subscriptions,
        )
        self.status = replace(self.status, url=endpoint.url, protocol=memory.version)
        self._connection.start()

    def _after_failure(self, connection: Connection, event: Closed, *, refused: bool, now: float) -> float:
        """No CONNACK with success: learn from it, take the next broker, say how long to wait."""
        memory = self._memory[connection.endpoint]
        if event.code == RETAIN_NOT_SUPPORTED and memory.will_retain:
            memory.will_retain = False
            return 0.0
        if self._mqtt.protocol == "auto" and self._change_version(memory, connection.version, event, now):
            return 0.0
        self._failed_in_round += 1
        self._turn = (self._turn + 1) % len(self._mqtt.endpoints)
        if self._failed_in_round % len(self._mqtt.endpoints):
            return 0.0  # the others have not been asked yet
        return self._backoff.after_failure(refused=refused)

    def _change_version(self, memory: _Memory, version: str, event: Closed, now: float) -> bool:
        """Whether the same broker is to be asked again at once with the other MQTT version."""
        if event.code == UNSUPPORTED_VERSION and version == "5":
            memory.version, memory.fell_back_at = "3.1.1", now
            log.info("the broker refuses MQTT 5: using MQTT 3.1.1")
            return True
        dropped_silently = event.code is None and event.reason in SILENT
        memory.closed_before_connack = memory.closed_before_connack + 1 if dropped_silently else 0
        if memory.closed_before_connack >= 2:
            memory.closed_before_connack = 0
            memory.version = "3.1.1" if version == "5" else "5"
            memory.fell_back_at = now if memory.version == "3.1.1" else None
            return memory.version == "3.1.1"
        return False


def _same_connection(new: MqttSettings, old: MqttSettings) -> bool:
    """Whether settings differ at most in what a connection does not depend on."""
    return replace(new, live_window=old.live_window, replay=old.replay) == old
