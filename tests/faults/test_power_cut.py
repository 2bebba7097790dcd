"""The power goes while the spool is written (fault 35): every reading that was promised is there afterwards.

A real writer runs under strace; its system calls are replayed onto a disk that forgets. 30 cuts, 300 with ``--long``;
``POWER_CUTS=1000`` sets the number.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.faults import Fleet, config
from support.faults.gateway_process import COMMAND
from support.power_cut import ForgetfulDisk
from support.promises import Campaign, content, damaged_spool, lay_out, writer
from support.spool_writer import open_spool
from support.syscalls import CHANGES, record

Times = Callable[[int, int], Any]
Tell = Callable[[str], None]


@pytest.fixture
def rng() -> random.Random:
    """Chance, with a seed that is shown when the test fails."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 (pytest shows it)
    return random.Random(seed)


@pytest.fixture
def count(times: Times) -> int:
    """How many cuts."""
    return int(os.environ.get("POWER_CUTS") or times(30, 300))


@pytest.mark.needs("strace")
@pytest.mark.slow
def test_what_was_promised_survives_a_power_cut(place: Path, rng: random.Random, count: int, tell: Tell) -> None:
    """Unsynced writes are dropped, reordered and torn, or only the process goes; nothing is lost, nothing damaged."""
    calls = record(writer(place, rng.randrange(1 << 32), runs=3, rounds=min(400, 60 + count)), place / "trace")
    campaign = Campaign(place, calls, rng)
    campaign.run(count)
    assert campaign.at_risk >= count // 5, "hardly a cut fell where something was at risk"
    tell(campaign.summary("power cuts under load"))


@pytest.mark.needs("strace")
@pytest.mark.slow
def test_a_sync_that_failed_before_the_power_cut_loses_nothing(
    place: Path, rng: random.Random, count: int, tell: Tell
) -> None:
    """The kernel shows what it could not write, and never writes it: what is promised later must not stand on it."""
    command = writer(place, rng.randrange(1 << 32), runs=2, rounds=min(300, 60 + count))
    calls = record(command, place / "trace", "-e", f"inject=fdatasync:error=EIO:when={rng.randint(8, 20)}+7")
    assert sum(call.error == "EIO" for call in calls) >= 5
    campaign = Campaign(place, calls, rng)
    campaign.run(count // 3)
    tell(campaign.summary("power cuts after failed syncs"))


@pytest.mark.needs("strace")
@pytest.mark.slow
def test_a_power_cut_in_a_salvage_costs_no_more_than_the_damage(
    place: Path, rng: random.Random, count: int, tell: Tell
) -> None:
    """What can be read of a damaged spool can be read again, or is in the new one."""
    before = damaged_spool(place)
    calls = record(writer(place, rng.randrange(1 << 32), runs=1, rounds=10), place / "trace")
    campaign = Campaign(place, calls, rng, before=before)
    campaign.run(count // 3)
    tell(campaign.summary("power cuts in a salvage"))


PUBLISHED = re.compile(rb"sensorpost/fault/(\w+).{2,9}?\{\"time\":[^}]*?\"run\":\"(\w+)\",\"seq\":(\d+)", re.DOTALL)


@pytest.mark.needs("strace")
@pytest.mark.slow
def test_nothing_is_sent_before_it_is_safe(
    place: Path, rng: random.Random, count: int, fake: Callable[..., FakeBroker], tell: Tell
) -> None:
    """The whole gateway, and a broker that acknowledges no reading: each that it was sent is there after a cut."""
    broker = fake(Script(answer=lambda publish: None if b'"seq"' in publish.payload else 0))
    configuration = place / "sensorpost.toml"
    configuration.write_text(config(broker.port, Fleet(devices=3, rate=20.0)))
    (place / "state").mkdir()
    calls = record(
        [*COMMAND, "-c", str(configuration), "--for", "1s"],
        place / "trace",
        "-e",
        f"trace={CHANGES},sendto",
        STATE_DIRECTORY=str(place / "state"),
    )
    disk = ForgetfulDisk(place / "state")
    sent: set[tuple[str, str, int]] = set()
    steps = [number for number, call in enumerate(calls) if "/state/spool.db" in call.file and call.name != "close"]
    where = set(rng.sample(steps, min(len(steps), count // 2)))
    looked_for = 0
    for number, call in enumerate(calls):
        if call.name == "sendto":
            sent |= {
                (run.decode(), device.decode(), int(seq)) for device, run, seq in PUBLISHED.findall(call.strings[0])
            }
            continue
        disk.follow(call)
        if number in where:
            lay_out(place / "after", disk.after_cut(rng))
            with contextlib.closing(open_spool(place / "after", "after")) as spool:
                assert sent - set(content(spool)) == set()
            shutil.rmtree(place / "after")
            looked_for += len(sent)
    assert len(sent) > 20
    tell(f"power cuts of the whole gateway: {len(where)} cuts, {looked_for} readings that were sent, 0 lost")
