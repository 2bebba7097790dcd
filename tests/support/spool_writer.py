"""A program that uses the spool as the gateway does, and notes what it was promised.

``python -m support.spool_writer FOLDER NOTES SEED RUNS ROUNDS`` is made to be run under strace. Each start of the
gateway is a process of its own that ends cleanly or at once. What it notes: ``try`` before rows are given to the spool,
``have`` once the spool has promised them, ``done`` before it settles rows.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Iterable
from pathlib import Path

from gateway.clocks import Clock
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Durability, Row
from gateway.driver import Kind
from gateway.status.alarms import Alarms
from support.publishing import LeapingClock

DEVICES = ("door", "hall", "attic", "cellar", "tank")


def open_spool(
    folder: Path, run: str, alarms: Alarms | None = None, clock: Clock | None = None, *, keep: float = 0.0
) -> Spool:
    """The product's spool in a folder, for a run of this name."""
    clock = clock or LeapingClock()
    return Spool(
        Disk(folder / "spool.db", clock, alarms or Alarms(lambda: None)),
        clock,
        run=run,
        boot_id="boot",
        exact=True,
        max_bytes=1 << 30,
        memory_bytes=1 << 24,
        spill_after=0.0,
        keep=keep,
    )


class Writer:
    """One run."""

    def __init__(self, folder: Path, notes: int, run: str, rng: random.Random) -> None:
        self._clock = LeapingClock()
        self._spool = open_spool(folder, run, clock=self._clock, keep=rng.choice((0.0, 3600.0)))
        self._notes = notes
        self._run = run
        self._rng = rng
        self._id = self._spool.highest_id()
        self._seqs = dict.fromkeys(DEVICES, 0)
        self._fresh = self._spool.left_over()
        self._spilling: list[Row] = []
        self._done: set[int] = set()

    def round(self) -> None:
        """Some readings in, and something done with those that are there."""
        rng = self._rng
        rows = [self._row() for _ in range(rng.choice((1, 1, 2, 5, 20)))]
        self._note("try", rows)
        self._spool.accept(rows)
        self._note("have", [row for row in rows if row.stored])
        self._fresh += rows
        self._spilling += [row for row in rows if not row.stored]
        rng.choice((self._acknowledge, self._acknowledge, self._find_late, self._send_late, self._bury, self._tick))()

    def end(self, *, cleanly: bool) -> None:
        """As after SIGTERM, or with nothing said."""
        if cleanly:
            self._spool.close()

    def _row(self) -> Row:
        rng = self._rng
        device = rng.choice(DEVICES)
        self._id += 1
        self._seqs[device] += 1
        seq = self._seqs[device]
        body = {"run": self._run, "seq": seq, "device": device, "pad": "x" * rng.randint(0, 300)}
        return Row(
            id=self._id,
            device=device,
            run=self._run,
            seq=seq,
            kind=Kind.EVENT if device == "door" else Kind.SAMPLED,
            topic=f"B/{device}",
            retain=device != "door",
            batched=False,
            body=json.dumps(body).encode(),
            boot_ns=self._clock.boot_ns(),
            wall_ns=self._clock.wall_ns(),
            durability=Durability.SPILL if device == "tank" else Durability.FULL,
        )

    def _some_fresh(self) -> list[Row]:
        count = self._rng.randint(0, len(self._fresh))
        some, self._fresh = self._fresh[:count], self._fresh[count:]
        return some

    def _acknowledge(self) -> None:
        rows = self._some_fresh()
        self._settle(rows)

    def _find_late(self) -> None:
        self._spool.demote(self._some_fresh())

    def _send_late(self) -> None:
        rows = self._spool.next_chunk(50, 8000)
        count = self._rng.randint(0, len(rows))
        self._settle(rows[:count])
        self._spool.give_back(rows[count:])

    def _settle(self, rows: list[Row]) -> None:
        self._note("done", rows)
        self._done.update(row.id for row in rows)
        self._spool.settle(rows)

    def _bury(self) -> None:
        rows = [row for row in self._fresh[:2] if row.stored]
        self._fresh = [row for row in self._fresh if row not in rows]
        if rows:
            self._spool.bury(rows, "not wanted")

    def _tick(self) -> None:
        """Later: what the disk has refused before is tried again."""
        self._clock.skip(6.0)
        self._spool.tick(self._clock.boot_ns())
        self._note("have", [row for row in self._spilling if row.stored and row.id not in self._done])
        self._spilling = []

    def _note(self, word: str, rows: Iterable[Row]) -> None:
        note(self._notes, word, rows)


def note(notes: int, word: str, rows: Iterable[Row]) -> None:
    """Write a note in one call: its place among the others is what counts."""
    os.write(notes, json.dumps([word, [[row.run, row.device, row.seq] for row in rows]]).encode() + b"\n")


def main(folder: str, notes: str, seed: str, runs: str, rounds: str) -> None:
    """Each run in a process of its own: what a process leaves behind when it is gone is part of it."""
    for number in range(int(runs)):
        child = os.fork()
        if child == 0:
            rng = random.Random(f"{seed}.{number}")
            descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            writer = Writer(Path(folder), descriptor, f"run{number}", rng)
            for _ in range(int(rounds)):
                writer.round()
            writer.end(cleanly=rng.random() < 0.5)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
