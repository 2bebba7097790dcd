"""Which accepted reading is missing? Decided from what a subscriber has seen and what the spool holds.

Of each device and run every ``seq`` from 1 to the highest that anybody knows was accepted: the subscriber has seen it,
or the spool's run table has it, where it is written in the transaction that stores the reading. (So this holds for
``durability = "full"``, and for others when no process was killed.) An accepted reading that is not delivered, not in
the spool, not a dead letter and not counted as dropped is lost, and that is a defect.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from support.faults.recorder import Record
from support.faults.spool_content import Identity, SpoolContent

Account = tuple[str, str]
"""(device, run)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Figures of a campaign; ``lost`` and ``violations`` must be empty."""

    accepted: int
    delivered: int
    waiting: int
    dead: int
    dropped: int
    duplicates: int
    lost: list[Identity]
    violations: list[str]

    def line(self, campaign: str, kills: str) -> str:
        """The summary of a campaign, for people."""
        return (
            f"{campaign}: {kills}, {self.accepted} accepted, {self.delivered} delivered, {self.waiting} in the spool, "
            f"{self.dead} dead, {self.dropped} dropped, {self.duplicates} duplicates, {len(self.lost)} lost"
        )


@dataclass(slots=True)
class Oracle:
    """Collects what is known of accepted readings while gateways come and go."""

    last_seq: dict[Account, int] = field(default_factory=lambda: defaultdict(int))
    dropped: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Per run, as its statuses or the spool counted."""
    violations: list[str] = field(default_factory=list)
    _content: SpoolContent = field(default_factory=SpoolContent)

    def look(self, content: SpoolContent) -> None:
        """The spool as it is now, with no gateway running. Call it after every end of a gateway."""
        if content.integrity != "ok":
            self.violations.append(f"the database is damaged: {content.integrity}")
        if content.damaged:
            self.violations.append(f"{content.damaged} row(s) with a wrong checksum")
        for run, stored in content.runs.items():
            self.dropped[run] = max(self.dropped[run], stored.dropped)
            for device, seq in stored.last_seq.items():
                if seq < self.last_seq[device, run]:
                    known = self.last_seq[device, run]
                    self.violations.append(f"{device} {run}: last_seq went back from {known} to {seq}")
                self.last_seq[device, run] = max(seq, self.last_seq[device, run])
        self._content = content

    def verdict(self, record: Record, run_of_life: dict[int, str]) -> Verdict:
        """Call it at the end, after the last :meth:`look`."""
        content = self._content
        last = dict(self.last_seq)
        for account, seen in record.readings.items():
            last[account] = max(last.get(account, 0), *seen)
        dropped = self._dropped(record, run_of_life)
        lost: list[Identity] = []
        for run in sorted({run for _, run in last}):
            missing = [
                (device, run, seq)
                for device, highest in ((device, seq) for (device, of), seq in last.items() if of == run)
                for seq in self._missing(device, run, highest, record)
            ]
            lost += missing[dropped.get(run, 0) :]
        return Verdict(
            accepted=sum(last.values()),
            delivered=record.distinct,
            waiting=len(content.waiting),
            dead=len(content.dead),
            dropped=sum(dropped.values()),
            duplicates=record.duplicates,
            lost=lost,
            violations=[*self.violations, *record.violations, *self._wrong_runs(record)],
        )

    def _missing(self, device: str, run: str, highest: int, record: Record) -> list[int]:
        seen = record.readings.get((device, run), {})
        content = self._content
        return [
            seq
            for seq in range(1, highest + 1)
            if seq not in seen and (device, run, seq) not in content.waiting and (device, run, seq) not in content.dead
        ]

    def _dropped(self, record: Record, run_of_life: dict[int, str]) -> dict[str, int]:
        """Per run: what its own statuses say; what later runs have dropped of it, only the spool says."""
        by_reason: dict[str, int] = defaultdict(int)
        spool_full: dict[str, int] = defaultdict(int)
        for (_device, life), status in record.statuses.items():
            run = run_of_life.get(life, "")
            for reason, count in status["dropped"].items():
                (spool_full if reason == "spool_full" else by_reason)[run] += count
        runs = {*by_reason, *spool_full, *self.dropped} - {""}
        return {run: by_reason[run] + max(spool_full[run], self.dropped[run]) for run in runs}

    def _wrong_runs(self, record: Record) -> list[str]:
        """``gateway/runs`` must say of an ended run what its spool says."""
        wrong = []
        for run, told in record.runs.items():
            mine = {device: seq for (device, of), seq in self.last_seq.items() if of == run and seq}
            if mine and told["last_seq"] != mine:
                wrong.append(f"gateway/runs says of {run}: {told['last_seq']}; its spool said {mine}")
        return wrong


def merged(*verdicts: Verdict) -> Verdict:
    """The sum of several gateways' verdicts."""
    first, *rest = verdicts
    for other in rest:
        first = replace(
            first,
            **{
                name: getattr(first, name) + getattr(other, name)
                for name in ("accepted", "delivered", "waiting", "dead", "dropped", "duplicates", "lost", "violations")
            },
        )
    return first
