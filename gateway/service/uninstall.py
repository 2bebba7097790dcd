"""Takes the service away, and with ``purge`` its configuration, readings and user, too."""

from __future__ import annotations

from gateway.service import accounts
from gateway.service.machine import Machine
from gateway.service.places import COMMAND, CONFIG_DIR, CURRENT, DROP_INS, FILES, HOME, SERVICE, STATE, UNIT, WANTED


def uninstall(machine: Machine, *, purge: bool) -> list[str]:
    """Remove everything that ``install`` made; what was left, and why."""
    with machine.alone():
        return _uninstall(machine, purge=purge)


def _uninstall(machine: Machine, *, purge: bool) -> list[str]:
    groups = accounts.made_groups(machine)
    if machine.runs_systemd and machine.exists(UNIT):
        machine.run("stop it", "systemctl", "stop", SERVICE, may_fail=True)
    machine.remove(WANTED)
    link = machine.path(COMMAND)
    if link.is_symlink() and str(link.readlink()).startswith(CURRENT):
        machine.remove(COMMAND)
    for path in FILES.values():
        machine.remove(path)
    machine.remove(f"{DROP_INS}/clock.conf")
    drop_ins = machine.path(DROP_INS)
    if drop_ins.is_dir() and (purge or not any(drop_ins.iterdir())):
        machine.remove(DROP_INS)
    machine.remove(HOME)
    if machine.runs_systemd and machine.changed:
        machine.run("tell systemd", "systemctl", "daemon-reload", may_fail=True)
        machine.run("tell systemd", "systemctl", "reset-failed", SERVICE, may_fail=True)
        machine.run("tell udev", "udevadm", "control", "--reload", may_fail=True)
    if not purge:
        left = [path for path in (CONFIG_DIR, STATE, DROP_INS) if machine.exists(path)]
        return (
            [f"left: {', '.join(left)} and their user sensorpost; to remove them too: uninstall --purge"]
            if left
            else []
        )
    machine.remove(CONFIG_DIR)
    machine.remove(STATE)
    machine.remove("/run/sensorpost")
    accounts.remove(machine, groups)
    return []
