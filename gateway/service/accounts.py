"""The user of the service, and the groups that own devices."""

from __future__ import annotations

import json

from gateway.service.machine import Machine
from gateway.service.places import GROUPS, NOTES, STATE, USER


def make(machine: Machine) -> list[str]:
    """Make those that are missing, with the tools that every Debian has; the groups that were made, now or earlier."""
    made = made_groups(machine)
    for group in (*GROUPS, USER):
        if machine.number("group", group) is None:
            machine.run(f"make the group {group}", "groupadd", "--system", group)
            made.append(group)
    if machine.number("user", USER) is None:
        options = ("--system", "--gid", USER, "--home-dir", STATE, "--no-create-home", "--shell", "/usr/sbin/nologin")
        machine.run(f"make the user {USER}", "useradd", *options, "--comment", "Sensors to MQTT", USER)
    return made


def made_groups(machine: Machine) -> list[str]:
    """The groups that an earlier installation made."""
    try:
        notes = json.loads(machine.text(NOTES) or "{}")
        return [str(group) for group in notes.get("groups", [])]
    except (ValueError, AttributeError):
        return []


def remove(machine: Machine, groups: list[str]) -> None:
    """Take the user away, and the groups that were made for it and that nobody is in."""
    if machine.number("user", USER) is not None:
        machine.run(f"remove the user {USER}", "userdel", USER, may_fail=True)
    members = {line.split(":")[0]: line.split(":")[3] for line in machine.text("/etc/group").splitlines() if line}
    for group in dict.fromkeys((*groups, USER)):
        if group in members and not members[group]:
            machine.run(f"remove the group {group}", "groupdel", group, may_fail=True)
