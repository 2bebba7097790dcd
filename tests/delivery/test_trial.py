"""One visit to a broker, against real ones and one that follows a script."""

from __future__ import annotations

import dataclasses
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from paho.mqtt import publish
from support import Mosquitto, Nats, Subscriber, free_port, wait_until

from gateway.config.settings import Endpoint, MqttSettings
from gateway.delivery.trial import Trial, try_broker

TOPIC = "sensorpost/attic/gateway/doctor"


def settings(port: int, **more: object) -> tuple[MqttSettings, Endpoint]:
    """For a broker here."""
    endpoint = Endpoint("mqtt", "127.0.0.1", port)
    mqtt = MqttSettings(endpoints=(endpoint,), client_id="sensorpost-attic")
    return dataclasses.replace(mqtt, **more), endpoint  # type: ignore[arg-type]


@pytest.mark.needs("mosquitto")
def test_in(mosquitto: Mosquitto, subscriber: Callable[..., Subscriber]) -> None:
    """Let in and heard; the message is empty and not kept; what was retained has come; nobody was thrown out."""
    watcher = subscriber(mosquitto, "sensorpost/#")
    publish.single("sensorpost/x", b"old", qos=1, retain=True, hostname=mosquitto.host, port=mosquitto.port)
    mqtt, endpoint = settings(mosquitto.port)
    trial = try_broker(mqtt, endpoint, "visitor", publish=TOPIC, subscriptions=["sensorpost/x"])
    assert trial == Trial(endpoint.url, publish_code=0, retained={"sensorpost/x": b"old"})
    wait_until(lambda: [(m.topic, m.payload, m.retain) for m in watcher.messages if m.topic == TOPIC])
    assert [(m.payload, m.retain) for m in watcher.messages if m.topic == TOPIC] == [(b"", False)]
    assert "visitor" in mosquitto.log()


@pytest.mark.needs("mosquitto")
def test_without_publishing(mosquitto: Mosquitto) -> None:
    """Only the login."""
    mqtt, endpoint = settings(mosquitto.port)
    assert try_broker(mqtt, endpoint, "visitor") == Trial(endpoint.url)


@pytest.mark.needs("mosquitto")
def test_refused(make_mosquitto: Callable[..., Mosquitto]) -> None:
    """The broker's reason."""
    broker = make_mosquitto("allow_anonymous false")
    mqtt, endpoint = settings(broker.port)
    assert try_broker(mqtt, endpoint, "v") == Trial(endpoint.url, "login", "refused: Not authorized")


@pytest.mark.needs("nats")
def test_a_broker_that_knows_no_mqtt_5(nats: Nats) -> None:
    """It is asked again with 3.1.1, unless the configuration insists."""
    mqtt, endpoint = settings(nats.port)
    trial = try_broker(mqtt, endpoint, "visitor", publish=TOPIC)
    assert (trial.is_in, trial.protocol, trial.publish_code) == (True, "3.1.1", 0)
    mqtt, endpoint = settings(nats.port, protocol="5")
    assert not try_broker(mqtt, endpoint, "visitor").is_in


def test_nobody_there() -> None:
    """Refused by the machine; a name that does not exist."""
    mqtt, endpoint = settings(free_port())
    assert try_broker(mqtt, endpoint, "v") == Trial(endpoint.url, "network", "connection refused")
    nowhere = Endpoint("mqtt", "no-such-host.invalid", 1883)
    trial = try_broker(mqtt, nowhere, "v", timeout=20.0)
    assert trial.failed_at == "name"
    assert trial.reason.startswith("host name not found")


def test_tls_that_cannot_begin(tmp_path: Path) -> None:
    """The file of the authority is none."""
    (tmp_path / "ca.pem").write_text("nothing")
    mqtt, _ = settings(1, ca_file=tmp_path / "ca.pem")
    trial = try_broker(mqtt, Endpoint("mqtts", "127.0.0.1", free_port()), "v")
    assert trial.failed_at == "tls"
    assert str(tmp_path / "ca.pem") in trial.reason


def test_silence_is_bounded() -> None:
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        mqtt, endpoint = settings(server.getsockname()[1])
        began = time.monotonic()
        trial = try_broker(mqtt, endpoint, "v", timeout=0.3)
        assert time.monotonic() - began < 2.0
    assert (trial.failed_at, trial.reason) == ("mqtt", "no answer within the time limit")
