"""An audit of what a database has: every run that the gateway knows, from its first reading to its last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.audit.account import Account
from gateway.audit.received import Received
from gateway.audit.verdict import DeviceVerdict, Excuses, Expected, judge


@dataclass(frozen=True, slots=True)
class PastAudit:
    """The outcome."""

    verdicts: list[DeviceVerdict]
    unknown: list[str]
    """Runs in the file that the gateway does not know any more; judged by their gaps alone."""
    newer: int
    """Readings of the run that is on after the file's last one: they may have come after the export."""


def audit_past(received: Received, account: Account, devices: frozenset[str], *, part: bool) -> PastAudit:
    """Judge an export. ``part``: each device of each run only from the first to the last reading that it has of it."""
    lasts = {
        (device, run): last for run, figures in account.earlier.items() for device, last in figures.last_seq.items()
    }
    newer = 0
    for device, figures in account.devices.items():
        highest = received.seqs[device, account.run].highest
        lasts[device, account.run] = min(highest, figures.read)
        if not devices or device in devices:
            newer += max(0, figures.read - highest)
    unknown: set[str] = set()
    expected = Expected()
    for stream in {*lasts, *received.seqs}:
        seqs = received.seqs[stream]
        if stream[1] != account.run and stream[1] not in account.earlier:
            unknown.add(stream[1])
        if not part:
            expected.spans[stream] = (1, lasts.get(stream, seqs.highest))
        elif seqs.count:
            expected.spans[stream] = (seqs.lowest, seqs.highest)
    every = {device for device, _run in expected.spans}
    chosen: Iterable[str] = sorted(every & devices if devices else every)
    return PastAudit(judge(received, expected, Excuses(account), chosen), sorted(unknown), newer)
