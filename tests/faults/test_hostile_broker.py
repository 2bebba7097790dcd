"""Brokers that send what no broker may, and the memory and life of a gateway that listens (rows 20, 21 and 22)."""

from __future__ import annotations

import random
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest
from support.delivery import LinkDriver
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.faults import Fleet, GatewayProcess, config
from support.mqtt_wire import PUBLISH, varint
from support.waiting import wait_until

MakeBroker = Callable[..., FakeBroker]
MakeGateway = Callable[..., GatewayProcess]
Times = Callable[[float, float], Any]
MIB = 1024 * 1024
ONE = Fleet(devices=1, rate=10)
PACKETS = 10
HUGE = 256 * 1000 * 1000


def test_a_message_of_256_mb_is_not_taken(fake: MakeBroker, make_gateway: MakeGateway) -> None:
    """It was told that we take 256 KiB: the connection is given up at its first bytes, and the next one works."""
    broker = fake()
    gateway = make_gateway(config(broker.port, ONE))
    gateway.start()
    broker.wait_for(lambda: broker.on("sensorpost/fault/d0"), 20.0)
    before = gateway.rss()
    topic = b"sensorpost/fault/gateway/health"
    head = bytes([PUBLISH << 4]) + varint(HUGE) + struct.pack("!H", len(topic)) + topic + b"\0"
    broker.send(head + bytes(4 * MIB))
    broker.wait_for(lambda: len(broker.clients) == 2 and broker.clients[1].publishes, 20.0)
    assert gateway.rss() - before < 4 * MIB
    gateway.wait_log("the broker sends a packet of 256000000 bytes")
    assert gateway.terminate()[0] == 0


def _noise(dice: random.Random) -> bytes:
    """Some packets of random bytes, most of them with a length that is right, after a CONNACK that mostly is good."""
    sent = b"\x20\x03\0\0\0" if dice.random() < 0.8 else b""
    for _ in range(PACKETS):
        body = dice.randbytes(dice.choice((0, 1, 2, 4, 20, 300)))
        length = varint(len(body)) if dice.random() < 0.95 else dice.randbytes(2)
        sent += bytes([dice.randrange(256)]) + length + body
    return sent


@pytest.mark.slow
def test_a_broker_that_talks_nonsense_does_not_wear_the_link_out(fake: MakeBroker, times: Times) -> None:
    """Packets of random bytes end the connection or do nothing: a good broker is used at once, nothing is left over."""
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    broker = fake()
    driver = LinkDriver(broker.url, protocol="5")
    threads = threading.active_count()
    for _ in range(times(300, 10_000)):
        broker.follow(Script(connack=_noise(dice)))
        ended, told = len(driver.reasons()), len(broker.clients)
        driver.run_until(lambda told=told: len(broker.clients) > told and broker.clients[-1].connect)  # type: ignore[misc]  # mypy cannot tell the type of a default
        broker.drop()  # where the noise did no harm
        driver.run_until(lambda ended=ended: len(driver.reasons()) > ended)  # type: ignore[misc]
    broker.follow(Script())
    driver.connect()
    driver.link.publish("t", b"x", retain=False)
    broker.wait_for(lambda: broker.on("t"), what=f"a publish, seed {seed}")
    wait_until(lambda: threading.active_count() == threads + 1, what=f"the end of older threads, seed {seed}")
    driver.end()
