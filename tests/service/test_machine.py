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
