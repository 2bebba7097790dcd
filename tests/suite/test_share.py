"""Processes that run tests at the same time do not take each other's ports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from support import unwatched
from support.share import FIRST, SIZE, free_port, share

TESTS = Path(__file__).parents[1]


def share_of_another() -> int:
    """What a process that begins now is given."""
    code = "from support.share import share; print(share())"
    environ = unwatched() | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_every_process_has_its_own_share() -> None:
    """Another process has another one, and gives it back when it ends."""
    assert share() == share()
    assert share_of_another() != share()
    assert share_of_another() != share()


def test_ports_are_of_the_share_and_come_in_turn() -> None:
    """A port is not given out again before all others were."""
    ports = [free_port() for _ in range(20)]
    assert len(set(ports)) == 20
    assert {(port - FIRST) // SIZE for port in ports} == {share()}


def test_a_port_in_use_is_passed_over() -> None:
    """Somebody listens on the next one: it is left out."""
    port = free_port()
    first = FIRST + share() * SIZE
    following = port + 1 if port + 1 < first + SIZE else first + 1
    with socket.create_server(("127.0.0.1", following)):
        assert free_port() not in (port, following)
