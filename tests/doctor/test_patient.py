"""Who runs the gateway, and what the probes say of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.sickbed import Sickbed

from gateway.doctor import patient as of
from gateway.doctor.patient import Probes, User, is_run_by, unit_of, user_of

UNIT = "/etc/systemd/system/sensorpost.service"


def test_nobody_has_installed_it(bed: Sickbed) -> None:
    """Then it is who asks; with sudo, who has typed that."""
    assert unit_of(bed.machine) is None
    user = user_of(bed.machine, None, {})
    assert (user.uid, user.is_service) == (os.geteuid(), False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is started with sudo")
def test_sudo(bed: Sickbed) -> None:
    """By the machine's files."""
    expected = User("pi", 1000, frozenset({20, 993, 994, 995, 1000}))
    assert user_of(bed.machine, None, {"SUDO_USER": "pi"}) == expected


def test_the_unit(bed: Sickbed) -> None:
    """The first of the folders wins, its drop-ins add; a user that is nowhere has the groups of the unit alone."""
    bed.file("/usr/lib/systemd/system/sensorpost.service", "[Service]\nUser=other\n")
    bed.file(UNIT, "[Unit]\nDescription=x\n[Service]\nUser=ghost\nSupplementaryGroups=dialout\n")
    bed.file(f"{UNIT}.d/a.conf", "[Service]\nSupplementaryGroups=spi nowhere\n")
    unit = unit_of(bed.machine)
    assert unit is not None
    assert user_of(bed.machine, unit, {}) == User("ghost", -1, frozenset({20, 993}), is_service=True)
    bed.file(f"{UNIT}.d/b.conf", "[Service]\nSupplementaryGroups=\n")
    assert (unit_of(bed.machine) or {})["SupplementaryGroups"] == ""
    assert user_of(bed.machine, {}, {}).uid == 0


def test_whose_configuration_it_is(tmp_path: Path) -> None:
    """The unit's, when the unit names it; else its user says nothing about it."""
    unit = {"ExecStart": f"/opt/sensorpost/venv/bin/sensorpost run -c {tmp_path / 'a.toml'}"}
    assert is_run_by(unit, tmp_path / "a.toml")
    assert is_run_by(unit, None)
    assert not is_run_by(unit, tmp_path / "b.toml")
    assert is_run_by({}, Path("/etc/sensorpost/sensorpost.toml"))


def test_a_gateway_that_does_not_run(tmp_path: Path) -> None:
    """Nobody answers."""
    assert of.answers(tmp_path / "control.sock") is None


def test_the_probes_look_at_this_machine() -> None:
    """Each of them comes back with something."""
    probes = Probes()
    assert probes.python.executable
    assert probes.synchronised() in (True, False)
    assert probes.disk(Path("/"))[0] > 0
