"""The configuration itself."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.doctor.finding import Finding, hint, problem, unknown
from gateway.doctor.patient import Patient

ELSEWHERE = ("everybody on this machine can", "the gateway runs what is in")
"""Of warnings that are a problem of :mod:`gateway.doctor.rights`."""

ONLY_THE_SERVICE = ("systemd credentials", "the environment variable", "cannot be read: Permission denied")
"""Of mistakes that are none within the service."""
ROOT = "sudo sensorpost doctor"


def configuration(patient: Patient) -> Iterator[Finding]:
    """Every mistake, as ``check`` says it. Secrets that others can read are a check of their own."""
    for mistake in patient.mistakes:
        where = f"{mistake.file}:{mistake.line}" if mistake.line else mistake.file
        place = ": ".join(part for part in (where, mistake.path) if part)
        if not mistake.file:
            yield hint(
                "there is no configuration yet, so only the machine was looked at",
                "sensorpost init",
            )
        elif "this user may not read" in mistake.message:
            yield unknown(f"{place}: {mistake.message}, so no device or broker was looked at", ROOT)
        elif patient.user.is_service and any(words in mistake.message for words in ONLY_THE_SERVICE):
            text = f"{place}: {mistake.message}; only the service has it, so no device or broker was looked at"
            yield unknown(text, ROOT)
        else:
            yield problem(f"{place}: {mistake.message}", mistake.hint or f"correct it in {mistake.file}")
    for warning in patient.settings.warnings if patient.settings else ():
        if not any(words in warning for words in ELSEWHERE):
            yield hint(warning, "see docs/configuration.md")
    for device in patient.devices:
        if device.broken:
            yield problem(f"the driver of [devices.{device.device}] is broken: {device.broken}", "correct that file")
