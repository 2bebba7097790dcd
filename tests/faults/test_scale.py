"""A thousand devices in one process (row 52); what is refused is in tests/config/test_budget.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from support.faults import Site
from support.waiting import wait_until

from gateway.config.budget import needs_of
from gateway.config.load import load
from gateway.status.control import ControlError, NotRunning, call

MakeSite = Callable[..., Site]
Times = Callable[[float, float], Any]
DEVICES = 1000
DEVICE = '[devices.d{}]\ndriver = "mock"\ninterval = "1s"\nsignals = {{ n = {{ shape = "counter" }} }}\n'


def look(site: Site) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What ``top`` says of the gateway and of its devices; of none while it does not answer."""
    try:
        gateway, *parts = call(site.gateway.state_dir / "control.sock", {"verb": "top"})
    except (NotRunning, ControlError):
        return {}, []
    return gateway, [device for part in parts for device in part["devices"]]


def wait_reads(site: Site, least: int, timeout: float) -> tuple[float, int]:
    """Wait until every device has been read so often; processor time of the gateway, and all reads."""
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        time.sleep(1.0)  # looking is work for the gateway, too
        found[:] = look(site)[1]
        return len(found) == DEVICES and all(device["read"] >= least for device in found)

    wait_until(enough, timeout)
    return site.gateway.cpu_seconds(), sum(device["read"] for device in found)


@pytest.mark.slow
def test_a_thousand_devices(make_site: MakeSite, times: Times, tell: Callable[[str], None]) -> None:
    """At 1 Hz: a thread each and no more than was said, all online, none ever failing, nothing lost, a stop in time."""
    site = make_site("".join(DEVICE.format(number) for number in range(DEVICES)))
    needs = needs_of(load(site.gateway.config_file))
    site.start()
    wait_reads(site, times(5, 300), times(60.0, 600.0))
    gateway, devices = look(site)
    assert DEVICES < gateway["threads"] <= needs.threads
    assert gateway["descriptors"] <= needs.descriptors
    assert [one for one in devices if one["state"] != "online" or one["failed"] or one["dropped"]] == []
    assert len({one["thread"] for one in devices}) == DEVICES
    late = sorted(one["lateness_ms"]["p99"] for one in devices)
    seconds = site.stop()
    verdict = site.judge()
    tell(verdict.line(f"{DEVICES} devices", f"p99 late {late[DEVICES // 2]:.1f} ms, worst {late[-1]:.1f} ms"))
    assert seconds < 10
    assert (verdict.lost, verdict.violations) == ([], [])


@pytest.mark.long
def test_all_are_due_at_once(make_site: MakeSite) -> None:
    """After a stop of the process all wait for the interpreter; waiting for it must not cost more than working."""
    site = make_site("".join(DEVICE.format(number) for number in range(DEVICES)))
    site.start()
    begun = wait_reads(site, 3, 60.0)
    before = wait_reads(site, 6, 60.0)
    site.gateway.pause()
    time.sleep(3.0)
    site.gateway.resume()
    after = wait_reads(site, 12, 120.0)
    usual = (before[0] - begun[0]) / (before[1] - begun[1])
    then = (after[0] - before[0]) / (after[1] - before[1])
    assert then < 2.5 * usual, "processor time of a reading"
    site.stop()
