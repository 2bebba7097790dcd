"""A spool that holds what a gateway has read in hours without a broker."""

from __future__ import annotations

from pathlib import Path

from gateway.clocks import SystemClock
from gateway.delivery.payload import rfc3339
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Durability, Row
from gateway.driver import Kind
from gateway.status.alarms import Alarms
from support.faults.configs import BASE

RUN = "prefill1"
AT_ONCE = 1000


def prefill(spool: Path, device: str, count: int) -> None:
    """Make a spool with ``count`` readings of a device, by a run of an earlier boot that was ended cleanly."""
    clock = SystemClock()
    store = Spool(
        Disk(spool, clock, Alarms(lambda: None)),
        clock,
        run=RUN,
        boot_id="an earlier boot",
        exact=True,
        max_bytes=10**9,
        memory_bytes=10**9,
    )
    wall_ns = clock.wall_ns()
    for first in range(1, count + 1, AT_ONCE):
        rows = [_row(device, seq, wall_ns) for seq in range(first, min(first + AT_ONCE, count + 1))]
        store.accept(rows)
        store.demote(rows)
    store.close()


def _row(device: str, seq: int, wall_ns: int) -> Row:
    return Row(
        id=seq,
        device=device,
        run=RUN,
        seq=seq,
        kind=Kind.SAMPLED,
        topic=f"{BASE}/{device}",
        retain=True,
        batched=False,
        body=b'{"time":"%s","run":"%s","seq":%d,"n":%d.0}' % (rfc3339(wall_ns).encode(), RUN.encode(), seq, seq - 1),
        boot_ns=seq,
        wall_ns=wall_ns,
        durability=Durability.FULL,
    )
