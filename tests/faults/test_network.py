"""Networks that swallow packets, appear late, or have no name server (rows 5, 6, 23 and 63)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.brokers import Mosquitto
from support.faults import ORACLE_BROKER, Fleet, GatewayProcess, Site, config, read_spool
from support.faults.namespace import Namespace, with_files
from support.waiting import wait_until

MakeSite = Callable[..., Site]
MakeGateway = Callable[..., GatewayProcess]
pytestmark = [pytest.mark.needs("netns"), pytest.mark.slow]


@pytest.fixture
def space() -> Iterator[Namespace]:
    """A namespace without an address yet."""
    made = Namespace()
    yield made
    made.close()


@pytest.fixture
def broker(space: Namespace, tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker on loopback, for the oracle, and on the cable, for the gateway."""
    made = Mosquitto(tmp_path / "broker", *ORACLE_BROKER)
    made.lines += (f"listener {made.port} {space.here}",)
    made.start()
    yield made
    made.kill()


@pytest.mark.long
def test_a_network_that_swallows_everything(
    space: Namespace, broker: Mosquitto, make_site: MakeSite, make_gateway: MakeGateway
) -> None:
    """Under load and idle it is found within twice the keep-alive (at least 5 s), and all arrives when it is over."""
    space.connect()
    keepalive = 15
    mqtt = f'keepalive = "{keepalive}s"'
    site = make_site(Fleet(devices=4, rate=50), broker=broker, host=space.here, mqtt=mqtt, wrap=space.wrap)
    idle = config(broker.port, Fleet(devices=1, rate=1, interval="1h"), host=space.here, mqtt=mqtt)
    quiet = make_gateway(idle.replace('id = "fault"', 'id = "idle"'), wrap=space.wrap)
    for gateway in (site, quiet):
        gateway.start()
    quiet.wait_log("connected to")
    site.recorder.wait_delivered(200)
    space.cut()
    began = time.monotonic()
    limit = max(5.0, 2.0 * keepalive) + 2.0
    site.gateway.wait_log("the broker does not acknowledge|keep alive", limit)
    quiet.wait_log("does not acknowledge|keep alive", limit - (time.monotonic() - began))
    space.mend()
    site.recorder.wait_delivered(200, 20.0)
    wait_until(lambda: quiet.log().count("connected to") == 2, 20.0)
    assert quiet.terminate()[0] == 0
    verdict = site.finish()
    assert (verdict.lost, verdict.violations) == ([], [])
    assert verdict.delivered == verdict.accepted


@pytest.mark.long
def test_a_stop_while_a_network_swallows_megabytes(
    space: Namespace, broker: Mosquitto, make_gateway: MakeGateway
) -> None:
    """The send buffer is full and nothing is acknowledged: the stop is in time, and the spool has it all."""
    space.connect()
    text = f'{{ t = {{ shape = "constant", value = "{"x" * 4000}" }} }}'
    fleet = Fleet(devices=4, rate=400).text().replace('{ n = { shape = "counter" } }', text)
    gateway = make_gateway(config(broker.port, fleet, host=space.here), wrap=space.wrap)
    gateway.start()
    gateway.wait_log("connected to")
    space.cut()
    wait_until(lambda: gateway.queued() > 3000, 20.0, "12 MB")
    code, seconds = gateway.terminate(10.0)
    content = read_spool(gateway.spool)
    assert (code, seconds < 10.0) == (0, True)
    assert len(content.waiting) > 3000
    assert content.integrity == "ok"


def test_a_network_and_a_name_that_appear_late(
    space: Namespace, broker: Mosquitto, make_gateway: MakeGateway, tmp_path: Path
) -> None:
    """No address, no name server: it reads and waits. It connects when there is a network, and the name is known."""
    hosts, servers = tmp_path / "hosts", tmp_path / "resolv.conf"
    hosts.write_text("127.0.0.1 localhost\n")
    servers.write_text("nameserver 127.0.0.1\n")  # where nobody answers
    files = with_files((hosts, "/etc/hosts"), (servers, "/etc/resolv.conf"))
    text = config(broker.port, Fleet(devices=1, rate=20), host="broker.test")
    gateway = make_gateway(text, wrap=(*space.wrap, *files))
    gateway.start()
    gateway.wait_log("host name not found")
    wait_until(lambda: gateway.queued() > 10)
    space.connect()
    hosts.write_text(f"{space.here} broker.test\n")
    gateway.wait_log("connected to mqtt://broker.test", 8.0)
    assert gateway.terminate()[0] == 0
    (run,) = read_spool(gateway.spool).runs.values()
    assert gateway.queued() == 0
    assert run.last_seq["d0"] > 10


@pytest.mark.long
def test_a_name_server_that_never_answers(space: Namespace, make_gateway: MakeGateway, tmp_path: Path) -> None:
    """The look-up hangs in its own thread: readings go on, attempts do not pile up, and a stop is in time."""
    space.connect()
    space.cut()
    servers = tmp_path / "resolv.conf"
    servers.write_text(f"nameserver {space.here}\noptions timeout:30 attempts:3\n")
    gateway = make_gateway(
        config(1883, Fleet(devices=1, rate=20), host="broker.test"),
        wrap=(*space.wrap, *with_files((servers, "/etc/resolv.conf"))),
    )
    gateway.start()
    wait_until(lambda: gateway.queued() > 1200, 90.0, "readings of a minute")
    assert gateway.threads() < 30
    code, seconds = gateway.terminate(10.0)
    assert (code, seconds < 5.0) == (0, True)
