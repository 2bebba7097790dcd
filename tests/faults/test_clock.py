"""A wall clock that is wrong and set right, by a year or by fifty (rows 38 and 63)."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.faults import Fleet, Site
from support.faults.shifted import set_clock
from support.waiting import wait_until

MakeSite = Callable[..., Site]
YEAR = 365 * 86_400
TEN_A_SECOND = Fleet(devices=1, rate=10)


def _seconds(reading: bytes) -> float:
    return datetime.fromisoformat(json.loads(reading)["time"]).timestamp()


@pytest.fixture
def site(make_site: MakeSite, tmp_path: Path) -> Site:
    """A gateway whose clock is set by ``tmp_path / clock``; its configuration leaves the clock to NTP."""
    clock = tmp_path / "clock"
    set_clock(clock, 0, synced=True)
    made = make_site(TEN_A_SECOND, command=(sys.executable, "-m", "support.faults.shifted", str(clock)))
    text = made.gateway.config_file.read_text()
    made.gateway.config_file.write_text(text.replace('clock = "trusted"', 'clock = "auto"'))
    return made


@pytest.mark.slow
def test_steps_of_a_year_disturb_nothing(site: Site, tmp_path: Path) -> None:
    """Forward and back: no burst, nothing expired, no age that is wrong; the live topic goes on by ``seq``."""
    site.start()
    site.recorder.wait_delivered(3)
    for offset, direction in ((YEAR, "forward"), (-YEAR, "back")):
        began, before = time.monotonic(), site.recorder.distinct
        set_clock(tmp_path / "clock", offset, synced=True)
        site.recorder.wait_delivered(10)
        assert (site.recorder.distinct - before) / (time.monotonic() - began) < 15  # 10 are due: none is caught up
        site.gateway.wait_log(f"the wall clock was set {direction}")
    assert site.recorder.health["uptime_s"] < 60
    site.stop()
    verdict = site.judge()
    assert (verdict.lost, verdict.violations, verdict.duplicates) == ([], [], 0)
    (run,) = site.run_of_life.values()
    times = [_seconds(seen.raw) for seen in site.recorder.record.readings["d0", run].values()]
    jumps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert [jump for jump in jumps if abs(jump) > 1] == pytest.approx([YEAR, -2 * YEAR], abs=1)


@pytest.mark.slow
def test_a_boot_without_network_or_time(site: Site, tmp_path: Path) -> None:
    """In 1970 without a broker: once both are there all readings come with their true time, marked as corrected."""
    offset = -time.time() + 100  # it is 1970-01-01T00:01:40
    site.broker.stop()
    set_clock(tmp_path / "clock", offset, synced=False)
    site.start()
    wait_until(lambda: len(site.waiting()) >= 10, 20.0, "readings in the spool")
    set_clock(tmp_path / "clock", 0, synced=True)
    wait_until(lambda: "clock" not in site.waiting()[-1], 20.0, "a reading on a trusted clock")
    site.restart_broker()
    site.recorder.wait_delivered(20)
    site.stop()
    verdict = site.judge()
    assert (verdict.lost, verdict.violations) == ([], [])
    (run,) = site.run_of_life.values()
    readings = [json.loads(seen.raw) for _, seen in sorted(site.recorder.record.readings["d0", run].items())]
    clocks = [reading.get("clock") for reading in readings]
    assert "unsynced" not in clocks
    assert clocks == sorted(clocks, key=lambda word: word is None)
    assert clocks.count("corrected") >= 10
    times = [datetime.fromisoformat(reading["time"]) for reading in readings]
    assert times == sorted(times)
    assert all(0 <= (datetime.now(UTC) - each).total_seconds() < 60 for each in times)
