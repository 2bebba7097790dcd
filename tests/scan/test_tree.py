"""A machine's files, of which none may be readable."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gateway.scan.tree import Tree


def test_what_is_not_there_is_empty(machine: Any) -> None:
    """Nothing raises."""
    tree = machine.tree
    assert (tree.read("/nothing"), tree.names("/nothing"), tree.exists("/nothing")) == ("", [], False)
    assert (tree.model, tree.is_pi) == ("", False)
    machine.file("/folder/file")
    assert (tree.read("/folder"), tree.names("/folder/file")) == ("", [])


def test_a_folder_that_may_not_be_entered(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It seems empty."""

    def refuse(self: Path, pattern: str) -> Any:
        raise PermissionError

    monkeypatch.setattr(Path, "glob", refuse)
    assert machine.tree.names("/sys") == []


def test_names_are_in_the_order_of_their_numbers(machine: Any) -> None:
    """10 comes after 9."""
    for name in ("i2c-10", "i2c-9", "spi"):
        machine.file(f"/dev/{name}")
    assert machine.tree.names("/dev") == ["i2c-9", "i2c-10", "spi"]


def test_links_stay_in_the_machine(machine: Any) -> None:
    """The end of a link is a path of the machine; so it is on the machine itself."""
    machine.file("/dev/ttyS0")
    machine.link("/dev/serial0", "/dev/ttyS0")
    assert machine.tree.target("/dev/serial0") == "/dev/ttyS0"
    assert Tree(Path("/")).target("/proc/self") == os.path.realpath("/proc/self")


def test_permission(machine: Any) -> None:
    """What one may use needs no advice."""
    machine.file("/dev/ttyS0")
    assert machine.tree.permission("/dev/ttyS0", "dialout") == ""
    assert machine.tree.permission("/dev/ttyS1", "dialout").startswith("no permission: sudo usermod -aG dialout")


def test_a_raspberry_pi(machine: Any) -> None:
    """By its device tree, whose texts end with a NUL byte."""
    machine.pi()
    assert (machine.tree.model, machine.tree.is_pi) == ("Raspberry Pi 4 Model B Rev 1.5", True)
    assert machine.tree.config == "/boot/firmware/config.txt"
