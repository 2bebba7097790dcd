"""Talking to systemd, where it runs."""

from __future__ import annotations

from gateway.service.machine import Machine
from gateway.service.places import SERVICE, SLOTS

PROPERTIES = ("ActiveState", "SubState", "StatusText", "UnitFileState", "NRestarts", "MainPID", "MemoryCurrent")


def properties(machine: Machine) -> dict[str, str]:
    """What systemd says about the unit; empty where it does not run."""
    if not machine.runs_systemd:
        return {}
    code, output = machine.ask("systemctl", "show", "-p", ",".join(PROPERTIES), SERVICE)
    pairs = (line.partition("=") for line in output.splitlines())
    return {name: value for name, _, value in pairs} if code == 0 else {}


def is_active(machine: Machine) -> bool:
    """Whether the service runs."""
    return properties(machine).get("ActiveState") in ("active", "reloading")


def runs_from(machine: Machine) -> str | None:
    """The environment that the running service was started from; ``None`` when it does not run, or from elsewhere.

    Not always the one that the link leads to: an upgrade may have been killed between the two.
    """
    pid = properties(machine).get("MainPID", "0")
    try:
        program = machine.text(f"/proc/{pid}/cmdline").partition("\0")[0]
    except OSError:  # it ends just now
        return None
    return next((slot for slot in SLOTS if program.startswith(f"{slot}/")), None)


def learn(machine: Machine) -> None:
    """Let systemd and udev read what is new."""
    machine.run("tell systemd", "systemctl", "daemon-reload")
    machine.run("load the kernel's drivers", "systemctl", "restart", "systemd-modules-load", may_fail=True)
    machine.run("tell udev", "udevadm", "control", "--reload", may_fail=True)
    machine.run("give devices their names", "udevadm", "trigger", "--action=change", may_fail=True)
    machine.run("wait for them", "udevadm", "settle", "--timeout=10", may_fail=True)


def why_not(machine: Machine) -> str:
    """The last lines of the service's journal, for whoever finds that it does not start."""
    _, lines = machine.ask("journalctl", "-u", SERVICE, "-n", "8", "--no-pager", "-o", "cat")
    return lines
