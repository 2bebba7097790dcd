"""One visit to a broker: does it let us in, and may we publish? For ``doctor`` and ``init``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from gateway.config.settings import Endpoint, MqttSettings
from gateway.delivery.link import SILENT, UNSUPPORTED_VERSION
from gateway.delivery.mqtt import Acked, Closed, Connected, Connection, Received
from gateway.delivery.queue import Inbox

TIMEOUT = 5.0
"""Seconds for the whole visit."""
GRACE = 0.2
"""Seconds for retained messages that are still under way when the publish is acknowledged."""

Stage = Literal["", "name", "network", "tls", "login", "mqtt"]


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it."""

    url: str
    failed_at: Stage = ""
    """Where it ended; empty when the broker has let us in."""
    reason: str = ""
    """Why, in words."""
    protocol: str = "5"
    publish_code: int | None = None
    """The reason code of the PUBACK; 0 says nothing in MQTT 3.1.1. ``None``: nothing was published."""
    publish_reason: str = ""
    """Why there is no code although something was published."""
    retained: dict[str, bytes] = field(default_factory=dict)
    """The retained messages of the subscriptions."""

    @property
    def is_in(self) -> bool:
        """Whether the broker has let us in."""
        return not self.failed_at


def try_broker(
    mqtt: MqttSettings,
    endpoint: Endpoint,
    client_id: str,
    *,
    publish: str = "",
    subscriptions: Sequence[str] = (),
    timeout: float = TIMEOUT,
) -> Trial:
    """Connect as the gateway would, but under a client id of our own, so that a running gateway stays connected.

    ``publish``: a topic on which an empty message that is not retained is published with QoS 1. Returns within
    ``timeout`` seconds, whatever hangs.
    """
    deadline = time.monotonic() + timeout

    def visit(version: str) -> tuple[Trial, int | None]:
        inbox = Inbox()
        connection = Connection(
            1, endpoint, version, mqtt, client_id=client_id, post=inbox.post, subscriptions=subscriptions
        )
        return _visit(Trial(endpoint.url, protocol=version), connection, inbox, publish, deadline)

    trial, code = visit("3.1.1" if mqtt.protocol == "3.1.1" else "5")
    old = code == UNSUPPORTED_VERSION or (code is None and trial.reason in SILENT)
    if not trial.is_in and old and mqtt.protocol == "auto":
        trial, _ = visit("3.1.1")
    return trial


def _visit(
    trial: Trial, connection: Connection, inbox: Inbox, publish: str, deadline: float
) -> tuple[Trial, int | None]:
    """The trial, and the reason code with which the broker refused."""
    connection.start()
    match _next(inbox, deadline, {}):
        case Connected():
            trial = _publish(trial, connection, inbox, publish, deadline)
            connection.disconnect()
            _until_closed(inbox)
            return trial, None
        case Closed() as end:
            return replace(trial, failed_at=_stage(end), reason=end.reason), end.code
        case _:
            connection.abort()
            _until_closed(inbox)
            return replace(trial, failed_at="mqtt", reason="no answer within the time limit"), 0


def _publish(trial: Trial, connection: Connection, inbox: Inbox, topic: str, deadline: float) -> Trial:
    retained: dict[str, bytes] = {}
    if topic:
        connection.publish(topic, b"", retain=False)
        match _next(inbox, deadline, retained):
            case Acked(code=code):
                trial = replace(trial, publish_code=code)
            case Closed(reason=reason):
                trial = replace(trial, publish_reason=f"the broker ended the connection ({reason})")
            case _:
                trial = replace(trial, publish_reason="the broker did not acknowledge it")
    _next(inbox, min(deadline, time.monotonic() + GRACE), retained)
    return replace(trial, retained=retained)


def _next(inbox: Inbox, deadline: float, retained: dict[str, bytes]) -> object | None:
    """The next event that is no message; ``None`` when there is none before the deadline."""
    while (left := deadline - time.monotonic()) > 0:
        item = inbox.get(left)
        if not isinstance(item, Received):
            return item
        if item.retained:
            retained[item.topic] = item.payload
    return None


def _until_closed(inbox: Inbox) -> None:
    """Give the connection's thread a moment to end. One that hangs in a name look-up ends by itself later."""
    deadline = time.monotonic() + 0.5
    while not isinstance(item := _next(inbox, deadline, {}), Closed) and item is not None:
        pass


def _stage(end: Closed) -> Stage:
    if end.code is not None:
        return "login"
    if end.reason.startswith("TLS"):
        return "tls"
    if end.reason.startswith("host name"):
        return "name"
    return "mqtt" if end.reason in SILENT else "network"
