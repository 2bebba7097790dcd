"""Takes the service away, and with ``purge`` its configuration, readings and user, too."""

from __future__ import annotations

from gateway.service import accounts, obstacles, units
from gateway.service.machine import Machine
from gateway.service.places import (
    COMMAND,
    CONFIG_DIR,
    CURRENT,
    DROP_INS,
    FILES,
    HOME,
    SERVICE,
    SLOTS,
    STATE,
    UNIT,
    WANTED,
)


def uninstall(machine: Machine, *, purge: bool) -> list[str]:
    """Remove everything that ``install`` made; what was left, and why."""
    with machine.alone():
        return _uninstall(machine, purge=purge)


def _uninstall(machine: Machine, *, purge: bool) -> list[str]:
    obstacles.package(machine)
    obstacles.inside(machine)
    groups = accounts.made_groups(machine)
    if machine.runs_systemd and (machine.exists(UNIT) or units.is_active(machine)):
        machine.run("stop it", "systemctl", "stop", SERVICE, may_fail=True)
    machine.remove(WANTED)
    if obstacles.is_our_command(machine):
        machine.remove(COMMAND)
    for path in FILES.values():
        machine.remove(path)
    machine.remove(f"{DROP_INS}/clock.conf")
    drop_ins = machine.path(DROP_INS)
    if drop_ins.is_dir() and (purge or not any(drop_ins.iterdir())):
        machine.remove(DROP_INS)
    left = _remove_home(machine)
    if machine.runs_systemd and machine.changed:
        machine.run("tell systemd", "systemctl", "daemon-reload", may_fail=True)
        machine.run("tell systemd", "systemctl", "reset-failed", SERVICE, may_fail=True)
        machine.run("tell udev", "udevadm", "control", "--reload", may_fail=True)
    if not purge:
        data = [path for path in (CONFIG_DIR, STATE, DROP_INS) if machine.exists(path)]
        return [*left, *([f"left: {', '.join(data)} and their user sensorpost"] if data else [])]
    for path in (CONFIG_DIR, STATE):
        if machine.path(path).is_symlink():
            left.append(f"left: what {path} was a link to, {machine.path(path).readlink()}")
        machine.remove(path)
    machine.remove("/run/sensorpost")
    return [*left, *accounts.remove(machine, groups)]


def _remove_home(machine: Machine) -> list[str]:
    """Only what is ours in it, which is all as a rule; what else lies there is told."""
    ours = [path for path in (CURRENT, *SLOTS) if machine.exists(path)]
    here = machine.path(HOME)
    names = {".venv.new", *(path.rpartition("/")[2] for path in ours)}
    others = sorted({path.name for path in here.iterdir()} - names) if here.is_dir() else []
    for path in ours if others or here.is_symlink() else ():
        machine.remove(path)
    if others:
        return [f"left: {HOME}, where something else lies: {', '.join(others)}"]
    machine.remove(HOME)
    return []
