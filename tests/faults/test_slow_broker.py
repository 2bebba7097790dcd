"""Brokers that are slow, away, or slam the door: no memory, time or readings are wasted (rows 3, 4, 7, 8, 15, 54)."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.faults import Fleet, GatewayProcess, Site, config
from support.publishing import readings
from support.waiting import wait_until

MakeSite = Callable[..., Site]
MakeBroker = Callable[..., FakeBroker]
MakeGateway = Callable[..., GatewayProcess]
Times = Callable[[float, float], Any]
MIB = 1024 * 1024


def _identities(broker: FakeBroker) -> Counter[tuple[str, int]]:
    """How often each reading has been published, by device and seq."""
    topics = [publish for publish in list(broker.publishes) if publish.topic.split("/")[2].startswith("d")]
    return Counter(
        (publish.topic.split("/")[2], reading["seq"]) for publish in topics for reading in readings([publish])
    )


@pytest.mark.slow
def test_a_broker_that_takes_a_second_for_each_message(
    fake: MakeBroker, make_gateway: MakeGateway, times: Times
) -> None:
    """Slower than the readers: the window stays full and is not exceeded, nothing is sent twice, memory does not grow.

    When it is fast again, everything arrives.
    """
    broker = fake(Script(delay=times(0.5, 2.0)))
    gateway = make_gateway(config(broker.port, Fleet(devices=4, rate=100), mqtt="window = 40"))
    gateway.start()
    wait_until(lambda: gateway.queued() > 400, 20.0, "a backlog")
    before = gateway.rss()
    time.sleep(times(1.0, 90.0))  # that it lasts is the experiment
    grown = gateway.rss() - before
    assert broker.clients[0].most_unacked == 40
    wait_until(lambda: len(broker.clients[0].unacked) >= 38, 20.0, "a full window")
    broker.follow(Script(), now=True)
    wait_until(lambda: gateway.queued() < 100, 60.0, "an end of the backlog")
    assert gateway.terminate()[0] == 0
    identities = _identities(broker)
    newest = Counter({device: max(seq for of, seq in identities if of == device) for device, _ in identities})
    assert max(identities.values()) == 1
    assert len(identities) == newest.total() > 500
    assert grown < 8 * MIB


@pytest.mark.slow
def test_no_broker_at_the_start(make_site: MakeSite, times: Times) -> None:
    """It starts, reads, and keeps all; memory does not grow with the backlog; all of it is delivered in the end."""
    site = make_site(Fleet(devices=4, rate=200))
    site.broker.kill()
    site.start()
    wait_until(lambda: site.gateway.queued() > 400, 20.0, "a backlog")
    before = site.gateway.rss()
    wait_until(lambda: site.gateway.queued() > times(1500, 100_000), times(20.0, 900.0), "a larger backlog")
    grown = site.gateway.rss() - before
    assert grown < 8 * MIB
    site.restart_broker()
    returned = time.monotonic()
    site.recorder.wait_delivered(1, 10.0)
    assert time.monotonic() - returned < 6.0
    wait_until(lambda: site.gateway.queued() < 100, 120.0, "an end of the backlog")
    site.stop()
    verdict = site.judge()
    assert (verdict.lost, verdict.violations, verdict.duplicates) == ([], [], 0)
    assert verdict.delivered == verdict.accepted


@pytest.fixture
def slammed() -> Iterator[int]:
    """The port of a server that accepts every connection and ends it with RST."""
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                sock, _ = server.accept()
            except OSError:
                return
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()

    thread = threading.Thread(target=run, name="slammed", daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    thread.join(5.0)
    server.close()


@pytest.mark.slow
def test_a_storm_of_resets_does_not_keep_it_busy(slammed: int, make_gateway: MakeGateway, times: Times) -> None:
    """Attempts become rare: less than 5 % of a processor, one line in the log, and no thread or descriptor is left."""
    gateway = make_gateway(config(slammed, Fleet(devices=1, rate=1, interval="1s")))
    gateway.start()
    gateway.wait_log("trying again")
    time.sleep(1.0)  # what the start costs is over
    began, used = time.monotonic(), gateway.cpu_seconds()
    time.sleep(times(2.0, 60.0))  # the use of time is measured over time
    share = (gateway.cpu_seconds() - used) / (time.monotonic() - began)
    assert share < 0.05
    assert gateway.log().count("trying again") <= 2
    assert gateway.threads() < 10
    assert gateway.descriptors() < 30
    assert gateway.terminate()[0] == 0


@pytest.mark.long
def test_a_broker_that_is_stopped_for_a_minute(make_site: MakeSite, tell: Callable[[str], None]) -> None:
    """SIGSTOP under load: found within twice the keep-alive, and all arrives when it goes on."""
    site = make_site(Fleet(devices=10, rate=50), mqtt='keepalive = "10s"')
    site.start()
    site.recorder.wait_delivered(500)
    site.broker.pause()
    began = time.monotonic()
    site.gateway.wait_log("the broker does not acknowledge", 30.0)
    found = time.monotonic() - began
    time.sleep(max(0.0, 60.0 - found))  # that it lasts is the experiment
    site.broker.resume()
    site.recorder.wait_delivered(1, 10.0)
    verdict = site.finish()
    tell(verdict.line("SIGSTOP of the broker for 60 s", f"found after {found:.1f} s"))
    assert found < 21.0
    assert (verdict.lost, verdict.violations) == ([], [])


@pytest.mark.long
def test_over_the_quota_for_minutes(fake: MakeBroker, make_gateway: MakeGateway, tell: Callable[[str], None]) -> None:
    """0x97 to every reading for 5 minutes: nothing is lost, and the log says it once."""
    broker = fake(Script(answer=lambda publish: 0x97 if b'"seq"' in publish.payload else 0))
    gateway = make_gateway(config(broker.port, Fleet(devices=4, rate=50)))
    gateway.start()
    time.sleep(300.0)  # that it lasts is the experiment
    tries = len(broker.publishes)
    broker.follow(Script(), now=True)
    wait_until(lambda: gateway.queued() < 100, 60.0, "an end of the backlog")
    assert gateway.terminate()[0] == 0
    identities = _identities(broker)
    newest = Counter({device: max(seq for of, seq in identities if of == device) for device, _ in identities})
    tell(f"0x97 for 5 minutes: {tries} messages tried, {len(identities)} readings delivered afterwards")
    assert len(identities) == newest.total() > 50_000
    assert gateway.log().count("does not take readings") == 1
