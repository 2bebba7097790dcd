"""The systemd unit, where there is one."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.doctor.finding import Finding, hint, problem
from gateway.doctor.patient import Patient

JOURNAL = "journalctl -u sensorpost -n 50 --no-pager"
MANY = 3
"""Restarts since the unit was started."""


def service(patient: Patient) -> Iterator[Finding]:
    """Whether it runs, and will at the next start of the machine."""
    if patient.unit is None:
        return
    state = patient.probes.unit_state()
    if not state or state.get("LoadState") == "not-found":
        if state:
            yield problem("systemd does not know the unit that is installed", "sudo systemctl daemon-reload")
        return
    active, restarts = state.get("ActiveState", ""), state.get("NRestarts", "0")
    if active == "failed":
        why = state.get("Result", "")
        yield problem(
            f"the service has failed{f' ({why})' if why not in ('', 'success') else ''}: no device is read",
            f"{JOURNAL} shows why; then: sudo systemctl reset-failed sensorpost; sudo systemctl start sensorpost",
        )
    elif active == "activating" and state.get("SubState") == "auto-restart":
        yield problem("the service fails again and again: no device is read", f"{JOURNAL} shows why")
    elif active == "inactive":
        yield hint("the service is installed and does not run", "sudo systemctl start sensorpost")
    elif restarts.isdigit() and int(restarts) > MANY:
        yield problem(f"the service was restarted {restarts} times", f"{JOURNAL} shows why")
    if active != "failed" and state.get("UnitFileState") == "disabled":
        yield hint("the service will not start with the machine", "sudo systemctl enable sensorpost")
