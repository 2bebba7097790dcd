"""The moments at which an upgrade can be cut off: what runs afterwards, and what the next run does."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.service_machine import SOURCE, FakeMachine, newer

from gateway.service.install import install
from gateway.service.machine import CannotError
from gateway.service.places import CURRENT, SLOTS, UNIT
from gateway.service.source import Source

RESTART = "systemctl restart sensorpost.service"


def other_unit(tmp_path: Path) -> Source:
    """The newer version, whose unit is another one."""
    source = newer(tmp_path)
    with (source.shipped / "systemd/sensorpost.service").open("a") as file:
        file.write("# newer\n")
    return source


def runs(machine: FakeMachine, slot: str) -> None:
    """Let the running service be the one from there."""
    process = machine.path("/proc/7/cmdline")
    process.parent.mkdir(parents=True, exist_ok=True)
    process.write_text(f"{slot}/bin/python\0-P\0{CURRENT}/bin/sensorpost\0run\0")


@pytest.mark.parametrize("at", ["systemctl daemon-reload", "udevadm settle", RESTART])
def test_ctrl_c(machine: FakeMachine, tmp_path: Path, at: str) -> None:
    """Wherever it comes, the version before has its link and its unit back, and is started."""
    install(machine, SOURCE)
    unit = machine.text(UNIT)
    machine.cuts[at] = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        install(machine, other_unit(tmp_path))
    assert str(machine.path(CURRENT).readlink()) == SLOTS[0]
    assert machine.text(UNIT) == unit
    assert machine.commands[-2:-1] == [RESTART] or machine.commands[-1] == RESTART


def test_a_kill_before_the_start(machine: FakeMachine, tmp_path: Path) -> None:
    """The link is that of the new version, the old one runs: once more installs the rest, without a second building."""
    install(machine, SOURCE)
    runs(machine, SLOTS[0])
    source = other_unit(tmp_path)
    unit = machine.text(UNIT)
    install(machine, source, start=False)  # what a kill at this place leaves
    machine.commands.clear()
    machine.starts = False
    machine.answers["journalctl"] = (0, "a mistake")
    with pytest.raises(CannotError, match="the new version does not become ready"):
        install(machine, source)
    assert not [line for line in machine.commands if " pip " in line]
    assert str(machine.path(CURRENT).readlink()) == SLOTS[0]
    assert machine.text(UNIT) == unit
    machine.starts = True
    install(machine, source)
    assert machine.commands[-1] == RESTART
    assert str(machine.path(CURRENT).readlink()) == SLOTS[1]


def test_a_link_that_somebody_removed(machine: FakeMachine) -> None:
    """What runs is looked for in /proc, so there is no need of it."""
    install(machine, SOURCE)
    runs(machine, SLOTS[0])
    machine.path(CURRENT).unlink()
    install(machine, SOURCE)
    assert str(machine.path(CURRENT).readlink()) == SLOTS[0]


def test_back_to_the_version_before(machine: FakeMachine, tmp_path: Path) -> None:
    """It lies there yet, so it needs neither pip nor a network; one that was damaged is made anew."""
    install(machine, SOURCE)
    install(machine, newer(tmp_path))
    machine.commands.clear()
    install(machine, SOURCE)
    assert str(machine.path(CURRENT).readlink()) == SLOTS[0]
    assert not [line for line in machine.commands if " pip " in line]
    site = next(machine.path(SLOTS[0]).glob("lib/*/site-packages"))
    (site / "gateway/cli/main.py").write_text("")
    install(machine, SOURCE)
    assert str(machine.path(CURRENT).readlink()) == SLOTS[1]
    assert [line for line in machine.commands if " pip " in line]
