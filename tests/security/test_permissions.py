"""Readable passwords, spool theft, path tricks: who may read and change what the gateway keeps and believes."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from support.fake_broker import FakeBroker
from support.faults import Fleet, GatewayProcess, config
from support.share import free_port

from gateway.clocks import SystemClock
from gateway.config.load import load
from gateway.delivery.discovery.record import NAME, Record
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.file import SpoolFile
from gateway.paths import state_directory
from gateway.status.alarms import Alarms

from .conftest import NOBODY

MakeBroker = Callable[..., FakeBroker]
MakeGateway = Callable[[str], GatewayProcess]
ONE = Fleet(devices=1, rate=20)


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("no_umask")
def test_all_that_is_kept_is_for_its_owner(make_gateway: MakeGateway) -> None:
    """Whatever the umask: the folder 0700, every file in it 0600, the socket 0660."""
    more = "[homeassistant]\ndiscovery = true\n"
    gateway = make_gateway(config(free_port(), ONE, more=more))
    gateway.start()
    gateway.wait_log("not connected|trying again")
    names = {path.name: mode(path) for path in gateway.state_dir.iterdir()}
    assert names.pop("control.sock") == 0o660
    assert {"spool.db", "spool.db-wal", "spool.db-shm", "spool.db.lock", "announced.json"} <= set(names)
    assert set(names.values()) == {0o600}
    assert mode(gateway.state_dir) == 0o700
    gateway.terminate()


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o640), (0o666, 0o660), (0o640, 0o640), (0o600, 0o600)], ids=oct)
def test_a_spool_that_everybody_could_read_is_closed(tmp_path: Path, before: int, after: int) -> None:
    """As a copy by hand leaves it; a group that somebody lets in stays. Its log and its shared memory, too."""
    path = tmp_path / "spool.db"
    Disk(path, SystemClock(), Alarms(lambda: None)).close()
    files = [path, path.with_name("spool.db-wal"), path.with_name("spool.db-shm")]
    for file in files:
        file.touch()
        file.chmod(before)
    for beside in files[1:]:
        beside.write_bytes(bytes(32 * 1024))  # as a crash leaves them; to empty ones SQLite gives the spool's mode
    disk = Disk(path, SystemClock(), Alarms(lambda: None))
    assert disk.state == "ok"
    assert {mode(file) for file in files if file.exists()} == {after}
    disk.close()


@pytest.mark.parametrize("there", [False, True], ids=["new", "old"])
@pytest.mark.parametrize("name", ["spool.db-wal", "spool.db-shm"])
def test_a_link_beside_the_spool_is_left_alone(tmp_path: Path, name: str, *, there: bool) -> None:
    """What it leads to keeps its permissions, and is not written to, not even what is in it already."""
    if there:
        Disk(tmp_path / "spool.db", SystemClock(), Alarms(lambda: None)).close()
    target = tmp_path / "precious"
    target.write_text("keep me")
    target.chmod(0o644)
    os.utime(target, (1, 1))
    (tmp_path / name).symlink_to(target)
    disk = Disk(tmp_path / "spool.db", SystemClock(), Alarms(lambda: None))
    disk.close()
    assert mode(target) == 0o644
    assert (target.stat().st_mtime, target.read_text()) == (1, "keep me")


@pytest.mark.parametrize("there", [False, True], ids=["dangling", "to a spool"])
def test_a_link_that_takes_the_place_of_the_spool_later(tmp_path: Path, *, there: bool) -> None:
    """The file is opened anew after trouble with the disk, beside the one that is open: not through a link either."""
    target = tmp_path / "elsewhere.db"
    if there:
        SpoolFile(target).close()
    (tmp_path / "spool.db").symlink_to(target)
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        SpoolFile(tmp_path / "spool.db")
    assert target.exists() is there


@pytest.mark.usefixtures("no_umask")
def test_what_is_saved_of_a_damaged_spool_is_for_its_owner(tmp_path: Path) -> None:
    """The new file as well as the damaged one beside it."""
    path = tmp_path / "spool.db"
    path.write_bytes(b"no database" * 1000)
    path.chmod(0o600)
    disk = Disk(path, SystemClock(), Alarms(lambda: None))
    assert disk.begun_anew
    names = {one.name: mode(one) for one in tmp_path.iterdir()}
    disk.close()
    assert any("damaged" in name for name in names)
    assert set(names.values()) == {0o600}


def test_a_link_in_the_place_of_the_ballast(tmp_path: Path) -> None:
    """What it leads to is not written to; the room for a full disk is done without."""
    target = tmp_path / "precious"
    target.write_text("keep me")
    (tmp_path / "spool.db.ballast").symlink_to(target)
    disk = Disk(tmp_path / "spool.db", SystemClock(), Alarms(lambda: None))
    disk.tick(SystemClock().boot_ns())
    assert disk.state == "ok"
    disk.close()
    assert target.read_text() == "keep me"


@pytest.mark.usefixtures("no_umask")
def test_the_folder_of_a_spool_that_is_elsewhere(tmp_path: Path) -> None:
    """It and those above it that are made for it are for their owner."""
    Disk(tmp_path / "new" / "deep" / "spool.db", SystemClock(), Alarms(lambda: None)).close()
    assert [mode(tmp_path / "new"), mode(tmp_path / "new" / "deep")] == [0o700, 0o700]


@pytest.mark.parametrize("name", [NAME, "announced.new"])
def test_a_link_in_the_place_of_the_record(tmp_path: Path, name: str) -> None:
    """What it leads to is neither written to nor given other permissions."""
    target = tmp_path / "precious"
    target.write_text("keep me")
    target.chmod(0o644)
    (tmp_path / name).symlink_to(target)
    Record(tmp_path / NAME).add({"homeassistant/device/x/config": {"a"}}, {"sensorpost/x"})
    assert target.read_text() == "keep me"
    assert mode(target) == 0o644


def test_a_link_in_the_place_of_the_record_is_not_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has put it there would choose what is cleared at the broker."""
    Record(tmp_path / "theirs.json").add({"homeassistant/device/x/config": {"a"}}, {"sensorpost/x"})
    (tmp_path / NAME).symlink_to(tmp_path / "theirs.json")
    record = Record(tmp_path / NAME)
    assert (record.entities, record.devices) == ({}, set())
    assert [entry.message.partition(" (")[0] for entry in caplog.records] == [f"{tmp_path / NAME} cannot be read"]


