"""Groups, secrets, the state directory, and the folder of drivers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.sickbed import Sickbed, found, only

from gateway.doctor import rights
from gateway.doctor.finding import State
from gateway.doctor.machine import Owner

DEVICES = '[devices.office]\ndriver = "bme280"\n[devices.hall]\ndriver = "bme280"\naddress = 0x77\n'
UNIT = "/etc/systemd/system/sensorpost.service"
PLAIN = '[mqtt]\nusername = "pi"\npassword = "secret"\n'
IN_FILE = '[mqtt]\nusername = "pi"\npassword = { file = "secret" }\n'
SYSTEM = '[devices.this]\ndriver = "system"\n'


def test_a_group_is_missing(bed: Sickbed) -> None:
    """Said once for a device file."""
    assert found(rights.groups, bed.patient(DEVICES)) == []
    bed.file("/etc/group", "i2c:x:994:other\n")
    state, text, fix = only(rights.groups, bed.patient(DEVICES))
    assert state is State.PROBLEM
    assert text == "pi is not in the group i2c, and so may not use /dev/i2c-1"
    assert fix == "sudo usermod -aG i2c pi; then log out and in again"


def test_the_services_user(bed: Sickbed) -> None:
    """Where the unit is installed, its user counts, with the groups that the unit adds, also in a drop-in."""
    bed.file("/etc/group", "i2c:x:994:pi\n")
    bed.file("/etc/passwd", "root:x:0:0::/:\nsensorpost:x:990:990::/:\n")
    bed.file(UNIT, "[Service]\nUser=sensorpost\n# SupplementaryGroups=i2c\nSupplementaryGroups=dialout\n")
    _, text, fix = only(rights.groups, bed.patient(DEVICES))
    assert text.startswith("sensorpost is not in the group i2c")
    assert fix == "sudo usermod -aG i2c sensorpost && sudo systemctl restart sensorpost"
    bed.file(f"{UNIT}.d/more.conf", "[Service]\nSupplementaryGroups=i2c\n")
    assert found(rights.groups, bed.patient(DEVICES)) == []


def test_only_root_may(bed: Sickbed) -> None:
    """No udev rule has given the file a group."""
    bed.machine.owners["/dev/i2c-1"] = Owner(0, 0, 0o600)
    fix = only(rights.groups, bed.patient(DEVICES))[2]
    assert fix.startswith("""echo 'KERNEL=="i2c-1", GROUP="i2c", MODE="0660"' | sudo tee -a /etc/udev/rules.d/""")
    bed.file(UNIT, "[Service]\n")
    assert found(rights.groups, bed.patient(DEVICES)) == []


@pytest.mark.parametrize(("mode", "count"), [(0o644, 1), (0o640, 0), (0o600, 0)])
def test_a_password_in_the_configuration(bed: Sickbed, mode: int, count: int) -> None:
    """Everybody may read the file only when there is no secret in it."""
    findings = found(rights.secrets, bed.patient(PLAIN + SYSTEM, mode=mode))
    assert len(findings) == count
    assert all("mqtt.password" in finding.text and "chmod 640" in finding.fix for finding in findings)
    assert found(rights.secrets, bed.patient(SYSTEM, mode=0o644)) == []


def test_a_configuration_that_everybody_may_change(bed: Sickbed) -> None:
    """It says which programs are run."""
    patient = bed.patient(SYSTEM, mode=0o646)
    assert only(rights.secrets, patient)[2].startswith("sudo chmod o-w ")


def test_a_password_in_a_file(bed: Sickbed) -> None:
    """The file is to be closed, and the gateway's user is to have it."""
    file = bed.file("/etc/sensorpost/secret", "x", 0o644)
    assert only(rights.secrets, bed.patient(IN_FILE + SYSTEM))[2] == f"sudo chmod 600 {file}"
    file.chmod(0o600)
    assert found(rights.secrets, bed.patient(IN_FILE + SYSTEM)) == []
    bed.machine.owners["/etc/sensorpost/secret"] = Owner(0, 0, 0o644)
    assert only(rights.secrets, bed.patient(IN_FILE + SYSTEM))[2] == f"sudo chgrp pi {file} && sudo chmod 640 {file}"
    bed.machine.owners["/etc/sensorpost/secret"] = Owner(0, 0, 0o600)
    assert "may not read" in only(rights.secrets, bed.patient(IN_FILE + SYSTEM))[1]


