"""A spool that has filled for two days (row 26)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.faults import Fleet, Site, read_spool
from support.faults.prefill import RUN, prefill
from support.waiting import wait_until

MakeSite = Callable[..., Site]
Times = Callable[[float, float], Any]
MIB = 1024 * 1024


@pytest.mark.slow
def test_a_large_backlog_drains_in_order_beside_live_readings(
    make_site: MakeSite, times: Times, tell: Callable[[str], None]
) -> None:
    """Oldest first, in constant memory, and new readings of the same device are on the live topic at once."""
    count = times(10_000, 1_000_000)
    site = make_site(Fleet(devices=2, rate=10))
    prefill(site.gateway.spool, "d0", count)
    site.oracle.look(read_spool(site.gateway.spool))
    site.start()
    site.recorder.wait_delivered(count // 10, 60.0)
    before = site.gateway.rss()
    wait_until(lambda: len(site.recorder.seqs("d0", RUN)) > 0.9 * count, times(30.0, 900.0), "most of the backlog")
    grown = site.gateway.rss() - before
    wait_until(lambda: len(site.recorder.seqs("d0", RUN)) == count, 60.0, "all of it")
    site.stop()
    verdict = site.judge()
    slowest = site.recorder.record.slowest_live
    tell(verdict.line(f"a backlog of {count}", f"memory grew by {grown / MIB:.1f} MiB, slowest live {slowest:.2f} s"))
    assert site.recorder.seqs("d0", RUN) == list(range(1, count + 1))
    assert (verdict.lost, verdict.violations, verdict.duplicates) == ([], [], 0)
    assert grown < 8 * MIB
    assert slowest < 2.0
