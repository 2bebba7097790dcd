"""Spools that cannot be used, or not by us: rows 32, 33 and 37. Each is told in one line that says what to do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.faults import Fleet, GatewayProcess, Site, config
from support.spooling import SpoolBench

MakeGateway = Callable[..., GatewayProcess]
MakeSite = Callable[..., Site]
NOBODY = 65534


@contextlib.contextmanager
def somebody(user: int = NOBODY) -> Iterator[None]:
    """As another user, to whom rights matter."""
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


def root_owns(path: Path) -> None:
    """As after ``sudo sensorpost run``."""
    os.chown(path, 0, 0)
    path.chmod(0o600)


def no_rights(path: Path) -> None:
    """Whoever did this."""
    path.chmod(0)


def root_owns_the_folder(path: Path) -> None:
    """As after ``sudo mkdir``."""
    os.chown(path.parent, 0, 0)
    path.parent.chmod(0o755)


def closed_folder(path: Path) -> None:
    """A folder above lets nobody through."""
    os.chown(path.parents[1], 0, 0)
    path.parents[1].chmod(0o700)


@pytest.mark.needs("root")
@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (root_owns, "write there (it belongs to root, mode 0600); sudo chown nobody "),
        (no_rights, "write there (it belongs to nobody, mode 0000); sudo chown nobody "),
        (root_owns_the_folder, "write there (it belongs to root, mode 0755); sudo chown nobody "),
        (closed_folder, "pass through it (it belongs to root, mode 0700); sudo chmod o+x "),
    ],
)
def test_a_spool_without_rights(place: Path, spoil: Callable[[Path], None], what: str) -> None:
    """Readings are kept in memory until somebody has given the rights; what was in the spool is still there."""
    place.chmod(0o755)
    home = place / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    bench = SpoolBench(home)
    with somebody():
        bench.open("r1").accept([bench.row(1)])
        bench.end()
    spoil(bench.path)
    with somebody():
        spool = bench.open("r2")
        spool.accept([bench.row(spool.highest_id() + 1, run="r2")])
        (alarm,) = bench.alarms.texts()
        assert alarm.startswith("readings are kept in memory only, because the spool cannot be written: /")
        assert f"nobody has no right to {what}" in alarm
        assert spool.status().state == "memory"
    for path in (home, bench.path.parent, *bench.path.parent.iterdir()):
        os.chown(path, NOBODY, NOBODY)
        path.chmod(0o700 if path.is_dir() else 0o600)
    with somebody():
        bench.clock.advance(6)
        spool.tick(bench.clock.boot_ns())
        assert (bench.alarms.texts(), spool.status().state, spool.status().queued) == ([], "ok", 2)
        assert [row.run for row in spool.next_chunk(10, 10_000)] == ["r1"]
        bench.end()


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path.mkdir(), "it is a folder; set [spool] path to a file"),
        (lambda path: path.symlink_to("elsewhere"), "it is a symbolic link; set [spool] path to the file itself"),
        (lambda path: path.with_name("spool.db.lock").symlink_to("elsewhere"), "it is a symbolic link"),
    ],
)
def test_something_else_in_its_place(tmp_path: Path, make: Callable[[Path], None], what: str) -> None:
    """It is not followed and not removed, and once it is gone the spool is made."""
    bench = SpoolBench(tmp_path)
    bench.path.parent.mkdir()
    make(bench.path)
    before = sorted(path.name for path in bench.path.parent.iterdir())
    spool = bench.open("r1")
    spool.accept([bench.row(1)])
    assert what in bench.alarms.texts()[0]
    assert sorted(path.name for path in bench.path.parent.iterdir() if path.name in before) == before
    assert not (bench.path.parent / "elsewhere").exists()
    for path in bench.path.parent.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    bench.clock.advance(6)
    spool.tick(bench.clock.boot_ns())
    assert (bench.alarms.texts(), spool.unsaved) == ([], 0)
    bench.end()


@pytest.mark.slow
def test_refused_starts_leave_the_spool_alone(make_site: MakeSite, make_gateway: MakeGateway) -> None:
    """A second gateway on it, and one that is older than its layout: exit code 1, and the reason is the last line."""
    site = make_site(Fleet(devices=1, rate=20.0))
    site.start()
    site.recorder.wait_delivered(5)
    text = config(site.broker.port, Fleet(devices=1))
    second = make_gateway(text, environ={"STATE_DIRECTORY": str(site.gateway.state_dir)})
    second.start(wait=False)
    assert second.wait() == 1
    last = second.log().splitlines()[-1]
    assert f"another gateway (process {site.gateway.pid}) uses this spool; stop it, or give this one its own" in last
    site.recorder.wait_delivered(5)
    verdict = site.finish()
    assert (verdict.lost, verdict.violations) == ([], [])
    with contextlib.closing(sqlite3.connect(site.gateway.spool)) as db:
        db.execute("PRAGMA user_version = 99")
    before = site.gateway.spool.read_bytes()
    site.gateway.start(wait=False)
    assert site.gateway.wait() == 1
    last = site.gateway.log().splitlines()[-1]
    assert "layout is version 99, from a newer sensorpost" in last
    assert "install the newer sensorpost again, or move the file away" in last
    assert site.gateway.spool.read_bytes() == before
