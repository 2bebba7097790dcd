"""``gateway/health``."""

from __future__ import annotations

from pathlib import Path

from support import FakeClock

from gateway.delivery.link import LinkStatus
from gateway.delivery.store import StoreStatus
from gateway.status.board import DeviceBoard, State
from gateway.status.health import health_object
from gateway.status.ledger import Ledger


def test_it_has_what_the_contract_names(tmp_path: Path) -> None:
    """Every key, and devices counted by state."""
    clock = FakeClock()
    started = clock.boot_ns()
    boards = [DeviceBoard(name, Ledger(), clock, lambda _name: None) for name in "abc"]
    boards[0].set(State.ONLINE)
    boards[1].set(State.ONLINE)
    clock.advance(90)
    health = health_object(
        clock=clock,
        started_ns=started,
        run="r",
        config_hash="h",
        clock_word="synced",
        state_dir=tmp_path,
        link=LinkStatus("mqtt://b:1883", "5", connected=True, since_ns=clock.wall_ns(), reconnects=2, last_error=""),
        store=StoreStatus("ok", queued=3, dead=1, bytes=99, oldest_boot_ns=started, written_bytes=7),
        boards=boards,
        alarms=["a"],
    )
    assert set(health) == {
        "time",
        "interval_s",
        "version",
        "run",
        "uptime_s",
        "config_hash",
        "clock",
        "host",
        "broker",
        "spool",
        "devices",
        "alarms",
    }
    assert set(health["broker"]) == {"url", "protocol", "connected", "since", "reconnects", "last_error"}
    assert health["spool"] == {
        "state": "ok",
        "queued": 3,
        "dead": 1,
        "bytes": 99,
        "oldest_s": 90.0,
        "written_bytes": 7,
    }
    assert (health["devices"]["total"], health["devices"]["online"], health["devices"]["starting"]) == (3, 2, 1)
    assert (health["uptime_s"], health["time"]) == (90, "2026-11-22T07:01:30.000Z")
