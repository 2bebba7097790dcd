"""The trial login."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gateway.config.settings import Secret
from gateway.delivery.topics import Topics
from gateway.delivery.trial import Trial, try_broker
from gateway.doctor.advice import advice
from gateway.doctor.broker import LEAF
from gateway.starter.answers import broker_of
from gateway.status.text import plain

FORBIDDEN = 0x87
"""MQTT 5: not authorised."""


@dataclass(frozen=True, slots=True)
class Login:
    """How it went, in words."""

    is_in: bool
    text: str
    advice: str = ""


def login(
    gateway_id: str,
    url: str,
    username: str = "",
    password: Secret | None = None,
    *,
    visit: Callable[..., Trial] = try_broker,
) -> Login:
    """Visit the broker as the gateway will, and publish one empty message as ``doctor`` does."""
    settings = broker_of(gateway_id, url, username, password)
    mqtt, endpoint = settings.mqtt, settings.mqtt.endpoints[0]
    topics = Topics.of(mqtt.base_topic, gateway_id)
    client_id = f"{mqtt.client_id}-init-{secrets.token_hex(3)}"
    trial = visit(mqtt, endpoint, client_id, publish=topics.gateway(LEAF))
    if not trial.is_in:
        return Login(False, plain(trial.reason), advice(trial, endpoint, username or None))
    if trial.publish_code == FORBIDDEN or trial.publish_code is None:
        reason = plain(trial.publish_reason) or "not authorised"
        text = f"lets us in, but not publish below {topics.base}: {reason}"
        return Login(False, text, f"allow {username or 'anonymous clients'} to read and write {topics.base}/# there")
    return Login(True, f"lets us in (MQTT {trial.protocol})")
