"""The spool on real files: what it keeps, gives out, drops and saves."""

from __future__ import annotations

import gc
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.spooling import SpoolBench

from gateway.delivery.spool.lock import SpoolError
from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Durability, Row, Unavailable, What

SECOND = 1_000_000_000


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


def test_full_survives_a_kill_right_after_accept(bench: SpoolBench) -> None:
    """It is on disk when ``accept`` returns; so is the last seq, and the run is exact."""
    first = bench.open("r1")
    first.accept([bench.row(number) for number in range(1, 6)])
    bench.kill(first)
    again = bench.open("r2")
    expected = {"run": "r1", "last_seq": {"d": 5}, "exact": True, "queued": 5, "dead": 0, "dropped": 0}
    assert again.runs() == [expected]
    assert (again.highest_id(), everything(again)) == (5, [1, 2, 3, 4, 5])


def test_the_newest_of_this_boot_may_go_live(bench: SpoolBench) -> None:
    """And is given out once: by ``left_over`` or as a late one."""
    first = bench.open("r1")
    first.accept([bench.row(1), bench.row(2, device="e"), bench.row(3)])
    bench.kill(first)
    again = bench.open("r2")
    assert sorted(row.id for row in again.left_over()) == [2, 3]
    assert everything(again) == [1]


def test_what_was_overtaken_in_an_earlier_run_never_goes_live(bench: SpoolBench) -> None:
    """The newest was live and is gone, older ones still wait: the live topic must not run backwards after a restart."""
    first = bench.open("r1")
    rows = [bench.row(number) for number in range(1, 4)]
    first.accept(rows)
    first.demote(rows[:2])
    first.settle(rows[2:])
    bench.clock.advance(5.0)  # the deletion is written
    first.tick(bench.clock.boot_ns())
    bench.kill(first)
    again = bench.open("r2")
    assert again.left_over() == []
    assert everything(again) == [1, 2]


def test_what_was_given_out_comes_again_after_a_drop(bench: SpoolBench) -> None:
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


def test_deletions_travel_with_insertions_or_after_five_seconds(bench: SpoolBench) -> None:
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


def test_spill_writes_only_what_the_broker_leaves(bench: SpoolBench) -> None:
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


def test_spill_writes_once_in_its_time_while_the_broker_is_away(bench: SpoolBench) -> None:
    """Ten readings a second are one commit a second, and none is later than ``spill_after``."""
    spool = bench.open("r1")
    commits = 0
    for number in range(1, 51):
        before = count(bench.path)
        bench.clock.advance(0.1)
        spool.tick(bench.clock.boot_ns())
        commits += count(bench.path) > before
        assert number - 1 - count(bench.path) <= 10
        spool.accept([bench.row(number, durability=Durability.SPILL)])
    assert 4 <= commits <= 5


def test_spill_does_not_hold_what_the_broker_has_acknowledged(bench: SpoolBench) -> None:
    """With ``spill_after`` of an hour, too: they would be a leak of an hour's length."""
    spool = bench.open("r1", spill_after=3600.0)
    rows = [bench.row(number, device="held", durability=Durability.SPILL) for number in range(1, 101)]
    spool.accept(rows)
    spool.settle(rows)
    spool.tick(bench.clock.boot_ns())
    del rows
    # by type(): isinstance would ask every object there is for its class, and some of other tests answer with an error
    assert not [found for found in gc.get_objects() if type(found) is Row and found.device == "held"]


def test_a_second_gateway_is_refused_by_name(bench: SpoolBench) -> None:
    """And the first one is not disturbed."""
    first = bench.open("r1")
    with pytest.raises(SpoolError, match=r"another gateway \(process \d+\) uses this spool"):
        bench.open("r2")
    assert first.accept([bench.row(1)]) == []
    assert count(bench.path) == 1


def test_a_newer_file_is_refused_untouched(bench: SpoolBench) -> None:
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
def test_a_damaged_file_is_set_aside_and_salvaged(bench: SpoolBench, damage: str) -> None:
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


def test_a_flipped_bit_costs_one_reading(bench: SpoolBench) -> None:
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


def test_the_oldest_of_the_largest_device_give_way(bench: SpoolBench) -> None:
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


def test_with_refuse_new_the_newest_give_way(bench: SpoolBench) -> None:
    """What waits stays."""
    spool = bench.open("r1", max_bytes=65_536, refuse_new=True)
    refused: list[Row] = []
    for number in range(1, 1001):
        refused += spool.accept([bench.row(number)])
    assert refused
    assert refused[-1].id == 1000
    assert spool.make_room(lambda _device: None) == []


def test_dead_letters_stay_and_can_be_tried_again(bench: SpoolBench) -> None:
    """Over a restart."""
    first = bench.open("r1")
    rows = [bench.row(1), bench.row(2)]
    first.accept(rows)
    first.bury(rows[:1], "too large")
    first.close()
    again = bench.open("r2")
    assert again.runs()[0]["dead"] == 1
    assert again.care.retry() == {("d", "r1"): 1}
    assert sorted(everything(again)) == [1, 2]
    assert again.status().dead == 0


