"""``sensorpost doctor``: what is wrong on this machine, each with its fix."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import FAILED, OK
from gateway.cli.options import config_option, example, json_option
from gateway.cli.output import note, out, out_json

if TYPE_CHECKING:
    from gateway.config.errors import Problem
    from gateway.doctor.finding import Finding
    from gateway.doctor.patient import Patient

CREDENTIALS = "/run/credentials/sensorpost.service"
"""Where systemd keeps those of the running service; root may look."""


@click.command(
    epilog=example("sensorpost doctor", "sensorpost doctor --json | jq 'select(.state == \"problem\") | .fix'")
)
@config_option
@json_option('Print one value per finding: {"check", "state": "ok|hint|problem|unknown", "text", "fix"}.')
def command(config: Path | None, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """What is wrong on this machine and with this configuration, each with its fix to paste.

    Looks at buses and ports, rights, libraries, power, clock, disk, brokers, spool and service. Changes nothing and
    needs no rights; what it could not see without them it says. Exit code 1 when something is wrong; hints do not
    count.
    """
    from gateway.doctor.examination import examine  # noqa: PLC0415 (all that follows needs the whole gateway)
    from gateway.doctor.finding import State  # noqa: PLC0415
    from gateway.status import logs  # noqa: PLC0415

    logs.setup(logs.NOTHING, "text")
    findings = examine(patient_of(config))
    wrong = sum(finding.state is State.PROBLEM for finding in findings)
    if as_json:
        for finding in findings:
            out_json(finding.as_json())
    else:
        show(findings)
    if wrong:
        note(f"sensorpost: {wrong} problem{'s' if wrong > 1 else ''} found")
    return FAILED if wrong else OK


def show(findings: Sequence[Finding]) -> None:
    """Problems first, then hints, then what could not be seen; of what is fine only the number."""
    from gateway.doctor.finding import State  # noqa: PLC0415

    titles = {State.PROBLEM: "PROBLEM", State.HINT: "hint", State.UNKNOWN: "unknown"}
    for state, title in titles.items():
        for finding in findings:
            if finding.state is state:
                out(f"{title} {finding.check}: {finding.text}")
                if finding.fix:
                    out(f"    {finding.fix}")
    fine = sum(finding.state is State.OK for finding in findings)
    out(f"{fine} check{'' if fine == 1 else 's'} found nothing wrong")


def patient_of(config: Path | None, root: Path = Path("/")) -> Patient:
    """The machine, with the configuration that was asked for or is found, whether or not it means anything."""
    from gateway.config import source  # noqa: PLC0415
    from gateway.config.errors import ConfigErrors  # noqa: PLC0415
    from gateway.config.load import load  # noqa: PLC0415
    from gateway.doctor.machine import Machine  # noqa: PLC0415
    from gateway.doctor.patient import Patient, is_run_by, unit_of, user_of  # noqa: PLC0415
    from gateway.paths import SERVICE_RUNTIME, control_socket, state_directory  # noqa: PLC0415

    machine, environ = Machine(root), dict(os.environ)
    path = source.find(config, environ, source.here())
    unit = unit_of(machine)
    is_service = unit is not None and is_run_by(unit, path)
    if is_service and os.path.isdir(CREDENTIALS):  # noqa: PTH112 (Path would raise where it may not look)
        environ.setdefault("CREDENTIALS_DIRECTORY", CREDENTIALS)
    settings, document = None, None
    mistakes: tuple[Problem, ...] = ()
    try:
        document = source.read(path, environ, source.here())
        settings = load(path, environ=environ)
    except ConfigErrors as errors:
        mistakes = errors.problems
    folder = state_directory(path, environ)
    return Patient(
        machine=machine,
        user=user_of(machine, unit if is_service else None, environ),
        state_dir=folder,
        settings=settings,
        mistakes=mistakes,
        document=document,
        unit=unit,
        sockets=tuple(dict.fromkeys((control_socket(folder, environ), SERVICE_RUNTIME / "control.sock"))),
    )
