"""A process that gets no more descriptors, threads or memory, and a device that floods (rows 53 and 59)."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.faults import Fleet, Site, read_spool
from support.waiting import wait_until

MakeSite = Callable[..., Site]
Times = Callable[[float, float], Any]
MIB = 1024 * 1024


def _address_space(pid: int) -> int:
    """Bytes of address space that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


@pytest.mark.needs("root")  # a limit once lowered is raised by root only
@pytest.mark.slow
def test_no_descriptors_for_a_while(make_site: MakeSite) -> None:
    """It cannot connect anew and says why, goes on reading, and is back by itself when it may: nothing is lost."""
    site = make_site(Fleet(devices=4, rate=50))
    site.save_session()
    site.start()
    site.recorder.wait_delivered(100)
    pid = site.gateway.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    site.broker.kill()
    site.restart_broker()
    site.gateway.wait_log("too many open files", 15.0)
    queued = site.gateway.queued()
    wait_until(lambda: site.gateway.queued() > queued + 50, 20.0, "readings meanwhile")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    site.recorder.wait_delivered(200, 15.0)
    site.stop()
    verdict = site.judge()
    assert (verdict.lost, verdict.violations) == ([], [])


@pytest.mark.needs("root")
@pytest.mark.long
def test_no_memory_for_a_while(make_site: MakeSite, tell: Callable[[str], None]) -> None:
    """It lives with what it has, or ends and is started again as systemd does: nothing is lost, no file is damaged."""
    site = make_site(Fleet(devices=10, rate=50))
    site.save_session()
    ends = 0
    for more in (64 * 1024, 256 * 1024, MIB, 2 * MIB):
        if not site.gateway.running:
            site.start()
        site.recorder.wait_delivered(200)
        pid = site.gateway.pid
        before = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (_address_space(pid) + more, before[1]))
        site.broker.kill()
        time.sleep(3.0)  # 1500 readings without a broker
        site.restart_broker()
        time.sleep(3.0)
        if site.gateway.running:
            resource.prlimit(pid, resource.RLIMIT_AS, before)
        else:
            ends += 1
            assert site.gateway.wait() == 1
            site.oracle.look(read_spool(site.gateway.spool))
    verdict = site.finish()
    tell(verdict.line("no memory, 4 times", f"{ends} ends"))
    assert (verdict.lost, verdict.violations) == ([], [])


@pytest.mark.slow
def test_a_device_that_floods_delays_no_other(make_site: MakeSite, times: Times) -> None:
    """10,000 readings a second: capped at its ``max_rate``, the rest counted; the others are as prompt as ever."""
    flood = Fleet(devices=1, rate=10_000, durability="memory").text().replace("devices.d0", "devices.flood")
    site = make_site(Fleet(devices=2, rate=10).text() + flood)
    site.start()
    site.recorder.wait_delivered(100)
    began = time.monotonic()
    seen = len(site.recorder.seqs("d0", site.gateway.run_id))
    wait_until(lambda: len(site.recorder.seqs("flood", site.gateway.run_id)) > times(4000, 100_000), times(20.0, 200.0))
    passed = time.monotonic() - began
    arrived = len(site.recorder.seqs("d0", site.gateway.run_id)) - seen
    site.stop()
    verdict = site.judge()
    dropped = {device: site.recorder.status(device)["dropped"] for device in ("d0", "d1", "flood")}
    assert arrived > times(3, 8) * passed - 6  # of 10 a second; a busy machine misses some by itself
    assert (dropped["d0"], dropped["d1"]) == ({}, {})
    assert dropped["flood"]["rate"] > 1000
    assert [identity for identity in verdict.lost if identity[0] != "flood"] == []
    assert verdict.violations == []
