"""What an installation would stumble over, looked for before anything is changed."""

from __future__ import annotations

import os

from gateway.service.machine import CannotError, Machine
from gateway.service.places import (
    COMMAND,
    CONFIG_DIR,
    CURRENT,
    FILES,
    FOLDERS,
    HOME,
    PACKAGED,
    SLOTS,
    STATE,
    WANTED,
)
from gateway.service.source import Source


def look(machine: Machine, source: Source) -> None:
    """``CannotError`` with the first one that is there, and what to do."""
    package(machine)
    inside(machine)
    lies = source.packages.resolve()
    if lies.is_relative_to(machine.path(HOME)) and not any(lies.is_relative_to(machine.path(slot)) for slot in SLOTS):
        raise CannotError(
            f"this checkout lies in {HOME}, where the service has its environment: move it elsewhere, such as /usr/src"
        )
    for folder in (HOME, *(folder for folder, _ in FOLDERS), STATE):
        if machine.exists(folder) and not machine.path(folder).is_dir():
            raise CannotError(f"{folder} is in the way, since it is no folder: move it away, then start again")
    command = machine.path(COMMAND)
    if machine.exists(COMMAND) and not is_our_command(machine):
        shown = f", it leads to {command.readlink()}" if command.is_symlink() else ""
        raise CannotError(f"{COMMAND} is not ours{shown}: move it away, then start again")
    if machine.exists(CURRENT) and not machine.path(CURRENT).is_symlink():
        raise CannotError(f"{CURRENT} is not ours: move it away, then start again")


def inside(machine: Machine) -> None:
    """``CannotError`` where a link of an image leads out of it, into the machine that works on it."""
    files = (COMMAND, WANTED, *FILES.values())  # they are replaced, whatever they are; where they lie counts
    for path in (HOME, CONFIG_DIR, STATE, *(file.rpartition("/")[0] for file in files)):
        if not machine.path(path).resolve().is_relative_to(machine.root):
            raise CannotError(
                f"{path} of the image leads out of it, to {machine.path(path).resolve()}: change that link"
            )


def package(machine: Machine) -> None:
    """``CannotError`` where sensorpost is there as a Debian package: its files are dpkg's to change."""
    if machine.exists(PACKAGED):
        raise CannotError(
            "sensorpost is here as a Debian package, which apt upgrades and removes: to have it without one, "
            "sudo apt remove sensorpost first (configuration and readings stay)"
        )


def is_our_command(machine: Machine) -> bool:
    """Whether the command leads into the environment."""
    command = machine.path(COMMAND)
    return command.is_symlink() and os.fspath(command.readlink()).startswith(f"{CURRENT}/")
