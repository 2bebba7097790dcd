"""Asks a broker what it keeps of a gateway: the status of each device, health and runs are all retained."""

from __future__ import annotations

import queue
import secrets
import time

from gateway.audit.account import Account
from gateway.audit.sources import Remote
from gateway.config.settings import Settings
from gateway.delivery.subscriber import Message, Subscriber
from gateway.delivery.topics import Topics

PATIENCE = 5.0
"""Seconds for the broker to answer at all."""
QUIET = 0.5
"""Seconds without another message after which it has told everything."""


def ask_broker(settings: Settings) -> Account | None:
    """The account; ``None`` when the broker cannot be reached or knows nothing of this gateway."""
    topics = Topics.of(settings.mqtt.base_topic, settings.gateway_id)
    inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
    wanted = [topics.status("+"), topics.gateway("health"), topics.gateway("runs")]
    subscriber = Subscriber(settings.mqtt, f"sensorpost-{secrets.token_hex(4)}", wanted, inbox.put)
    remote = Remote()
    levels = topics.base.count("/") + 1
    subscriber.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                item = inbox.get(timeout=QUIET)
            except queue.Empty:
                if remote.known:
                    break
                continue
            if isinstance(item, Message):
                remote.take(item.topic.split("/")[levels:], item.payload)
    finally:
        subscriber.stop()
    return remote.account() if remote.known else None
