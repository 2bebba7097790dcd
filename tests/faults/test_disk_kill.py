"""kill -9 at any system call while the spool is made, brought up to date, or salvaged (fault 36)."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.faults.gateway_process import environment
from support.old_spool import make_version_1
from support.promises import Campaign, Promises, check, damaged_spool, writer
from support.syscalls import record, strace


def no_spool(place: Path) -> Promises:
    """The first start."""
    for name in ("state", "before"):
        (place / name).mkdir()
    return Promises()


def old_spool(place: Path) -> Promises:
    """One of the first version, with readings that wait and dead letters."""
    for name in ("state", "before"):
        (place / name).mkdir()
        make_version_1(place / name / "spool.db", rows=30)
    rows = {("k7fp2qza", "d", number) for number in range(1, 31)}
    return Promises(set(rows), set(rows))


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.parametrize("prepare", [no_spool, old_spool, damaged_spool])
def test_the_next_start_accepts_what_a_kill_leaves(
    tmp_path: Path, place: Path, prepare: Callable[[Path], Promises], times: Callable[[int, int], Any]
) -> None:
    """Nothing is lost. Shown with a real SIGKILL, and by replay of the calls; with ``--long`` for all of them."""
    promises = prepare(place)
    environ = environment(tmp_path)
    command = writer(place, seed=1, runs=1, rounds=1)
    campaign = Campaign(place, record(command, tmp_path / "trace"), random.Random(), before=promises)
    campaign.kill(times(20, 10_000))
    steps = campaign.steps()
    assert len(steps) > 40
    for name, number in random.sample(steps, times(1, len(steps))):
        shutil.rmtree(place / "state")
        shutil.copytree(place / "before", place / "state")
        (place / "notes").unlink(missing_ok=True)
        kill = f"inject={name}:signal=KILL:when={number}"
        trace = tmp_path / f"{name}-{number}"
        killed = strace(command, trace, "-e", f"trace={name}", "-e", kill)
        subprocess.run(killed, check=False, capture_output=True, env=environ)
        assert "killed by SIGKILL" in trace.read_text()
        after = Promises(set(promises.tried), set(promises.kept), promises.damage)
        for line in (place / "notes").read_text().splitlines() if (place / "notes").exists() else ():
            after.note(line)
        check(place / "state", after)
