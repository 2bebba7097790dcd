"""Files that are whole or not there, with the right owner from the first moment, and nothing in a dry run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.service_machine import FakeMachine

from gateway.service.machine import CannotError, Machine


def test_a_secret_is_never_readable_for_others(root: Path) -> None:
    """The mode is there before the name is; a second write of the same changes nothing."""
    machine = FakeMachine(root)
    old = os.umask(0)
    try:
        machine.write("/etc/secret", "x", 0o640)
    finally:
        os.umask(old)
    assert machine.path("/etc/secret").stat().st_mode & 0o777 == 0o640
    assert machine.lines == ["write /etc/secret"]
    machine.write("/etc/secret", "x", 0o640)
    assert len(machine.lines) == 1
    machine.path("/etc/secret").chmod(0o666)
    machine.write("/etc/secret", "x", 0o640)
    assert machine.lines[1:] == ["give /etc/secret to root:root, mode 0640"]


def test_a_link_moves_at_one_stroke(root: Path) -> None:
    """And leaves nothing beside it."""
    machine = FakeMachine(root)
    machine.link("/opt/now", "/opt/a")
    machine.link("/opt/now", "/opt/b")
    assert [path.name for path in (root / "opt").iterdir()] == ["now"]
    assert str(machine.path("/opt/now").readlink()) == "/opt/b"


def test_a_program_that_fails(root: Path) -> None:
    """Its last words are in the error; one that may fail gives its status."""
    machine = FakeMachine(root)
    machine.answers["pip"] = (1, "a\nb\n\nERROR: no\n")
    with pytest.raises(CannotError, match=r"pip install failed \(1\): a; b; ERROR: no"):
        machine.run("install", "pip", "install")
    assert machine.run("install", "pip", "install", may_fail=True)[0] == 1


def test_programs_of_this_machine() -> None:
    """Run for real, with no input; one that is not there is 127."""
    machine = Machine(Path("/"), lambda _: None)
    assert machine.is_this_one
    assert machine.ask("cat") == (0, "")
    assert machine.ask("/no/such/program")[0] == 127
    assert machine.number("user", "root") == 0
    assert machine.number("group", "no-such-group") is None


def test_programs_for_root_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a plain ``su``, whose PATH ends before /usr/sbin; groupadd was not found there."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")  # would be asked in place of the environment's own modules
    code, path = Machine(Path("/"), lambda _: None).ask("sh", "-c", "echo $PATH $PYTHONPATH")
    assert (code, path) == (0, "/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin")


@pytest.mark.needs("root")
def test_a_state_of_another_number(root: Path) -> None:
    """Readings of a backup, or of a user that was made anew, become the service's; what a link leads to does not."""
    machine = FakeMachine(root)
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nsensorpost:x:4712:4713::/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nsensorpost:x:4713:\n")
    (root / "state/inner").mkdir(parents=True)
    (root / "state/inner/spool.db").touch()
    (root / "other").touch()
    (root / "state/link").symlink_to("../other")
    for path in (root / "state", *(root / "state").rglob("*")):
        os.chown(path, 4711, 4711, follow_symlinks=False)
    machine.folder("/state", 0o700, "sensorpost", "sensorpost")
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in (root / "state").rglob("*")} == {(4712, 4713)}
    assert (root / "other").stat().st_uid == 0
    assert machine.lines == ["give /state to sensorpost:sensorpost, mode 0700"]


def test_what_the_service_cannot_read(root: Path) -> None:
    """It is let, by the group and no further; what it can read stays as it is."""
    machine = FakeMachine(root)
    with (root / "etc/group").open("a") as file:
        file.write(f"sensorpost:x:{os.getgid()}:\n")
    path = root / "etc/sensorpost.toml"
    path.touch()
    for mode, after in ((0o600, 0o640), (0o400, 0o440), (0o640, 0o640), (0o604, 0o604)):
        path.chmod(mode)
        machine.readable("/etc/sensorpost.toml", "sensorpost")
        assert path.stat().st_mode & 0o777 == after
    assert machine.lines == ["let the group sensorpost read /etc/sensorpost.toml"] * 2
