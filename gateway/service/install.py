"""Install and upgrade: the same steps, each of which does nothing when its work is done already."""

from __future__ import annotations

import json
import os

from gateway.service import accounts, environment, units
from gateway.service.beginning import Beginning
from gateway.service.machine import CannotError, Machine
from gateway.service.places import (
    CLOCK,
    COMMAND,
    CONFIG,
    CURRENT,
    FILES,
    FOLDERS,
    NOTES,
    SERVICE,
    STAMP,
    STATE,
    TIMEKEEPERS,
    USER,
    WANTED,
)
from gateway.service.requirements import config_texts, configured, wanted
from gateway.service.source import Source

CONFIG_INVALID = 78


def install(machine: Machine, source: Source, *, start: bool = True, first: Beginning | None = None) -> list[str]:
    """All of it; lines that say what was not done here. ``CannotError`` when it failed.

    An upgrade that fails leaves what runs as it was; what a first installation has made stays, and the next one goes on
    from there. ``first`` is the configuration to begin with, where there is none yet.
    """
    os.umask(0o022)
    with machine.alone():
        return _install(machine, source, start=start, first=first)


def _install(machine: Machine, source: Source, *, start: bool, first: Beginning | None) -> list[str]:
    python, version = environment.find_python(machine)
    groups = accounts.make(machine)
    for folder, mode in FOLDERS:
        machine.folder(folder, mode, group=USER)
    machine.folder(STATE, 0o700, USER, USER)
    machine.write(NOTES, json.dumps({"groups": groups}) + "\n")  # now: what follows can fail, and purge has to know
    left = [f"{CONFIG} is there already and stays as it is"] if first and machine.exists(CONFIG) else []
    if not machine.exists(CONFIG):
        for path, text in (first.files if first else {CONFIG: source.read("config/service.toml")}).items():
            machine.write(path, text, 0o640, USER)
    folders = (source.packages / "drivers", machine.path("/etc/sensorpost/drivers"))
    needs = wanted(configured(config_texts(machine.root)), folders)
    before = environment.in_use(machine)
    mark = environment.stamp(source, needs, f"{python} {version}")
    fresh = before is None or machine.text(f"{before}/{STAMP}") != mark
    slot = environment.other(before) if fresh or before is None else before
    if fresh:
        environment.build(machine, slot, source, needs, python=python, mark=mark)
        _accepts(machine, slot, before)
    changed = machine.changed
    old_files = {path: machine.text(path) for path in (*FILES.values(), CLOCK)}
    for name, path in FILES.items():
        machine.write(path, source.read(f"systemd/{name}"))
    if any(machine.exists(path) for path in TIMEKEEPERS):
        machine.write(CLOCK, source.read("systemd/clock.conf"))
    machine.link(CURRENT, slot)
    machine.link(COMMAND, f"{CURRENT}/bin/sensorpost")
    machine.link(WANTED, f"/etc/systemd/system/{SERVICE}")
    if not machine.runs_systemd:
        return [*left, _no_systemd(machine)] if start else left
    if fresh or machine.changed > changed:
        units.learn(machine)
    if start and (fresh or machine.changed > changed or not units.is_active(machine)):
        _start(machine, before if fresh else None, old_files)
    return left


def _accepts(machine: Machine, slot: str, before: str | None) -> None:
    """A configuration that only the new version refuses would keep it from starting: say so before anything changes."""
    if machine.dry or before is None:
        return
    answers = [machine.ask(f"{place}/bin/sensorpost", "check", "-c", CONFIG) for place in (before, slot)]
    if answers[0][0] == 0 and answers[1][0] == CONFIG_INVALID:
        conclusion = "the new version refuses the configuration; the one before it still runs"
        raise CannotError(_with_evidence(conclusion, answers[1][1]))


def _start(machine: Machine, before: str | None, old_files: dict[str, str]) -> None:
    """Start it, or go back to what ran before when the new version does not become ready."""
    code, _ = machine.run("start it, and wait until it is ready", "systemctl", "restart", SERVICE, may_fail=True)
    if code == 0:
        return
    reason = units.why_not(machine)
    if before is None:
        raise CannotError(_with_evidence(f"it does not start; see: journalctl -u {SERVICE}", reason))
    machine.link(CURRENT, before)
    for path, text in old_files.items():
        if text:
            machine.write(path, text)
        else:
            machine.remove(path)
    machine.run("tell systemd", "systemctl", "daemon-reload")
    machine.run("start the version before it again", "systemctl", "restart", SERVICE, may_fail=True)
    state = "runs again" if units.is_active(machine) else "does not start either"
    raise CannotError(_with_evidence(f"the new version does not become ready; the one before it {state}", reason))


def _with_evidence(conclusion: str, lines: str) -> str:
    """What a person has to know, and below it, set off, what another program said of it."""
    return "\n".join([conclusion, *(f"  {line}" for line in lines.splitlines())])


def _no_systemd(machine: Machine) -> str:
    where = "in an image" if not machine.is_this_one else "here"
    return f"systemd does not run {where}, so nothing was started: the service starts with the next boot"
