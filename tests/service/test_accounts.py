"""Users and groups of others are left to them, and what stays is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.service_machine import SOURCE, FakeMachine

from gateway.service import accounts
from gateway.service.install import install
from gateway.service.places import NOTES
from gateway.service.uninstall import uninstall


def add(path: Path, text: bytes) -> None:
    """Append to a file that lists accounts."""
    path.write_bytes(path.read_bytes() + text)


def test_a_person_of_that_name(machine: FakeMachine) -> None:
    """Whoever had the name before keeps the account."""
    add(machine.path("/etc/passwd"), b"sensorpost:x:1000:1000::/home/sensorpost:/bin/bash\n")
    groups = machine.text("/etc/group")
    install(machine, SOURCE)
    left = uninstall(machine, purge=True)
    assert left == ["left: the user sensorpost, who was there before (home /home/sensorpost)"]
    assert "sensorpost" in machine.text("/etc/passwd")
    assert machine.text("/etc/group") == groups
    assert not [line for line in machine.commands if line.startswith("userdel")]


def test_people_in_the_groups(machine: FakeMachine) -> None:
    """Our own goes, though docs/service.md puts people into it; one for devices stays with them."""
    install(machine, SOURCE)
    text = machine.text("/etc/group")
    group = machine.path("/etc/group")
    group.write_text("".join(line + ("pi\n" if line[:4] in ("gpio", "sens") else "\n") for line in text.splitlines()))
    assert uninstall(machine, purge=True) == ["left: the group gpio, which pi is in"]
    assert [line.split(":")[0] for line in machine.text("/etc/group").splitlines()] == ["root", "dialout", "gpio"]


def test_a_user_who_cannot_be_removed(machine: FakeMachine) -> None:
    """It is told, with the reason."""
    install(machine, SOURCE)
    machine.answers["userdel"] = (8, "userdel: user sensorpost is currently used by process 7")
    left = uninstall(machine, purge=True)
    assert left == ["left: the user sensorpost: userdel: user sensorpost is currently used by process 7"]


def test_old_names_and_lines_of_nis(machine: FakeMachine) -> None:
    """Neither a name in Latin-1 nor a line without fields stops anything."""
    add(machine.path("/etc/passwd"), b"joerg:x:1001:1001:J\xf6rg:/home/joerg:/bin/sh\n+::::::\n")
    add(machine.path("/etc/group"), b"+\n")
    install(machine, SOURCE)
    assert uninstall(machine, purge=True) == []


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"groups": 5}', "{}"])
def test_notes_that_say_nothing(machine: FakeMachine, text: str) -> None:
    """Then no group is known to be ours."""
    machine.path(NOTES).parent.mkdir(parents=True)
    machine.path(NOTES).write_text(text)
    assert accounts.made_groups(machine) == []


def test_an_interruption_among_the_groups(machine: FakeMachine) -> None:
    """What will be made is written down before, so that a purge finds what was."""
    before = machine.text("/etc/group")
    machine.cuts["useradd"] = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        install(machine, SOURCE)
    assert machine.text("/etc/group") != before
    assert uninstall(machine, purge=True) == []
    assert machine.text("/etc/group") == before