def test_a_credential_of_the_service(bed: Sickbed) -> None:
    """Root alone needs to read its source."""
    bed.file(UNIT, "[Service]\nUser=pi\nLoadCredential=mqtt:/etc/sensorpost/mqtt.password\nLoadCredential=salt\n")
    file = bed.file("/etc/sensorpost/mqtt.password", "x", 0o644)
    assert only(rights.secrets, bed.patient(SYSTEM))[2] == "sudo chmod 600 /etc/sensorpost/mqtt.password"
    file.chmod(0o600)
    assert found(rights.secrets, bed.patient(SYSTEM)) == []


def test_secrets_of_a_configuration_that_means_nothing(bed: Sickbed) -> None:
    """They are readable all the same."""
    patient = bed.patient(PLAIN + "[devices.a]\ndriver = 7\n", mode=0o644)
    assert patient.settings is None
    assert len(found(rights.secrets, patient)) == 1


def test_the_state_directory(bed: Sickbed) -> None:
    """Nobody else looks in, and the gateway writes."""
    assert found(rights.state, bed.patient()) == []
    bed.state.chmod(0o755)
    assert only(rights.state, bed.patient())[2] == "sudo chmod 750 /var/lib/sensorpost"
    bed.state.chmod(0o711)
    bed.file("/var/lib/sensorpost/spool.db", mode=0o644)
    assert len(found(rights.state, bed.patient())) == 2
    bed.state.chmod(0o700)
    bed.machine.owners["/var/lib/sensorpost/spool.db"] = Owner(0, 0, 0o600)
    assert only(rights.state, bed.patient())[2] == "sudo chown -R pi: /var/lib/sensorpost"


def test_a_state_directory_of_root(bed: Sickbed) -> None:
    """Somebody started the gateway with sudo once."""
    bed.machine.owners["/var/lib/sensorpost"] = Owner(0, 0, 0o700, is_folder=True)
    assert "may not write /var/lib/sensorpost:" in only(rights.state, bed.patient())[1]


def test_a_folder_of_drivers_that_others_may_write(bed: Sickbed) -> None:
    """The folder, or a file in it."""
    folder = bed.folder("/etc/sensorpost/drivers")
    file = bed.file("/etc/sensorpost/drivers/mine.py", mode=0o664)
    config = '[gateway]\ndrivers_dir = "drivers"\n' + SYSTEM
    assert only(rights.drivers_dir, bed.patient(config))[1].startswith(f"others than the owner may write {file}")
    file.chmod(0o644)
    assert found(rights.drivers_dir, bed.patient(config)) == []
    folder.chmod(0o775)
    assert only(rights.drivers_dir, bed.patient(config))[2] == f"sudo chmod -R go-w {folder}"
    folder.chmod(0o755)
    bed.machine.owners["/etc/sensorpost/drivers/mine.py"] = Owner(1234, 20, 0o644)
    assert "belongs to a stranger (user 1234)" in only(rights.drivers_dir, bed.patient(config))[1]


def test_a_state_directory_that_is_closed_to_us(bed: Sickbed, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the service's is for everybody else."""
    patient = bed.patient()
    monkeypatch.setattr(os, "access", lambda path, _: path != bed.state)
    assert only(rights.state, patient)[::2] == (State.UNKNOWN, "sudo sensorpost doctor")


def test_what_may_not_be_looked_at(bed: Sickbed, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, with the way to see it."""
    original = Path.stat

    def refuse(path: Path, **kwargs: bool) -> object:
        if path.name == "spool.db":
            raise PermissionError(13, "no")
        return original(path, **kwargs)

    bed.file("/var/lib/sensorpost/spool.db")
    patient = bed.patient()
    monkeypatch.setattr(Path, "stat", refuse)
    assert only(rights.state, patient)[::2] == (State.UNKNOWN, "sudo sensorpost doctor")
