"""What a writer was promised, held against what is in the spool after a power cut or a kill."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Durability, Row
from gateway.driver import Kind
from gateway.status.alarms import Alarms
from support.power_cut import ForgetfulDisk
from support.spool_writer import open_spool
from support.syscalls import Call

Identity = tuple[str, str, int]
"""(run, device, seq)."""


@dataclass
class Promises:
    """What :mod:`support.spool_writer` has noted."""

    tried: set[Identity] = field(default_factory=set)
    kept: set[Identity] = field(default_factory=set)
    """Promised and not acknowledged."""
    damage: bool = False
    """Whether the spool was damaged before."""

    def note(self, line: bytes | str) -> None:
        """Take one note."""
        word, rows = json.loads(line)
        identities = {(run, device, seq) for run, device, seq in rows}
        if word == "try":
            self.tried |= identities
        elif word == "have":
            self.kept |= identities
        else:
            self.kept -= identities


def writer(place: Path, seed: int, runs: int, rounds: int) -> list[str]:
    """The command of a writer; its spool is in ``state``, its notes in ``notes``."""
    (place / "state").mkdir(exist_ok=True)
    arguments = [str(place / "state"), str(place / "notes"), str(seed), str(runs), str(rounds)]
    return [sys.executable, "-m", "support.spool_writer", *arguments]


def content(spool: Spool) -> dict[Identity, bytes]:
    """Everything that the spool gives out: what waits, dead letters, and what it keeps for ``resend``."""
    rows = spool.left_over()
    spool.care.retry()
    spool.care.resend(0)
    while chunk := spool.next_chunk(1000, 1_000_000):
        rows += chunk
    identities = [(row.run, row.device, row.seq) for row in rows]
    assert len(identities) == len(set(identities)), "a reading is there twice"
    return dict(zip(identities, (row.body for row in rows), strict=True))


def lay_out(folder: Path, left: dict[str, bytes]) -> None:
    """Make a folder with these files."""
    folder.mkdir(mode=0o700)
    for name, data in left.items():
        (folder / name).write_bytes(data)


def check(folder: Path, promises: Promises) -> None:
    """Open a spool as the next start does, and compare it with the promises."""
    alarms = Alarms(lambda: None)
    spool = open_spool(folder, "after", alarms, keep=3600.0)
    try:
        wrong = [text for text in alarms.texts() if not (promises.damage and "was damaged" in text)]
        assert (wrong, spool.status().state) == ([], "ok")
        there = content(spool)
        assert promises.kept - set(there) == set(), "promised, and lost"
        assert set(there) - promises.tried == set(), "nobody has ever given these to the spool"
        for (run, device, seq), body in there.items():
            value = json.loads(body)
            assert (value["run"], value["device"], value["seq"]) == (run, device, seq)
        known = {str(run["run"]): run["last_seq"] for run in spool.runs()}
        for run, device, seq in promises.kept:
            assert known[run][device] >= seq, "the end of a run is not known"  # type: ignore[index]
        row = Row(1 << 40, "door", "after", 1, Kind.EVENT, "B/door", False, False, b"{}", 1, durability=Durability.FULL)
        assert spool.accept([row]) == []
        spool.close()
    finally:
        spool.disk.close()
    with contextlib.closing(sqlite3.connect(folder / "spool.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def damaged_spool(place: Path) -> Promises:
    """A damaged spool in ``state``, the same in ``before``, and what a salvage can read of it."""
    spool = open_spool(place / "state", "early")
    numbers = range(1, 201)
    rows = [
        Row(
            id=number,
            device="hall",
            run="early",
            seq=number,
            kind=Kind.SAMPLED,
            topic="B/hall",
            retain=True,
            batched=False,
            body=json.dumps({"run": "early", "device": "hall", "seq": number, "pad": "x" * 100}).encode(),
            boot_ns=number,
            durability=Durability.FULL,
        )
        for number in numbers
    ]
    spool.accept(rows)
    spool.bury(rows[:20], "not wanted")
    spool.close()
    database = place / "state" / "spool.db"
    with database.open("r+b") as file:
        file.seek(512 * (database.stat().st_size // 1024))
        file.write(b"\xa5" * 1024)
    shutil.copytree(place / "state", place / "before")
    shutil.copytree(place / "state", place / "trial")
    trial = open_spool(place / "trial", "trial", keep=3600.0)
    saved = set(content(trial))
    trial.close()
    shutil.rmtree(place / "trial")
    assert 150 < len(saved) < 200
    return Promises({("early", "hall", number) for number in numbers}, saved, damage=True)


class Campaign:
    """One recording, cut again and again."""

    def __init__(
        self, place: Path, calls: Sequence[Call], rng: random.Random, *, before: Promises | None = None
    ) -> None:
        """``before``: what was promised before the recording; the folder ``before`` is then how it found things."""
        self._place = place
        self._calls = calls
        self._rng = rng
        self._before = before or Promises()
        self.at_risk = 0
        """Cuts at which something was not synced."""
        self.looked_for = 0
        """Readings that were promised, over all cuts."""
        self.cuts = 0

    def run(self, count: int) -> None:
        """Cut so many times: half of them anywhere, half where something other than the log is written."""
        steps = [step for step, _disk, _promises in self._follow()]
        rare = [step for step in steps if not step.endswith("pwrite64 spool.db-wal")]
        where = {*self._rng.sample(steps, min(len(steps), count - count // 2))}
        where |= {*self._rng.sample(rare, min(len(rare), count // 2))}
        for step, disk, promises in self._follow():
            if step in where:
                kills = self._rng.random() < 0.1
                self._try(step, disk.after_kill() if kills else disk.after_cut(self._rng), promises)
                self.at_risk += disk.unsafe_bytes > 0

    def kill(self, most: int) -> None:
        """The process ends after so many of the calls, or each of them in turn, and the machine goes on."""
        steps = [step for step, _disk, _promises in self._follow()]
        where = set(self._rng.sample(steps, min(most, len(steps))))
        for step, disk, promises in self._follow():
            if step in where:
                self._try(step, disk.after_kill(), promises)

    def steps(self) -> list[tuple[str, int]]:
        """Each call that has changed something: its name, and the how manieth of that name in its process it was."""
        counts: Counter[tuple[int, str]] = Counter()
        found: list[tuple[str, int]] = []
        disk = self._disk()
        for call in self._calls:
            counts[call.process, call.name] += 1
            if disk.follow(call):
                found.append((call.name, counts[call.process, call.name]))
        return found

    def summary(self, what: str) -> str:
        """For people."""
        return f"{what}: {self.cuts} cuts, {self.at_risk} with unsynced bytes, {self.looked_for} readings, 0 lost"

    def _follow(self) -> Iterator[tuple[str, ForgetfulDisk, Promises]]:
        """After each call that has changed something: which one, the disk, and what was promised until then."""
        notes = str(self._place / "notes")
        disk = self._disk()
        promises = Promises(set(self._before.tried), set(self._before.kept), self._before.damage)
        for number, call in enumerate(self._calls):
            if call.file == notes and call.name == "write":
                promises.note(call.strings[0])
            if disk.follow(call):
                yield f"call {number}: {call.name} {_name(call)}", disk, promises

    def _disk(self) -> ForgetfulDisk:
        before = self._place / "before"
        return ForgetfulDisk(self._place / "state", sorted(before.iterdir()) if before.exists() else ())

    def _try(self, step: str, left: dict[str, bytes], promises: Promises) -> None:
        folder = self._place / "after"
        lay_out(folder, left)
        try:
            check(folder, promises)
        except AssertionError as exc:
            raise AssertionError(f"after {step}: {exc}") from exc
        shutil.rmtree(folder)
        self.cuts += 1
        self.looked_for += len(promises.kept)


def _name(call: Call) -> str:
    return Path(call.file or call.strings[-1].decode()).name
