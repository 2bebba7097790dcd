"""The brokers: found, reachable, trusted, and letting us in and publish. And nobody else under our id."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gateway.config.settings import Endpoint, MqttSettings
from gateway.delivery.outcome import Outcome, outcome_of
from gateway.delivery.topics import Topics
from gateway.delivery.trial import Trial
from gateway.doctor.advice import LOCAL, advice
from gateway.doctor.finding import Finding, hint, problem, unknown
from gateway.doctor.patient import Patient
from gateway.status.control import ControlError
from gateway.status.text import plain

LEAF = "doctor"
"""``B/gateway/doctor``: below our own topics, so that our rights count, and nobody listens for anything there."""
FRESH = 120.0
"""Seconds: health comes every 30 s."""


def broker(patient: Patient) -> Iterator[Finding]:
    """Each of them. One that works of several is enough to deliver, but the others are there for when it does not."""
    mqtt = patient.mqtt
    if mqtt is None or patient.settings is None:
        return
    topics = Topics.of(mqtt.base_topic, patient.settings.gateway_id)
    trials = _trials(patient, mqtt, topics)
    for endpoint, trial in zip(mqtt.endpoints, trials, strict=True):
        if trial.is_in:
            yield from _publish(mqtt, topics, trial)
        else:
            yield problem(f"{trial.url}: {plain(trial.reason)}", advice(trial, endpoint, mqtt.username))
    for trial in trials:
        if trial.is_in:
            yield from _twin(patient, topics, trial)
            return


def _trials(patient: Patient, mqtt: MqttSettings, topics: Topics) -> list[Trial]:
    """All at once: one that hangs costs no more than its own time."""
    client_id = f"{mqtt.client_id}-doctor-{secrets.token_hex(3)}"

    def visit(endpoint: Endpoint) -> Trial:
        return patient.probes.try_broker(
            mqtt,
            endpoint,
            client_id,
            publish=topics.gateway(LEAF),
            subscriptions=[topics.gateway("health"), topics.gateway("state")],
        )

    with ThreadPoolExecutor(len(mqtt.endpoints), "doctor-broker") as pool:
        return list(pool.map(visit, mqtt.endpoints))


def _publish(mqtt: MqttSettings, topics: Topics, trial: Trial) -> Iterator[Finding]:
    topic = topics.gateway(LEAF)
    user = mqtt.username or "anonymous clients"
    acl = f"user {mqtt.username or '...'}, and below it: topic readwrite {topics.base}/#"
    allow = f"allow {user} to read and write {topics.base}/#; in mosquitto's acl_file: {acl}"
    if trial.publish_code is None:
        yield problem(f"{trial.url}: lets us in, but not publish on {topic}: {plain(trial.publish_reason)}", allow)
    elif outcome_of(trial.publish_code) in (Outcome.FORBIDDEN, Outcome.NEVER):
        text = f"{trial.url}: does not allow {user} to publish on {topic} (reason code 0x{trial.publish_code:02X})"
        yield problem(f"{text}: readings would wait for ever", allow)
    elif outcome_of(trial.publish_code) is Outcome.LATER:
        text = f"{trial.url}: does not take messages now (reason code 0x{trial.publish_code:02X})"
        yield problem(text, "see the broker's log: a quota, or it has no room left")
    elif trial.protocol != "5":
        text = f"{trial.url}: speaks MQTT {trial.protocol}, which cannot tell whether we may publish"
        yield unknown(text, "sensorpost listen shows what arrives")


def _twin(patient: Patient, topics: Topics, trial: Trial) -> Iterator[Finding]:
    """Somebody publishes under our id, and it is not the gateway of this machine."""
    health = _object(trial.retained.get(topics.gateway("health"), b""))
    age = patient.probes.now() - _time(health.get("time"))
    if trial.retained.get(topics.gateway("state")) != b"online" or abs(age) > FRESH:
        return
    assert patient.settings is not None
    try:
        ours = [answer for path in patient.sockets if (answer := patient.probes.answers(path)) is not None]
    except ControlError as error:
        yield unknown(f"whether another gateway has our id: {error}", "sudo sensorpost doctor")
        return
    if any(answer.get("run") == health.get("run") for answer in ours):
        return
    host = health.get("host")
    address = f" at {plain(str(host['ip']))}" if isinstance(host, dict) and host.get("ip") else ""
    yield problem(
        f"another gateway{address} publishes as {topics.base} on {trial.url}: both write the same topics",
        'id = "a-name-of-its-own" in [gateway] of one of the two',
    )


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _time(text: object) -> float:
    try:
        return dt.datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0


def plain_text(patient: Patient) -> Iterator[Finding]:
    """A password that goes through the network for everybody to read."""
    mqtt = patient.mqtt
    if mqtt is None or mqtt.password is None:
        return
    for endpoint in mqtt.endpoints:
        if not endpoint.secure and endpoint.host not in LOCAL:
            scheme = "mqtts" if endpoint.scheme == "mqtt" else "wss"
            text = f"{endpoint.url} is not encrypted: everybody on the way can read the password"
            yield hint(text, f'where the broker has TLS: url = "{scheme}://{endpoint.host}" in [mqtt]')
