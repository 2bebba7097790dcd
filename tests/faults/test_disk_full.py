"""A disk without room, and one that no longer takes writes: rows 27 and 30, on the real thing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.faults import Fleet, Site
from support.mounts import Card, SmallDisk
from support.waiting import wait_until

from gateway.status.control import call

MakeSite = Callable[..., Site]
Finally = Callable[[Callable[[], object]], None]
IN_MEMORY = "readings are kept in memory only, because the spool cannot be written"


def says_memory(site: Site) -> str:
    """Wait until health says so; the alarm."""
    recorder = site.recorder
    wait_until(lambda: recorder.health and recorder.health["spool"]["state"] == "memory", 20.0, "memory in health")
    (alarm,) = recorder.health["alarms"]
    assert alarm.startswith(IN_MEMORY)
    return str(alarm)


def queued(site: Site) -> int:
    """Readings of this run that wait, wherever they are."""
    (ledger,) = call(site.gateway.state_dir / "control.sock", {"verb": "ledger"})
    return sum(int(device["queued"]) for device in ledger["devices"].values())


@pytest.mark.needs("mount")
@pytest.mark.slow
def test_a_disk_that_is_full_and_has_room_again(make_site: MakeSite, finally_do: Finally) -> None:
    """The alarm says what to do, readings go on and are delivered, and it recovers by itself."""
    site = make_site(Fleet(devices=3, rate=60.0))
    disk = SmallDisk(site.gateway.state_dir, "3m")
    finally_do(disk.end)
    site.start()
    site.recorder.wait_delivered(100)
    disk.fill()
    alarm = says_memory(site)
    assert f"is full; free some space (df -h {site.gateway.state_dir})" in alarm
    site.recorder.wait_delivered(200)
    disk.free()
    wait_until(lambda: site.recorder.health["spool"]["state"] == "ok", 20.0, "ok in health")
    assert site.recorder.health["alarms"] == []
    assert site.gateway.log().count(f"alarm over: {IN_MEMORY}") == 1
    verdict = site.finish()
    assert (verdict.lost, verdict.violations, verdict.dropped) == ([], [], 0)
    assert verdict.accepted == verdict.delivered


@pytest.mark.needs("loop")
@pytest.mark.slow
def test_a_card_that_goes_read_only(make_site: MakeSite, finally_do: Finally, tmp_path: Path) -> None:
    """What is on it is sent all the same; once it is back, so is the spool, without a restart."""
    site = make_site(Fleet(devices=3, rate=60.0))
    card = Card(site.gateway.state_dir, tmp_path / "card.img")
    finally_do(card.end)
    site.broker.stop()
    site.start()
    wait_until(lambda: site.gateway.spool.exists() and site.gateway.queued() > 200, 20.0, "a backlog on the card")
    card.fail()
    site.restart_broker()
    assert "the file system is read-only, as it becomes after an error; see dmesg" in says_memory(site)
    wait_until(lambda: queued(site) < 50, 20.0, "an end of the backlog")
    card.mend()
    wait_until(lambda: site.recorder.health["spool"]["state"] == "ok", 20.0, "ok in health")
    assert site.recorder.health["alarms"] == []
    verdict = site.finish()
    assert (verdict.lost, verdict.violations) == ([], [])
    assert verdict.accepted == verdict.delivered
