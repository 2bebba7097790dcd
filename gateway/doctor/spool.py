"""What waits for the broker: dead letters, no room, damage, and two gateways that want the same file."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway.delivery.spool.lock import SpoolError, lock_path
from gateway.delivery.spool.salvage import asides
from gateway.delivery.spool.view import Contents, View
from gateway.doctor.finding import Finding, hint, problem, unknown
from gateway.doctor.machine import Unseen
from gateway.doctor.patient import Patient
from gateway.status.control import ControlError
from gateway.status.text import span

NEARLY = 0.8
OLD = 3600.0
"""Seconds that a reading may wait before it is worth a line."""


def spool(patient: Patient) -> Iterator[Finding]:
    """What is in the file, looked at without changing it."""
    path = path_of(patient)
    if path is None:
        return
    try:
        for aside in asides(path):
            text = f"the spool was damaged once; what could be read was saved, and the damaged file kept: {aside}"
            yield problem(f"{text}: the SD card may be failing", f"look at dmesg | grep mmc, then: sudo rm {aside}*")
        with View(path) as view:
            contents = view.contents()
    except FileNotFoundError:
        return
    except (SpoolError, PermissionError) as error:
        yield unknown(f"what waits in the spool: {error}", "sudo sensorpost doctor")
        return
    except sqlite3.Error as error:
        text = f"{path} cannot be read ({error}): the gateway mends a damaged spool when it starts"
        yield problem(text, "sudo systemctl restart sensorpost")
        return
    yield from _contents(patient, path, contents)


def _contents(patient: Patient, path: Path, contents: Contents) -> Iterator[Finding]:
    assert patient.settings is not None
    dead = {device: share.dead for device, share in contents.devices.items() if share.dead}
    if dead:
        which = ", ".join(f"{count} of {device}" for device, count in dead.items())
        yield problem(
            f"readings that the broker refused for good (dead letters): {which}",
            "sensorpost spool dead-letters shows why; spool retry sends them again, spool purge deletes them",
        )
    most = patient.settings.spool.max_size
    if contents.file_bytes > NEARLY * most:
        yield problem(
            f"{path} is nearly full ({contents.file_bytes / 1e6:.0f} of {most / 1e6:.0f} MB); then "
            + ("new readings are refused" if patient.settings.spool.when_full == "refuse_new" else "the oldest go"),
            f'mend the connection to the broker, or max_size = "{2 * most // 1_000_000}MB" in [spool]',
        )
    queued = sum(share.queued for share in contents.devices.values())
    age = patient.probes.now() - (contents.oldest_wall_ns or 0) / 1e9
    if queued and contents.oldest_wall_ns and age > OLD:
        yield hint(f"{queued} readings wait for the broker, the oldest for {span(age)}", "sensorpost spool status")


def sharing(patient: Patient) -> Iterator[Finding]:
    """A gateway that is not that of this configuration has the spool."""
    path = path_of(patient)
    if path is None:
        return
    try:
        text = patient.machine.read(lock_path(path))
        locks = patient.machine.read("/proc/locks")
    except Unseen as error:
        yield unknown(f"whether another gateway uses the spool: no right to read {error}", "sudo sensorpost doctor")
        return
    holder = int(text) if text.isdigit() else 0
    if not holder or not re.search(rf"FLOCK\s+ADVISORY\s+WRITE\s+{holder}\s", locks):
        return
    try:
        if any(patient.probes.answers(socket) is not None for socket in patient.sockets):
            return
    except ControlError:  # there is one, and it is not for us to talk to
        return
    yield problem(
        f"another gateway (process {holder}) uses the spool {path} and does not answer for this configuration: "
        "a second one on the same file refuses to start",
        f'path = "another.db" in [spool] and an id of its own in [gateway]; or end the other one: sudo kill {holder}',
    )


def path_of(patient: Patient) -> Path | None:
    """The spool's file; ``None`` without a configuration."""
    return patient.machine.path(patient.spool_file) if patient.spool_file else None
