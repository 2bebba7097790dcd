"""Who may use what: device files, secrets, the spool, and the folder of drivers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.config.report import is_secret
from gateway.doctor.finding import Finding, problem, unknown
from gateway.doctor.machine import Unseen
from gateway.doctor.needs import Kind
from gateway.doctor.patient import Patient

GROUPS: Mapping[Kind, str] = {"spi": "spi", "i2c": "i2c", "serial": "dialout", "gpio": "gpio"}


def groups(patient: Patient) -> Iterator[Finding]:
    """The gateway's user may open every device file that a device needs."""
    machine, user = patient.machine, patient.user
    closed: dict[str, list[str]] = {}
    for kind, usual in GROUPS.items():
        for node in dict.fromkeys(_nodes(patient, kind)):
            owner = machine.owner(node)
            if owner is None or owner.allows(user.uid, user.gids):
                continue
            if owner.gid and owner.mode & 0o060 == 0o060:
                closed.setdefault(patient.group(owner.gid), []).append(node)
            else:
                rule = f'KERNEL=="{node.removeprefix("/dev/")}", GROUP="{usual}", MODE="0660"'
                fix = f"echo '{rule}' | sudo tee -a /etc/udev/rules.d/61-sensorpost-local.rules && sudo udevadm trigger"
                yield problem(f"only root may use {node}, and the gateway runs as {user.name}", fix)
    for group, nodes in closed.items():
        again = "sudo systemctl restart sensorpost" if user.is_service else "then log out and in again"
        fix = f"sudo usermod -aG {group} {user.name}{' && ' if user.is_service else '; '}{again}"
        text = f"{user.name} is not in the group {group}, and so may not use {', '.join(nodes)}"
        yield problem(text, fix)


def _nodes(patient: Patient, kind: Kind) -> list[str]:
    needs = patient.needs(kind)
    if kind == "gpio" and needs:  # which chip is the header's only the kernel says; all have the same owner
        return [f"/dev/{name}" for name in patient.machine.names("/dev", "gpiochip*")][:1]
    return [need.node for need in needs if need.node]


def secrets(patient: Patient) -> Iterator[Finding]:
    """No other user of this machine can read a password or a key."""
    if patient.document is None:
        return
    folder = patient.document.files[0].parent if patient.document.files else Path()
    for source in patient.document.sources:
        owner = patient.machine.owner(source.path)
        if owner is not None and owner.mode & stat.S_IWOTH:
            text = f"everybody on this machine can change {source.path}, and with it what is run here"
            yield problem(text, f"sudo chmod o-w {source.path}")
        plain = [path for path, value in _secrets(source.data) if isinstance(value, str) and "${" not in value]
        if plain:
            yield from _readable(patient, source.path, f"has {plain[0]} in it", "640")
        for path, value in _secrets(source.data):
            if isinstance(value, dict) and isinstance(file := value.get("file"), str) and "${" not in file:
                yield from _readable(patient, folder / file, f"holds {path}", "600")
    for word in (patient.unit or {}).get("LoadCredential", "").split():
        name, _, path = word.partition(":")  # root reads it for the service, whoever owns it
        owner = patient.machine.owner(path) if path.startswith("/") else None
        if owner is not None and owner.mode & stat.S_IROTH:
            text = f"everybody on this machine can read {path}, the credential {name} of the service"
            yield problem(text, f"sudo chmod 600 {path}")
    if patient.mqtt and patient.mqtt.key_file:
        yield from _readable(patient, patient.mqtt.key_file, "holds mqtt.key_file", "600")


def _readable(patient: Patient, file: Path, what: str, mode: str) -> Iterator[Finding]:
    owner, user = patient.machine.owner(file), patient.user
    if owner is None:
        return
    share = f"sudo chgrp {user.name} {file} && sudo chmod 640 {file}"
    if owner.mode & stat.S_IROTH:
        text = f"everybody on this machine can read {file}, which {what}"
        yield problem(text, f"sudo chmod {mode} {file}" if user.uid in (0, owner.uid) else share)
    elif not owner.allows(user.uid, user.gids, 0o4):
        yield problem(f"{user.name}, who runs the gateway, may not read {file}, which {what}", share)


def _secrets(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """What stands under a key whose name says that it is a secret."""
    if isinstance(value, dict):
        for key, item in value.items():
            where = f"{path}.{key}" if path else str(key)
            if is_secret(str(key)) and (isinstance(item, str) or (isinstance(item, dict) and "file" in item)):
                yield where, item
            else:
                yield from _secrets(item, where)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item, path)


def state(patient: Patient) -> Iterator[Finding]:
    """The state directory and what is in it are the gateway's, and nobody else's."""
    machine, user = patient.machine, patient.user
    folder = machine.owner(patient.state_dir)
    if folder is None:
        return
    if folder.mode & 0o007:
        yield problem(
            f"everybody on this machine can look into {patient.state_dir}, where the readings wait",
            f"sudo chmod 750 {patient.state_dir}",
        )
    if not folder.allows(user.uid, user.gids, 0o7):
        yield _not_ours(patient, patient.state_dir, user.name)
        return
    if not os.access(machine.path(patient.state_dir), os.R_OK | os.X_OK):
        yield unknown(f"this user may not look into {patient.state_dir}", "sudo sensorpost doctor")
        return
    try:
        names = machine.names(str(patient.state_dir))
        owners = {name: machine.owner(patient.state_dir / name) for name in names if not name.endswith(".sock")}
    except Unseen as error:
        yield unknown(f"cannot look into {error} as this user", "sudo sensorpost doctor")
        return
    for name, owner in owners.items():
        if owner is not None and not owner.is_folder and not owner.allows(user.uid, user.gids):
            yield _not_ours(patient, patient.state_dir / name, user.name)
            return
    loose = next((name for name, owner in owners.items() if owner and not owner.is_folder and owner.mode & 0o004), "")
    if loose and folder.mode & 0o001 and not folder.mode & 0o006:
        yield problem(f"everybody can read {patient.state_dir / loose}", f"sudo chmod 600 {patient.state_dir / loose}")


def _not_ours(patient: Patient, path: Path, name: str) -> Finding:
    text = f"{name}, who runs the gateway, may not write {path}: readings would be kept in memory only"
    return problem(text, f"sudo chown -R {name}: {patient.state_dir}")


def drivers_dir(patient: Patient) -> Iterator[Finding]:
    """The gateway runs what is in the folder of drivers, so nobody else may write there."""
    folder = patient.settings.drivers_dir if patient.settings else None
    if folder is None:
        return
    trusted = {
        0,
        patient.user.uid,
        *(source.owner for source in (patient.document.sources if patient.document else ())),
    }
    places = [folder, *(folder / name for name in patient.machine.names(str(folder), "*.py"))]
    for place in places:
        owner = patient.machine.owner(place)
        if owner is not None and owner.mode & (stat.S_IWGRP | stat.S_IWOTH):
            text = f"others than the owner may write {place}, and the gateway runs what is in it"
            yield problem(text, f"sudo chmod -R go-w {folder}")
            return
        if owner is not None and owner.uid not in trusted:
            text = f"{place} belongs to a stranger (user {owner.uid}), so the gateway runs nothing of it"
            yield problem(text, f"sudo chown -R {patient.user.name}: {folder}")
            return
