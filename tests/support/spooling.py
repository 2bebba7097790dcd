"""A spool on a real file that is opened again and again, as runs of the gateway do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Durability, Row
from gateway.driver import Kind
from gateway.status.alarms import Alarms
from support.clock import FakeClock


class SpoolBench:
    """Its folder, clock and alarms. ``end`` closes what is open."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state" / "spool.db"
        self.clock = FakeClock()
        self.alarms = Alarms(lambda: None)
        self._open: list[Spool] = []

    def open(self, run: str, *, max_bytes: int = 10_000_000, boot_id: str = "boot", **more: Any) -> Spool:
        """A run begins."""
        spool = Spool(
            Disk(self.path, self.clock, self.alarms),
            self.clock,
            run=run,
            boot_id=boot_id,
            exact=True,
            max_bytes=max_bytes,
            memory_bytes=1_000_000,
            **more,
        )
        self._open.append(spool)
        return spool

    def kill(self, spool: Spool) -> None:
        """What is left of a gateway that was killed: its descriptors are closed, and nothing was said."""
        spool.disk.close()

    def row(self, number: int, *, run: str = "r1", device: str = "d", durability: Durability = Durability.FULL) -> Row:
        """A reading with ``seq`` = ``number``."""
        return Row(
            id=number,
            device=device,
            run=run,
            seq=number,
            kind=Kind.SAMPLED,
            topic=f"B/{device}",
            retain=True,
            batched=False,
            body=b'{"seq":%d,"pad":"%s"}' % (number, b"x" * 60),
            boot_ns=self.clock.boot_ns(),
            wall_ns=self.clock.wall_ns(),
            durability=durability,
        )

    def end(self) -> None:
        """Close what is open."""
        for spool in self._open:
            spool.disk.close()
