"""Holds what arrived against what was accepted, and tells what is missing from what is missing for a known reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.audit.account import Account, Identity
from gateway.audit.received import Received, Stream
from gateway.audit.sequence import Span, count

MOST_GAPS = 20
"""Gaps that are told one by one per device."""


@dataclass(slots=True)
class Expected:
    """What must have arrived."""

    spans: dict[Stream, Span] = field(default_factory=dict)
    """Per (device, run) the first and last number, both included."""
    singly: set[Identity] = field(default_factory=set)
    """Further readings outside of the spans."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that are missing without a known reason, or among which some are."""

    run: str
    first: int
    last: int


@dataclass(slots=True)
class DeviceVerdict:
    """One device."""

    device: str
    expected: int = 0
    received: int = 0
    """Of those that were expected."""
    missing: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    """Missing for a known reason: ``queued``, ``dead``, ``dropped``."""
    duplicates: int = 0
    out_of_order: int = 0
    gaps: list[Gap] = field(default_factory=list)

    @property
    def unexplained(self) -> int:
        """Missing and not accounted for."""
        return self.missing - sum(self.explained.values())

    def as_object(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "device": self.device,
            "expected": self.expected,
            "received": self.received,
            "missing": self.missing,
            "explained": {reason: self.explained[reason] for reason in ("dropped", "dead", "queued")},
            "unexplained": self.unexplained,
            "duplicates": self.duplicates,
            "out_of_order": self.out_of_order,
            "gaps": [{"run": gap.run, "first": gap.first, "last": gap.last} for gap in self.gaps],
        }


class Excuses:
    """How many readings may be missing, and why: by identity where it is known, else by count.

    Counts are per device; only what a gateway publishes of an earlier run is of all its devices together.
    """

    def __init__(self, account: Account, before: Account | None = None) -> None:
        """``before``: the account at the beginning; what was dropped or dead by then excuses nothing.

        Where it is known which readings wait, that others wait excuses nothing.
        """
        self._queued: Container[Identity] = account.queued or ()
        self._dead: Container[Identity] = account.dead or ()
        self._counts: dict[Stream, Counter[str]] = {}
        for run, figures in account.earlier.items():
            self._counts["", run] = _excuse(account, figures.queued, figures.dead, figures.dropped)
            if figures.losses is None:
                continue
            for device in figures.last_seq:
                self._counts[device, run] = Counter(dropped=figures.losses.get(device, 0))
        self._counts |= _by_device(account)
        if before is not None and before.run == account.run:
            for stream, counts in _by_device(before).items():
                if stream in self._counts:
                    self._counts[stream] -= Counter(dropped=counts["dropped"], dead=counts["dead"])

    def of(self, stream: Stream, spans: Iterable[Span]) -> tuple[Counter[str], list[Span]]:
        """What excuses these missing readings, and those that are not excused by their identity."""
        device, run = stream
        excused: Counter[str] = Counter()
        rest: list[Span] = []
        for first, last in spans:
            for seq in range(first, last + 1):
                why = self._why((device, run, seq))
                if why:
                    excused[why] += 1
                elif rest and rest[-1][1] == seq - 1:
                    rest[-1] = (rest[-1][0], seq)
                else:
                    rest.append((seq, seq))
        left = count(rest)
        pool = self._counts.get(stream, self._counts.get(("", run), Counter()))
        for reason in ("dropped", "dead", "queued"):
            some = max(0, min(left, pool[reason]))
            pool[reason] -= some
            excused[reason] += some
            left -= some
        return excused, rest if left else []

    def _why(self, identity: Identity) -> str:
        if identity in self._queued:
            return "queued"
        return "dead" if identity in self._dead else ""


def _by_device(account: Account) -> dict[Stream, Counter[str]]:
    """Of the run that is on: what excuses by count alone."""
    return {
        (device, account.run): _excuse(account, now.queued, now.dead, sum(now.dropped.values()))
        for device, now in account.devices.items()
    }


def _excuse(account: Account, queued: int, dead: int, dropped: int) -> Counter[str]:
    counts = {"queued": (account.queued, queued), "dead": (account.dead, dead), "dropped": (None, dropped)}
    return Counter({reason: count for reason, (identities, count) in counts.items() if identities is None})


def judge(received: Received, expected: Expected, excuses: Excuses, devices: Iterable[str]) -> list[DeviceVerdict]:
    """The verdict on each device, in the order given."""
    verdicts = {device: DeviceVerdict(device) for device in devices}
    for device, verdict in verdicts.items():
        verdict.duplicates = received.duplicates[device]
        verdict.out_of_order = received.out_of_order[device]
    for stream, spans in _missing(received, expected, verdicts).items():
        verdict = verdicts[stream[0]]
        verdict.missing += count(spans)
        excused, rest = excuses.of(stream, spans)
        verdict.explained += excused
        verdict.gaps += [Gap(stream[1], first, last) for first, last in rest][: MOST_GAPS - len(verdict.gaps)]
    for verdict in verdicts.values():
        verdict.received = verdict.expected - verdict.missing
    return list(verdicts.values())


def _missing(received: Received, expected: Expected, verdicts: Mapping[str, DeviceVerdict]) -> dict[Stream, list[Span]]:
    """What did not come; counts what was expected on the way."""
    missing: dict[Stream, list[Span]] = {}
    for (device, run), (first, last) in expected.spans.items():
        if device in verdicts and last >= first:
            verdicts[device].expected += last - first + 1
            missing[device, run] = list(received.seqs[device, run].missing(first, last))
    for device, run, seq in sorted(expected.singly):
        if device in verdicts:
            verdicts[device].expected += 1
            if seq not in received.seqs[device, run]:
                missing.setdefault((device, run), []).append((seq, seq))
    return {stream: spans for stream, spans in missing.items() if spans}
