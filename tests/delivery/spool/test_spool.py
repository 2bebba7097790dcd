"""The spool on real files: what it keeps, gives out, drops and saves."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import FakeClock

from gateway.delivery.spool import care
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.lock import SpoolError
from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Durability, Row
from gateway.driver import Kind
from gateway.status.alarms import Alarms

SECOND = 1_000_000_000


class Bench:
    """Opens the same spool again and again, as runs of the gateway do."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state" / "spool.db"
        self.clock = FakeClock()
        self.alarms = Alarms(lambda: None)
        self._open: list[Spool] = []

    def open(self, run: str, *, max_bytes: int = 10_000_000, refuse_new: bool = False, keep: float = 0.0) -> Spool:
        """A run begins."""
        spool = Spool(
            Disk(self.path, self.clock, self.alarms),
            self.clock,
            run=run,
            boot_id="boot",
            exact=True,
            max_bytes=max_bytes,
            memory_bytes=1_000_000,
            refuse_new=refuse_new,
            keep=keep,
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


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench in a folder of its own."""
    made = Bench(tmp_path)
    yield made
    made.end()


def everything(spool: Spool) -> list[int]:
    """Take out all late rows; their ids."""
    ids: list[int] = []
    while chunk := spool.next_chunk(7, 10_000):
        ids += [row.id for row in chunk]
    return ids


def late(spool: Spool, rows: list[Row]) -> None:
    """Accept rows and find them late at once."""
    assert spool.accept(rows) == []
    spool.demote(rows)


def test_full_survives_a_kill_right_after_accept(bench: Bench) -> None:
    """It is on disk when ``accept`` returns; so is the last seq, and the run is exact."""
    first = bench.open("r1")
    first.accept([bench.row(number) for number in range(1, 6)])
    bench.kill(first)
    again = bench.open("r2")
    expected = {"run": "r1", "last_seq": {"d": 5}, "exact": True, "queued": 5, "dead": 0, "dropped": 0}
    assert again.runs() == [expected]
    assert (again.highest_id(), everything(again)) == (5, [1, 2, 3, 4, 5])


def test_the_newest_of_this_boot_may_go_live(bench: Bench) -> None:
    """And is given out once: by ``left_over`` or as a late one."""
    first = bench.open("r1")
    first.accept([bench.row(1), bench.row(2, device="e"), bench.row(3)])
    bench.kill(first)
    again = bench.open("r2")
    assert sorted(row.id for row in again.left_over()) == [2, 3]
    assert everything(again) == [1]


def test_what_was_given_out_comes_again_after_a_drop(bench: Bench) -> None:
    """The same rows with the same bytes, without those that were settled, oldest first."""
    spool = bench.open("r1")
    rows = [bench.row(number) for number in range(1, 21)]
    late(spool, rows)
    bodies = {row.id: row.body for row in rows}
    out = [row for _ in range(3) for row in spool.next_chunk(5, 10_000)]
    spool.settle(out[:5])
    spool.rewind()
    again = []
    while chunk := spool.next_chunk(5, 10_000):
        again += chunk
    assert [row.id for row in again] == list(range(6, 21))
    assert all(bodies[row.id] == row.body for row in again)


def test_deletions_travel_with_insertions_or_after_five_seconds(bench: Bench) -> None:
    """An acknowledgement costs no write of its own."""
    spool = bench.open("r1")
    rows = [bench.row(1), bench.row(2)]
    spool.accept(rows)
    spool.settle(rows)
    assert count(bench.path) == 2
    bench.clock.advance(4.9)
    spool.tick(bench.clock.boot_ns())
    assert count(bench.path) == 2
    bench.clock.advance(0.2)
    spool.tick(bench.clock.boot_ns())
    assert count(bench.path) == 0


def count(path: Path, table: str = "log") -> int:
    """Rows in the file, read by somebody else."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return int(db.execute(f"SELECT count(*) FROM {table} WHERE id > 0").fetchone()[0])
    finally:
        db.close()


def test_spill_writes_only_what_the_broker_leaves(bench: Bench) -> None:
    """Acknowledged in time: nothing on disk. After ``spill_after``, and at the end, it is."""
    spool = bench.open("r1")
    rows = [bench.row(number, durability=Durability.SPILL) for number in (1, 2, 3)]
    spool.accept(rows)
    spool.settle(rows[:1])
    bench.clock.advance(0.9)
    spool.tick(bench.clock.boot_ns())
    assert count(bench.path) == 0
    bench.clock.advance(0.2)
    spool.tick(bench.clock.boot_ns())
    assert count(bench.path) == 2
    spool.accept([bench.row(4, durability=Durability.SPILL), bench.row(5, durability=Durability.MEMORY)])
    spool.close()
    assert (count(bench.path), spool.unsaved) == (3, 1)


def test_a_second_gateway_is_refused_by_name(bench: Bench) -> None:
    """And the first one is not disturbed."""
    first = bench.open("r1")
    with pytest.raises(SpoolError, match=r"another gateway \(process \d+\) uses this spool"):
        bench.open("r2")
    assert first.accept([bench.row(1)]) == []
    assert count(bench.path) == 1


def test_a_newer_file_is_refused_untouched(bench: Bench) -> None:
    """Byte for byte."""
    bench.open("r1").close()
    db = sqlite3.connect(bench.path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = bench.path.read_bytes()
    with pytest.raises(SpoolError, match="from a newer sensorpost"):
        bench.open("r2")
    assert bench.path.read_bytes() == before


@pytest.mark.parametrize("damage", ["garbage", "header", "pages", "short"])
def test_a_damaged_file_is_set_aside_and_salvaged(bench: Bench, damage: str) -> None:
    """The gateway starts, says so, keeps the old file, and takes new readings."""
    first = bench.open("r1")
    first.accept([bench.row(number) for number in range(1, 201)])
    first.close()
    content = bytearray(bench.path.read_bytes())
    if damage == "garbage":
        content = bytearray(b"no database at all" * 100)
    elif damage == "header":
        content[:100] = bytes(100)
    elif damage == "pages":
        content[40 * 512 : 44 * 512] = b"\xa5" * 2048
    else:
        del content[len(content) // 2 :]
    bench.path.write_bytes(content)
    again = bench.open("r2")
    assert "the spool was damaged" in bench.alarms.texts()[0]
    assert len(list(bench.path.parent.glob("spool.db.damaged-*Z"))) == 1
    assert again.accept([bench.row(1000, run="r2")]) == []
    saved = everything(again)
    if damage == "pages":
        assert 100 <= len(saved) < 200
        assert saved == sorted(saved)


def test_a_flipped_bit_costs_one_reading(bench: Bench) -> None:
    """Its CRC is wrong: it is a dead letter, and the others flow."""
    first = bench.open("r1")
    first.accept([bench.row(number) for number in (1, 2, 3)])
    first.close()
    content = bench.path.read_bytes()
    at = content.index(b'"seq":2')
    bench.path.write_bytes(content[: at + 6] + b"7" + content[at + 7 :])
    again = bench.open("r2")
    assert everything(again) == [1, 3]
    status = again.status()
    assert (status.queued, status.dead) == (2, 1)


def test_the_oldest_of_the_largest_device_give_way(bench: Bench) -> None:
    """The size limit holds, and the device with little loses nothing."""
    spool = bench.open("r1", max_bytes=65_536)
    late(spool, [bench.row(1, device="small")])
    dropped: list[Row] = []
    for first in range(2, 1002, 100):
        late(spool, [bench.row(number, device="big") for number in range(first, first + 100)])
        dropped += spool.make_room(lambda _device: None)
    assert {row.device for row in dropped} == {"big"}
    assert [row.id for row in dropped] == list(range(2, 2 + len(dropped)))
    assert spool.status().queued == 1001 - len(dropped)
    assert spool.status().bytes <= 65_536 + 1024


def test_with_refuse_new_the_newest_give_way(bench: Bench) -> None:
    """What waits stays."""
    spool = bench.open("r1", max_bytes=65_536, refuse_new=True)
    refused: list[Row] = []
    for number in range(1, 1001):
        refused += spool.accept([bench.row(number)])
    assert refused
    assert refused[-1].id == 1000
    assert spool.make_room(lambda _device: None) == []


def test_dead_letters_stay_and_can_be_tried_again(bench: Bench) -> None:
    """Over a restart."""
    first = bench.open("r1")
    rows = [bench.row(1), bench.row(2)]
    first.accept(rows)
    first.bury(rows[:1], "too large")
    first.close()
    again = bench.open("r2")
    assert again.runs()[0]["dead"] == 1
    assert care.retry(again) == {("d", "r1"): 1}
    assert sorted(everything(again)) == [1, 2]
    assert again.status().dead == 0


def test_kept_readings_can_be_sent_again(bench: Bench) -> None:
    """Those taken since then, and no others; after ``keep`` they are gone."""
    spool = bench.open("r1", keep=3600.0)
    old = bench.row(1)
    spool.accept([old])
    bench.clock.advance(600)
    new = bench.row(2, durability=Durability.SPILL)
    spool.accept([new])
    spool.settle([old, new])
    since = bench.clock.wall_ns() - 300 * SECOND
    assert care.resend(spool, since) == {("d", "r1"): 1}
    assert everything(spool) == [2]
    bench.clock.advance(4000)
    spool.tick(bench.clock.boot_ns())
    assert count(bench.path, "kept") == 0


def test_purge_forgets_what_it_is_told(bench: Bench) -> None:
    """Waiting readings, by device and run; each is gone from the file."""
    spool = bench.open("r1")
    late(spool, [bench.row(1), bench.row(2), bench.row(3, device="e")])
    assert care.purge(spool, "queued") == {("d", "r1"): 2, ("e", "r1"): 1}
    assert (everything(spool), count(bench.path)) == ([], 0)


def test_rows_of_a_skipped_device_wait_and_others_go(bench: Bench) -> None:
    """A topic that the broker does not allow holds back itself alone."""
    spool = bench.open("r1")
    late(spool, [bench.row(1, device="held"), bench.row(2), bench.row(3, device="held")])
    assert [row.id for row in spool.next_chunk(10, 10_000, skip=["held"])] == [2]
    assert spool.next_chunk(10, 10_000, skip=["held"]) == []
    bench.clock.advance(2)
    assert [row.id for row in spool.next_chunk(10, 10_000)] == [1, 3]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.path.insert(0, sys.argv[2])
from test_spool import Bench
bench = Bench(Path(sys.argv[1]))
spool = bench.open("r1")
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
rows = [bench.row(number) for number in range(1, 1001)]
for row in rows:
    assert spool.accept([row]) == []
assert spool.status().state == "memory", spool.status()
assert "kept in memory only" in bench.alarms.texts()[0]
assert spool.status().queued == 1000
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
bench.clock.advance(6)
spool.tick(bench.clock.boot_ns())
assert spool.status().state == "ok", spool.status()
assert bench.alarms.texts() == [], bench.alarms.texts()
assert spool.status().queued == 1000, spool.status()
spool.close()
again = bench.open("r2")
assert again.runs()[0]["queued"] == 1000, again.runs()
"""


def test_a_disk_that_refuses_is_lived_with(tmp_path: Path, python: Callable[[str], None]) -> None:
    """Readings go on in memory with an alarm, and everything is on disk once it takes them again."""
    del tmp_path
    python(FULL_DISK)


@pytest.fixture
def python(tmp_path: Path) -> Callable[[str], None]:
    """Run code in a process of its own, where a limit hurts nobody else."""

    def run(code: str) -> None:
        here = Path(__file__)
        root = here.parents[3]
        paths = f"import sys; sys.path[:0] = [{str(root)!r}, {str(root / 'tests')!r}]\n"
        command = [sys.executable, "-c", paths + code, str(tmp_path), str(here.parent)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr

    return run