def test_a_record_that_was_open_to_all_is_closed(tmp_path: Path) -> None:
    """Also where the file that it is first written to was left behind by an older run, or put there."""
    for name in (NAME, "announced.new"):
        (tmp_path / name).write_text("{}")
        (tmp_path / name).chmod(0o666)
    Record(tmp_path / NAME).add({"homeassistant/device/x/config": {"a"}}, {"sensorpost/x"})
    assert mode(tmp_path / NAME) == 0o600


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe", b"7", b'{"entities": [], "devices": 3}', b"\0" * 100])
def test_a_record_that_is_rubbish(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """One line in the log, and it begins anew."""
    (tmp_path / NAME).write_bytes(content)
    record = Record(tmp_path / NAME)
    assert (record.entities, record.devices) == ({}, set())
    (line,) = [entry.message for entry in caplog.records]
    assert "cannot be read" in line


def test_a_configuration_that_everybody_may_change(tmp_path: Path) -> None:
    """It says which programs are run here, so it is warned about at every start; so is each file of sensorpost.d."""
    path = tmp_path / "sensorpost.toml"
    path.write_text('[devices.a]\ndriver = "mock"\n')
    (tmp_path / "sensorpost.d").mkdir()
    added = tmp_path / "sensorpost.d" / "10.toml"
    added.write_text('[devices.b]\ndriver = "mock"\n')
    for file in (path, added):
        file.chmod(0o664)
    assert load(path, environ={}).warnings == ()
    for file in (path, added):
        file.chmod(0o602)
    warnings = load(path, environ={}).warnings
    for file in (path, added):
        (one,) = [warning for warning in warnings if f"can change {file}" in warning]
        assert one.endswith(f"chmod o-w {file}")


@pytest.mark.needs("root")
@pytest.mark.parametrize("trick", ["open", "stranger"])
def test_a_state_directory_that_others_can_change(open_folder: Path, trick: str) -> None:
    """It is used, for readings must not be lost, and warned about. Root becomes its owner, who is no stranger then."""
    gateway = GatewayProcess(open_folder / "gateway", config(free_port(), ONE))
    gateway.folder.chmod(0o755)
    gateway.state_dir.mkdir(mode=0o700)
    if trick == "open":
        gateway.state_dir.chmod(0o777)
    else:
        os.chown(gateway.state_dir, NOBODY, NOBODY)
        gateway.config_file.chmod(0o644)
    try:
        gateway.start()
        warned = "others can change what the gateway keeps" in gateway.log()
        assert warned is (trick == "open")
        gateway.terminate()
    finally:
        gateway.kill()
    if trick == "stranger":
        assert {path.stat().st_uid for path in gateway.state_dir.iterdir()} == {NOBODY}


def test_no_home_is_a_name_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without $HOME and without an entry in the system: no path that users share, which somebody could make first."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(Path, "home", _no_home)
    assert state_directory(None, {}, root=False) == Path(f"/tmp/sensorpost-{os.geteuid()}/.local/state/sensorpost")


def _no_home() -> Path:
    raise RuntimeError


def test_the_folder_of_a_simulation_cannot_be_foreseen(make_gateway: MakeGateway, fake: MakeBroker) -> None:
    """Made by us alone, 0700, under a random name, gone afterwards; a link that waits in /tmp is not met."""
    gateway = make_gateway(config(fake().port, ONE))
    gateway._command.insert(4, "--simulate")
    gateway.start()
    where = Path(gateway.wait_log("state in (.+) until the end").partition("state in ")[2].partition(" until")[0])
    assert mode(where) == 0o700
    assert where.stat().st_uid == os.geteuid()
    assert where.name.startswith("sensorpost-sim-")
    assert len(where.name) >= len("sensorpost-sim-") + 8
    gateway.terminate()
    assert not where.exists()


def test_the_hash_of_a_configuration_tells_no_secret(tmp_path: Path) -> None:
    """It is published: nobody can try passwords against it."""
    path = tmp_path / "sensorpost.toml"
    text = (
        '[mqtt]\nusername = "pi"\npassword = "{}"\n[devices.a]\ndriver = "rdm6300"\nport = "/dev/x"\nhash_salt = "{}"\n'
    )
    hashes = set()
    for password, salt in (("one", "1" * 32), ("two", "1" * 32), ("two", "2" * 32)):
        path.write_text(text.format(password, salt))
        hashes.add(load(path, environ={}).config_hash)
    assert len(hashes) == 1
    assert json.dumps(sorted(hashes)).isascii()
