"""SIGKILL at random, to the gateway and to the broker, under load (rows 1, 2 and 34)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.faults import Site

MakeSite = Callable[..., Site]
Times = Callable[[int, int], Any]


def _campaign(site: Site, gateway_kills: int, broker_kills: int, dice: random.Random) -> None:
    """Kill them in random order, each at a random moment of its life, from its very start to some seconds later."""
    order = ["gateway"] * gateway_kills + ["broker"] * broker_kills
    dice.shuffle(order)
    site.save_session()
    site.start()
    for victim in order:
        time.sleep(dice.choice((0.1, 0.7, 3.0)) * dice.random())  # the moment is the experiment
        if victim == "gateway":
            site.kill()
            site.start(wait=dice.random() < 0.5)
        else:
            site.broker.kill()
            time.sleep(dice.random())
            site.restart_broker()


@pytest.mark.slow
def test_nothing_is_lost_when_gateway_and_broker_are_killed_at_random(
    make_site: MakeSite, times: Times, tell: Callable[[str], None]
) -> None:
    """500 readings a second, ``full``: every accepted reading is delivered, with the same bytes each time."""
    gateways, brokers = times(3, 100), times(1, 20)
    site = make_site()
    _campaign(site, gateways, brokers, random.Random())
    verdict = site.finish(timeout=120.0)
    tell(verdict.line("kill -9 at random", f"{gateways} of the gateway and {brokers} of the broker"))
    assert (verdict.lost, verdict.violations) == ([], [])
    assert verdict.delivered == verdict.accepted > 100
