"""gateway/hardware/permission.py: the command that gives the right."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest

from gateway.hardware.permission import permission_hint


def belongs_to(path: Path, group: grp.struct_group, monkeypatch: pytest.MonkeyPatch) -> str:
    """The hint for a file of this group."""
    path.touch(0o600)
    monkeypatch.setattr(grp, "getgrgid", lambda number: group)
    monkeypatch.setattr(grp, "getgrnam", lambda name: group)
    return permission_hint(str(path), "dialout")


def test_the_group_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And this user, who is not in it, or is since a moment ago."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    outside, inside = (grp.struct_group(("i2c", "x", 998, members)) for members in ([], [user]))
    assert belongs_to(tmp_path / "a", outside, monkeypatch) == f"sudo usermod -aG i2c {user}, then log in again"
    assert "log in again, or restart the service" in belongs_to(tmp_path / "a", inside, monkeypatch)


def test_a_file_without_a_group_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Udev has not come to it yet, or never will."""
    root = grp.struct_group(("root", "x", 0, []))
    assert "udev" in belongs_to(tmp_path / "a", root, monkeypatch)


def test_where_nobody_can_tell() -> None:
    """The usual group, for the user to fill in the rest."""
    assert permission_hint("/dev/gone", "i2c") == "sudo usermod -aG i2c $USER, then log in again"


def test_a_unit_that_refuses_it(tmp_path: Path) -> None:
    """Owner and mode are right, so it is systemd's DeviceAllow=: another group would not help."""
    path = tmp_path / "ttyUSB0"
    path.touch()
    path.chmod(0o660)
    hint = permission_hint(str(path), "dialout")
    assert "restart the service" in hint
    assert "/etc/modules-load.d" in hint
    assert "usermod" not in hint
