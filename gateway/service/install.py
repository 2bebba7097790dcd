"""Install and upgrade: the same steps, each of which does nothing when its work is done already."""

from __future__ import annotations

import json
import os
from pathlib import Path

from gateway.service import accounts, environment, obstacles, units
from gateway.service.beginning import Beginning
from gateway.service.machine import CannotError, Machine
from gateway.service.places import CONFIG, CONFIG_DIR, FOLDERS, NOTES, STATE, USER
from gateway.service.requirements import config_texts, configured, wanted
from gateway.service.source import Source
from gateway.service.switch import switch, with_evidence

CONFIG_INVALID = 78


def install(machine: Machine, source: Source, *, start: bool = True, first: Beginning | None = None) -> list[str]:
    """All of it; lines that say what was not done here. ``CannotError`` when it failed.

    An upgrade that fails or is interrupted leaves what runs as it was; what a first installation has made stays, and
    the next one goes on from there. ``first`` is the configuration to begin with, where there is none yet.
    """
    os.umask(0o022)
    with machine.alone():
        return _install(machine, source, start=start, first=first)


def _install(machine: Machine, source: Source, *, start: bool, first: Beginning | None) -> list[str]:
    obstacles.look(machine, source)
    python, version = environment.find_python(machine)
    groups = accounts.made_groups(machine) + accounts.missing_groups(machine)
    machine.folder(CONFIG_DIR, 0o750, group=USER)
    machine.write(NOTES, json.dumps({"groups": groups}) + "\n")  # first: what follows can fail, and purge has to know
    accounts.make(machine)
    for folder, mode in FOLDERS:
        machine.folder(folder, mode, group=USER)
    machine.folder(STATE, 0o700, USER, USER)
    left = [f"{CONFIG} is there already and stays as it is"] if first and machine.exists(CONFIG) else []
    texts = _configure(machine, first.files if first else {CONFIG: source.read("config/service.toml")})
    folders = (source.packages / "drivers", machine.path("/etc/sensorpost/drivers"))
    needs = wanted(configured(texts), folders)
    mark = environment.stamp(source, needs, f"{python} {version}")
    before = units.runs_from(machine) or environment.in_use(machine)
    slot = before
    if slot is None or not environment.is_whole(machine, slot, mark):
        slot = environment.other(before)
        if not environment.is_whole(machine, slot, mark):  # as it is after a run that did not get further
            environment.build(machine, slot, source, needs, python=python, mark=mark)
        _accepts(machine, slot, before)
    switch(machine, source, slot, before, start=start)
    return [*left, _no_systemd(machine)] if start and not machine.runs_systemd else left


def _configure(machine: Machine, first: dict[str, str]) -> dict[str, str]:
    """Write the files to begin with, where there is no configuration yet, and let the service read it; its texts."""
    if not machine.exists(CONFIG):
        for path in sorted(first, key=CONFIG.__eq__):  # last: when it is there, so is all that it names
            machine.write(path, first[path], 0o640, USER)
    texts = config_texts(machine.root)
    for path in texts:
        machine.readable(f"/{Path(path).relative_to(machine.root)}", USER)
    return texts


def _accepts(machine: Machine, slot: str, before: str | None) -> None:
    """A configuration that only the new version refuses would keep it from starting: say so before anything changes."""
    if machine.dry or before is None:
        return
    answers = [machine.ask(f"{place}/bin/sensorpost", "check", "-c", CONFIG) for place in (before, slot)]
    if answers[0][0] == 0 and answers[1][0] == CONFIG_INVALID:
        conclusion = "the new version refuses the configuration; the one before it still runs"
        raise CannotError(with_evidence(conclusion, answers[1][1]))


def _no_systemd(machine: Machine) -> str:
    where = "in an image" if not machine.is_this_one else "here"
    return f"systemd does not run {where}, so nothing was started: the service starts with the next boot"