def test_kept_readings_can_be_sent_again(bench: SpoolBench) -> None:
    """Those taken since then, and no others; after ``keep`` they are gone."""
    spool = bench.open("r1", keep=3600.0)
    old = bench.row(1)
    spool.accept([old])
    bench.clock.advance(600)
    new = bench.row(2, durability=Durability.SPILL)
    spool.accept([new])
    spool.settle([old, new])
    since = bench.clock.wall_ns() - 300 * SECOND
    assert spool.care.resend(since) == {("d", "r1"): 1}
    assert everything(spool) == [2]
    bench.clock.advance(4000)
    spool.tick(bench.clock.boot_ns())
    assert count(bench.path, "kept") == 0


def test_purge_forgets_what_it_is_told(bench: SpoolBench) -> None:
    """Waiting readings, by device and run; each is gone from the file."""
    spool = bench.open("r1")
    late(spool, [bench.row(1), bench.row(2), bench.row(3, device="e")])
    assert spool.care.purge(What.QUEUED) == {("d", "r1"): 2, ("e", "r1"): 1}
    assert (everything(spool), count(bench.path)) == ([], 0)


def test_what_was_dropped_is_known_after_a_kill(bench: SpoolBench) -> None:
    """In this run and in an earlier one, with what was lost before it came to the store."""
    first = bench.open("r1")
    late(first, [bench.row(1), bench.row(2), bench.row(3)])
    bench.kill(first)
    second = bench.open("r2", lost_outside=lambda: {"d": 7})
    late(second, [bench.row(4, run="r2"), bench.row(5, run="r2", device="e")])
    assert second.care.purge(What.QUEUED) == {("d", "r1"): 3, ("d", "r2"): 1, ("e", "r2"): 1}
    bench.kill(second)
    runs = {str(run["run"]): run for run in bench.open("r3").runs()}
    assert {name: (run["queued"], run["dropped"]) for name, run in runs.items()} == {"r1": (0, 3), "r2": (0, 9)}


def test_dead_letters_can_be_deleted(bench: SpoolBench) -> None:
    """From then on they count as dropped, also after a kill; of the run itself and of an earlier one."""
    first = bench.open("r1")
    rows = [bench.row(1), bench.row(2)]
    first.accept(rows)
    first.bury(rows, "too large")
    assert first.care.purge(What.DEAD) == {("d", "r1"): 2}
    rows = [bench.row(3)]
    first.accept(rows)
    first.bury(rows, "too large")
    bench.kill(first)
    second = bench.open("r2")
    assert second.care.purge(What.DEAD) == {("d", "r1"): 1}
    expected = {"run": "r1", "last_seq": {"d": 3}, "exact": True, "queued": 0, "dead": 0, "dropped": 3}
    assert (second.runs(), second.status().dead) == ([expected], 0)
    bench.kill(second)
    assert bench.open("r3").runs()[1] == expected


def test_memory_keeps_its_dead_letters_too(bench: SpoolBench) -> None:
    """Those of a device that is never written: tried again or deleted, as the others."""
    spool = bench.open("r1")
    rows = [bench.row(number, durability=Durability.MEMORY) for number in (1, 2)]
    spool.accept(rows)
    spool.bury(rows, "too large")
    assert spool.status().dead == 2
    assert spool.care.retry() == {("d", "r1"): 2}
    assert (spool.status().dead, spool.queued, everything(spool)) == (0, 2, [1, 2])
    spool.bury(rows[:1], "too large")
    assert spool.care.purge(What.DEAD) == {("d", "r1"): 1}
    assert (spool.status().dead, spool.queued) == (0, 1)


def test_nothing_is_done_while_the_disk_refuses(bench: SpoolBench) -> None:
    """And it is said."""
    spool = bench.open("r1")
    assert spool.disk.file is not None
    spool.disk.file.close()
    spool.disk.file = None
    for ask in (spool.care.retry, lambda: spool.care.resend(0), lambda: spool.care.purge(What.DEAD)):
        with pytest.raises(Unavailable):
            ask()


def test_rows_of_a_skipped_device_wait_and_others_go(bench: SpoolBench) -> None:
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
from typing import Any
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.path.insert(0, sys.argv[2])
from support.spooling import SpoolBench
bench = SpoolBench(Path(sys.argv[1]))
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


def test_the_age_of_the_oldest_is_that_of_the_oldest_on_disk(bench: SpoolBench) -> None:
    """Whoever has it now: after an outage it is not the age of what happens to be under way."""
    spool = bench.open("r1")
    rows = []
    for number in range(1, 1001):
        rows.append(bench.row(number))
        bench.clock.advance(1)
    spool.accept(rows)
    spool.demote(rows)
    assert spool.status().oldest_boot_ns == rows[0].boot_ns
    out = spool.next_chunk(100, 10_000)
    spool.settle(out)
    assert spool.status().oldest_boot_ns == rows[len(out)].boot_ns


def test_the_age_of_a_row_of_an_earlier_boot_is_by_the_wall_clock(bench: SpoolBench) -> None:
    """The boot clock of then says nothing now; one that lies ahead of the wall clock has no age."""
    first = bench.open("r1")
    first.accept([bench.row(1)])
    bench.kill(first)
    bench.clock.advance(3600)
    again = bench.open("r2", boot_id="another")
    oldest = again.status().oldest_boot_ns
    assert oldest is not None
    assert bench.clock.boot_ns() - oldest == 3600 * SECOND
    bench.clock.set_wall("1970-01-01T00:00:00+00:00")
    assert again.status().oldest_boot_ns == bench.clock.boot_ns()
