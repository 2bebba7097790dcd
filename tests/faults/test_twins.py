"""Two gateways under one name: what each says, and that they do not hammer the broker (row 25)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from support.faults import Fleet, GatewayProcess, Site

MakeSite = Callable[..., Site]
Times = Callable[[float, float], Any]
REASON = "publishes under the same gateway.id; give each its own"


@pytest.mark.slow
def test_two_gateways_under_one_name(make_site: MakeSite, times: Times, tell: Callable[[str], None]) -> None:
    """Both name the cause in their log, and they take the connection from each other ever less often.

    Each on its own spool: on one spool the second would not start at all. Nothing is lost, and no reading is taken for
    the reason why connections end. (mosquitto 2.0.11 says no reason; a broker that does is in tests/delivery.)
    """
    site = make_site(Fleet(devices=1, rate=10))
    twin = GatewayProcess(site.gateway.folder / "twin", site.gateway.config_file.read_text())
    site.start()
    site.recorder.wait_delivered(5)
    twin.start()
    try:
        for gateway in (site.gateway, twin):
            gateway.wait_log(REASON)
        patience = times(0.0, 120.0)
        time.sleep(patience)  # the rate is measured over time
        before = twin.log().count("connected to")
        time.sleep(patience / 2)
        rate = (twin.log().count("connected to") - before) / max(patience / 2, 1.0)
        tell(f"two gateways under one name: {60 * rate:.1f} connections a minute each after {patience:.0f} s")
        assert rate < 0.1 or patience == 0
    finally:
        twin.kill()
    site.stop(20.0)
    verdict = site.judge()
    assert [identity for identity in verdict.lost if identity[1] == site.run_of_life[1]] == []
    assert verdict.dead == 0
