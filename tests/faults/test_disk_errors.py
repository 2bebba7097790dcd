"""System calls on the spool that fail or take their time: rows 28 and 29."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.faults import Fleet, Site
from support.faults.gateway_process import environment
from support.promises import Promises, check, writer
from support.spool_writer import open_spool
from support.syscalls import record, strace
from support.waiting import wait_until

from gateway.delivery.store import Durability, Row
from gateway.driver import Kind

MakeSite = Callable[..., Site]


@pytest.mark.needs("strace")
@pytest.mark.slow
def test_a_slow_disk(make_site: MakeSite, tmp_path: Path) -> None:
    """A sync of 2 s keeps no device from being read on time, and nothing is dropped."""
    trace = tmp_path / "trace"
    slow = "inject=fdatasync:delay_enter=2000000:when=30"
    wrap = strace([], trace, "-D", "-e", "trace=fdatasync", "-e", slow)  # -D: what is started is the gateway itself
    site = make_site(Fleet(devices=3, rate=40.0), wrap=wrap)
    site.start()
    wait_until(lambda: trace.exists() and trace.read_text().count("(DELAYED)") == 1, 20.0, "a slow sync")
    site.recorder.wait_delivered(100)
    verdict = site.finish()
    status = site.recorder.status("d0")
    assert (status["missed"], status["dropped"]) == (0, {})
    assert status["lateness_ms"]["p99"] < 500
    assert (verdict.lost, verdict.violations) == ([], [])
    assert verdict.accepted == verdict.delivered + verdict.waiting


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.parametrize(
    "injection",
    ["fdatasync:error=EIO:when=9+11", "pwrite64:error=ENOSPC:when=150+170"],
)
def test_a_call_that_fails_now_and_then(place: Path, tmp_path: Path, injection: str) -> None:
    """Rows are written again under the same number: none is lost, and none is there twice."""
    calls = record(writer(place, seed=3, runs=1, rounds=60), tmp_path / "trace", "-e", f"inject={injection}")
    assert sum(call.error is not None and call.file.startswith(str(place / "state")) for call in calls) > 3
    promises = Promises()
    for line in (place / "notes").read_text().splitlines():
        promises.note(line)
    check(place / "state", promises)


DRAIN = """
import json, sys
from pathlib import Path
from gateway.status.alarms import Alarms
from support.publishing import LeapingClock
from support.spool_writer import open_spool
clock, alarms, texts, seqs = LeapingClock(), Alarms(lambda: None), set(), []
spool = open_spool(Path(sys.argv[1]), "again", alarms, clock)
for _ in range(20):
    while chunk := spool.next_chunk(100, 32_000):
        spool.settle(chunk)
        seqs += [row.seq for row in chunk]
    texts.update(alarms.texts())
    clock.skip(6.0)
    spool.tick(clock.boot_ns())
spool.close()
print(json.dumps([seqs, sorted(texts), alarms.texts()]))
"""


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("failing", "salvaged"), [("400..401", False), pytest.param("400..408", True, marks=pytest.mark.long)]
)
def test_a_disk_that_does_not_give_back(place: Path, tmp_path: Path, failing: str, *, salvaged: bool) -> None:
    """Twice is lived with. Three times is damage, and the rest is saved, unless the disk gives back nothing at all."""
    spool = open_spool(place, "early")
    rows = [door(number) for number in range(1, 4001)]
    spool.accept(rows)
    spool.close()
    inject = strace([], tmp_path / "trace", "-e", "trace=pread64", "-e", f"inject=pread64:error=EIO:when={failing}")
    command = [*inject, sys.executable, "-c", DRAIN, str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(tmp_path))
    assert done.returncode == 0, done.stderr
    seqs, texts, left = json.loads(done.stdout)
    assert sorted(seqs) == list(range(1, 4001))
    assert any("disk I/O error; see dmesg, and look at the SD card" in text for text in texts)
    assert ["was damaged" in text for text in left] == [True] * salvaged


def door(number: int) -> Row:
    """A reading."""
    return Row(
        id=number,
        device="door",
        run="early",
        seq=number,
        kind=Kind.EVENT,
        topic="B/door",
        retain=False,
        batched=False,
        body=b'{"seq":%d,"pad":"%s"}' % (number, b"x" * 150),
        boot_ns=number,
        durability=Durability.FULL,
    )
