"""Serial adapters on USB: two that cannot be told apart, and names that change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.doctor.finding import Finding, hint, problem
from gateway.doctor.machine import Machine
from gateway.doctor.patient import Patient
from gateway.scan.usb import Adapter, adapter

BY_ID, BY_PATH = "/dev/serial/by-id", "/dev/serial/by-path"
NUMBERED = re.compile(r"/dev/tty(USB|ACM)\d+")


def twins(patient: Patient) -> Iterator[Finding]:
    """Adapters of one kind without serial numbers share one name in by-id: it is that of the last one plugged in."""
    machine = patient.machine
    alike: dict[Adapter, list[str]] = {}
    for port in _ports(machine):
        found = adapter(machine, port)
        if found is not None:
            alike.setdefault(found, []).append(f"/dev/{port}")
    used = {machine.target(need.node): need for need in patient.needs("serial") if need.node.startswith("/dev/serial/")}
    for found, nodes in alike.items():
        if len(nodes) < 2:
            continue
        number = f"the serial number {found.serial}" if found.serial else "no serial number"
        kind = f"adapters of one kind ({found.id}) with {number}"
        text = f"{' and '.join(nodes)} are {kind}, so they share one name in {BY_ID}"
        needs = [used[node] for node in nodes if node in used and used[node].node.startswith(BY_ID)]
        paths = "; ".join(f"{link} is {node}" for node in nodes if (link := link_of(machine, BY_PATH, node)))
        fix = f"use the sockets' names: {paths or f'those in {BY_PATH}'}"
        if needs:
            devices = ", ".join(f"[devices.{need.device}]" for need in needs)
            yield problem(f"{text}: {devices} may get the other one after the next start", fix)
        else:
            yield hint(text, fix)


def names(patient: Patient) -> Iterator[Finding]:
    """Ports that are configured by a number that changes."""
    machine = patient.machine
    for need in patient.needs("serial"):
        if not (match := NUMBERED.fullmatch(need.node)):
            continue
        link = link_of(machine, BY_ID, need.node) or link_of(machine, BY_PATH, need.node)
        others = len([port for port in _ports(machine) if port.startswith(f"tty{match[1]}")]) > 1
        text = f"{need.node} of [devices.{need.device}] can get another number when it is plugged in again"
        fix = (
            f'port = "{link}" in [devices.{need.device}]' if link else f"use the port's name in {BY_ID}: ls -l {BY_ID}"
        )
        yield problem(f"{text}, and another adapter its number", fix) if others else hint(text, fix)


def link_of(machine: Machine, folder: str, node: str) -> str:
    """The port's name there; empty when it has none."""
    found = (f"{folder}/{name}" for name in machine.names(folder))
    return next((link for link in found if machine.target(link) == node), "")


def _ports(machine: Machine) -> list[str]:
    ports = (port for kind in ("ttyUSB*", "ttyACM*") for port in machine.names("/sys/class/tty", kind))
    return [port for port in ports if machine.exists(f"/dev/{port}")]
