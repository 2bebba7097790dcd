"""SIGTERM at any moment of a gateway's life (rows 6 and 55)."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.faults import Fleet, GatewayProcess, Site, config, read_spool
from support.waiting import wait_until

MakeSite = Callable[..., Site]
MakeBroker = Callable[..., FakeBroker]
MakeGateway = Callable[..., GatewayProcess]
Times = Callable[[float, float], Any]
STOP_LIMIT = 10.0
"""Seconds that contract section 6 allows."""


def _end(gateway: GatewayProcess) -> float:
    """SIGTERM; the seconds it took. Before Python runs our first line, it is the signal itself that ends it."""
    code, seconds = gateway.terminate(STOP_LIMIT)
    log = gateway.log()
    assert code == 0 or (code == -signal.SIGTERM and not log), f"exit code {code}:\n{log[-3000:]}"
    assert "Traceback" not in log, log[-3000:]
    return seconds


@pytest.mark.slow
def test_a_stop_in_any_phase_is_clean(make_site: MakeSite, times: Times, tell: Callable[[str], None]) -> None:
    """While it starts, connects, publishes, writes: exit code 0, no traceback, nothing lost, with ``spill`` neither."""
    dice = random.Random()
    site = make_site(Fleet(devices=2).text() + Fleet(devices=2, first=2, durability="spill").text())
    stops, life, slowest = times(4, 100), times(1.6, 4.0), 0.0
    for number in range(stops):
        site.start(wait=False)
        time.sleep(life * (number + dice.random()) / stops)  # the moment is the experiment, phase by phase
        site.note_run()
        slowest = max(slowest, _end(site.gateway))
        site.oracle.look(read_spool(site.gateway.spool))
    verdict = site.finish()
    tell(verdict.line("SIGTERM in each phase", f"{stops} stops, the slowest {slowest:.1f} s"))
    assert (verdict.lost, verdict.violations) == ([], [])
    assert verdict.delivered == verdict.accepted


@pytest.mark.long
def test_a_stop_with_a_full_send_buffer(fake: MakeBroker, make_gateway: MakeGateway) -> None:
    """The broker has stopped reading: megabytes stand in the socket's buffer, and the stop is in time all the same."""
    broker = fake(Script())
    text = f'{{ t = {{ shape = "constant", value = "{"x" * 4000}" }} }}'
    fleet = Fleet(devices=4, rate=400).text().replace('{ n = { shape = "counter" } }', text)
    gateway = make_gateway(config(broker.port, fleet))
    gateway.start()
    broker.wait_for(lambda: len(broker.publishes) > 100, 20.0)
    broker.freeze()
    wait_until(lambda: gateway.queued() > 2000, 20.0, "8 MB, more than the buffers of both ends")
    seconds = _end(gateway)
    content = read_spool(gateway.spool)
    broker.thaw()
    arrived = {publish.payload for publish in broker.publishes}
    waiting = set(content.waiting.values())
    (run,) = content.runs.values()
    assert seconds < STOP_LIMIT
    assert sum(run.last_seq.values()) <= len(waiting | {body for body in arrived if b'"seq"' in body})
