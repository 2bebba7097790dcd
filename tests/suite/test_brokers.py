"""The brokers and the subscriber that other tests rely on."""

from __future__ import annotations

import contextlib

import pytest
from support import Message, Mosquitto, Nats, wait_until
from support.plugin import MakeMosquitto, MakeSubscriber


def _publish(port: int, topic: str, payload: str, protocol: int, *, retain: bool = False) -> None:
    from paho.mqtt.publish import single  # noqa: PLC0415  # only here

    single(topic, payload, 1, retain, "127.0.0.1", port, protocol=protocol)


def test_mosquitto_survives_stop_kill_and_pause(mosquitto: Mosquitto, subscriber: MakeSubscriber) -> None:
    """A subscriber gets messages, and again after the broker was restarted, killed and paused."""
    client = subscriber(mosquitto)
    for number, trouble in enumerate((lambda: None, mosquitto.stop, mosquitto.kill)):
        trouble()
        if not mosquitto.running:
            mosquitto.start()
        client.wait_subscribed(number + 1)
        _publish(mosquitto.port, "a/b", f'{{"n": {number}}}', 5)
        assert client.wait_for(lambda message: message.json()["n"] == number).qos == 1  # noqa: B023  # used at once
    mosquitto.pause()
    mosquitto.resume()
    assert mosquitto.running
    assert [message.json()["n"] for message in client.on("a/b")] == [0, 1, 2]


def test_lines_replace_defaults(make_mosquitto: MakeMosquitto, subscriber: MakeSubscriber) -> None:
    """Extra configuration lines hold: with anonymous access off a client is not let in."""
    broker = make_mosquitto("allow_anonymous false")
    with pytest.raises(AssertionError, match="refuses the connection: Not authorized"):
        subscriber(broker)


def test_persistence_lives_in_the_folder(make_mosquitto: MakeMosquitto, subscriber: MakeSubscriber) -> None:
    """A retained message comes back after a restart with persistence on."""
    broker = make_mosquitto("persistence true")
    _publish(broker.port, "kept", "x", 5, retain=True)
    broker.restart()
    message = subscriber(broker).wait_for(lambda message: message.topic == "kept")
    assert (message.text, message.retain) == ("x", True)


def test_nats_speaks_mqtt_3(nats: Nats, subscriber: MakeSubscriber) -> None:
    """nats-server delivers and retains over MQTT 3.1.1. It passes a message on before it can keep it."""
    client = subscriber(nats, "sensorpost/#", protocol=4)
    _publish(nats.port, "sensorpost/x", "1", 4, retain=True)
    assert client.wait_for(lambda message: message.topic == "sensorpost/x").retain is False
    kept: list[Message] = []

    def comes() -> bool:
        with contextlib.suppress(AssertionError):
            kept.append(subscriber(nats, "sensorpost/#", protocol=4).wait_for(lambda _: True, 0.2))
        return bool(kept)

    wait_until(comes, 20.0, "the retained message for a new subscriber")
    assert kept[0].retain is True


def test_what_did_not_come_is_told(mosquitto: Mosquitto, subscriber: MakeSubscriber) -> None:
    """A wait that fails shows the messages that did come."""
    client = subscriber(mosquitto)
    _publish(mosquitto.port, "other", "here", 5)
    client.wait_for(lambda message: message.topic == "other")
    with pytest.raises(AssertionError, match=r"0 of 1 messages .*\n  other b'here'"):
        client.wait_for(lambda message: message.topic == "wanted", timeout=0.05)


def test_wait_until_gives_up() -> None:
    """A condition that never holds is an error that names it."""
    with pytest.raises(AssertionError, match=r"not within 0\.01 s: pigs fly"):
        wait_until(lambda: False, 0.01, "pigs fly")
