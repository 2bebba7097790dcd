"""What is in the way of an installation is told before anything is changed, and a removal takes only what is ours."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from support.service_machine import SOURCE, FakeMachine

from gateway.service.install import install
from gateway.service.machine import CannotError
from gateway.service.places import COMMAND, CURRENT, HOME, PACKAGED, STAMP
from gateway.service.state import state
from gateway.service.uninstall import uninstall


def put(machine: FakeMachine, path: str) -> None:
    """A file of somebody's."""
    machine.path(path).parent.mkdir(parents=True, exist_ok=True)
    machine.path(path).write_text("theirs")


def point(machine: FakeMachine, path: str) -> None:
    """A link of somebody's."""
    machine.path(path).parent.mkdir(parents=True, exist_ok=True)
    machine.path(path).symlink_to("/home/pi/sensorpost/sensorpost")


def dangle(machine: FakeMachine, path: str) -> None:
    """A link to a disk that is not there."""
    machine.path(path).parent.mkdir(parents=True, exist_ok=True)
    machine.path(path).symlink_to("../nothing")


@pytest.mark.parametrize(
    ("make", "path", "words"),
    [
        (put, COMMAND, f"{COMMAND} is not ours: move it away"),
        (point, COMMAND, f"{COMMAND} is not ours, it leads to /home/pi/sensorpost/sensorpost: move it away"),
        (put, CURRENT, f"{CURRENT} is not ours: move it away"),
        (put, "/etc/sensorpost", "/etc/sensorpost is in the way, since it is no folder: move it away"),
        (dangle, "/var/lib/sensorpost", "/var/lib/sensorpost is in the way, since it is no folder: move it away"),
        (put, PACKAGED, "sensorpost is here as a Debian package, .* sudo apt remove sensorpost first"),
    ],
)
def test_what_is_in_the_way(
    machine: FakeMachine, make: Callable[[FakeMachine, str], None], path: str, words: str
) -> None:
    """Nothing has changed when it is told: no user, no file, no environment."""
    make(machine, path)
    with pytest.raises(CannotError, match=words):
        install(machine, SOURCE)
    assert (machine.changed, machine.lines) == (0, [])


def test_a_checkout_at_the_place_of_the_environment(machine: FakeMachine) -> None:
    """A removal would have taken it along."""
    here = dataclasses.replace(SOURCE, packages=machine.path(HOME))
    with pytest.raises(CannotError, match=f"this checkout lies in {HOME}, .*: move it elsewhere"):
        install(machine, here)
    assert machine.changed == 0


def test_the_packages_files_are_not_removed(machine: FakeMachine) -> None:
    """Dpkg would believe that they are there."""
    put(machine, PACKAGED)
    put(machine, f"{CURRENT}/bin/sensorpost")
    with pytest.raises(CannotError, match="is here as a Debian package"):
        uninstall(machine, purge=True)
    assert machine.exists(f"{CURRENT}/bin/sensorpost")
    machine.path(f"{CURRENT}/{STAMP}").write_text("1.2.3 as a Debian package\n")
    assert (state(machine)["installed"], state(machine)["environment"]) == ("1.2.3", CURRENT)


def test_something_else_beside_the_environment(machine: FakeMachine) -> None:
    """It stays, and is named."""
    install(machine, SOURCE)
    put(machine, f"{HOME}/notes.txt")
    assert f"left: {HOME}, where something else lies: notes.txt" in uninstall(machine, purge=True)
    assert [path.name for path in machine.path(HOME).iterdir()] == ["notes.txt"]


def test_folders_that_are_links(machine: FakeMachine) -> None:
    """To another disk: they serve, and a purge says what it did not go into."""
    machine.path("/disk").mkdir()
    machine.path("/var/lib").mkdir(parents=True)
    machine.path("/var/lib/sensorpost").symlink_to("../../disk")
    install(machine, SOURCE)
    assert machine.path("/var/lib/sensorpost").is_symlink()
    assert uninstall(machine, purge=True) == ["left: what /var/lib/sensorpost was a link to, ../../disk"]


@pytest.mark.parametrize("path", ["/var/lib/sensorpost", "/opt", "/etc/udev"])
def test_links_out_of_an_image(machine: FakeMachine, tmp_path: Path, path: str) -> None:
    """They are absolute, and mean the image's own disk, not that of the machine on which it is made."""
    outside = tmp_path / "outside"
    outside.mkdir()
    machine.path(path).parent.mkdir(parents=True, exist_ok=True)
    machine.path(path).symlink_to(outside)
    for do in (lambda: install(machine, SOURCE), lambda: uninstall(machine, purge=True)):
        with pytest.raises(CannotError, match=f"^{path}.* of the image leads out of it, to {outside}"):
            do()
    assert list(outside.iterdir()) == []


def test_what_cannot_be_removed(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is named, not only the last name in it."""
    install(machine, SOURCE)
    monkeypatch.setattr("shutil.rmtree", Mock(side_effect=OSError(errno.EPERM, "Operation not permitted", "x")))
    with pytest.raises(CannotError, match=r"^/opt/sensorpost cannot be removed: x: Operation not permitted$"):
        uninstall(machine, purge=True)
