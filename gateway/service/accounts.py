"""The user of the service, and the groups that own devices."""

from __future__ import annotations

import json

from gateway.service.machine import Machine
from gateway.service.places import GROUPS, NOTES, STATE, USER


def missing_groups(machine: Machine) -> list[str]:
    """Those that ``make`` will make."""
    return [group for group in (*GROUPS, USER) if machine.number("group", group) is None]


def make(machine: Machine) -> None:
    """Make those that are missing, with the tools that every Debian has."""
    for group in missing_groups(machine):
        machine.run(f"make the group {group}", "groupadd", "--system", group)
    if machine.number("user", USER) is None:
        options = ("--system", "--gid", USER, "--home-dir", STATE, "--no-create-home", "--shell", "/usr/sbin/nologin")
        machine.run(f"make the user {USER}", "useradd", *options, "--comment", "Sensors to MQTT", USER)


def made_groups(machine: Machine) -> list[str]:
    """The groups that an earlier installation made."""
    try:
        notes = json.loads(machine.text(NOTES) or "{}")
        return [str(group) for group in notes.get("groups", [])]
    except (ValueError, AttributeError, TypeError):
        return []


def remove(machine: Machine, groups: list[str]) -> list[str]:
    """Take the user away, and the groups that were made for it and that nobody else is in; what was left, and why."""
    users = [line.split(":") for line in machine.text("/etc/passwd").splitlines() if line.count(":") == 6]
    home = {parts[0]: parts[5] for parts in users}.get(USER)
    left = []
    takes_group = machine.number("group", USER) is not None
    if home is not None and home != STATE:
        left.append(f"left: the user {USER}, who was there before (home {home})")
        takes_group = USER in groups
    elif machine.number("user", USER) is not None:
        code, output = machine.run(f"remove the user {USER}", "userdel", USER, may_fail=True)
        left += [f"left: the user {USER}: {output}"] if code else []
        takes_group = takes_group and not code
    if takes_group and machine.told(f"remove the group {USER}") and machine.number("group", USER) is not None:
        code, output = machine.ask("groupdel", USER)  # else userdel has taken it along, as where nobody else is in it
        left += [f"left: the group {USER}: {output}"] if code else []
    lines = [line.split(":") for line in machine.text("/etc/group").splitlines() if line.count(":") == 3]
    members = {parts[0]: parts[3] for parts in lines}
    for group in dict.fromkeys(groups):
        if group == USER or group not in members:
            continue
        if members[group]:
            left.append(f"left: the group {group}, which {members[group]} is in")
        else:
            code, output = machine.run(f"remove the group {group}", "groupdel", group, may_fail=True)
            left += [f"left: the group {group}: {output}"] if code else []
    return left
