"""Which accepted reading is missing? Decided from what a subscriber has seen and what the spool holds.

Of each device and run every ``seq`` from 1 to the highest that anybody knows was accepted: the subscriber has seen it,
or the spool's run table has it, where it is written in the transaction that stores the reading. (So this holds for
``durability = "full"``, and for others when no process was killed.) An accepted reading that is not delivered, not in
the spool, not a dead letter and not counted as dropped is lost, and that is a defect.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

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
    dropped: dict[Account, int] = field(default_factory=lambda: defaultdict(int))
    """As the spool has counted."""
    violations: list[str] = field(default_factory=list)
    _content: SpoolContent = field(default_factory=SpoolContent)

    def look(self, content: SpoolContent) -> None:
        """The spool as it is now, with no gateway running. Call it after every end of a gateway."""
        if content.integrity != "ok":
            self.violations.append(f"the database is damaged: {content.integrity}")
        if content.damaged:
            self.violations.append(f"{content.damaged} row(s) with a wrong checksum")
        for run, stored in content.runs.items():
            for device, count in stored.dropped.items():
                self.dropped[device, run] = max(count, self.dropped[device, run])
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
        for (device, run), highest in sorted(last.items()):
            lost += self._missing(device, run, highest, record)[dropped.get((device, run), 0) :]
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

    def _missing(self, device: str, run: str, highest: int, record: Record) -> list[Identity]:
        seen = record.readings.get((device, run), {})
        kept = self._content.waiting.keys() | self._content.dead.keys()
        every = ((device, run, seq) for seq in range(1, highest + 1) if seq not in seen)
        return [identity for identity in every if identity not in kept]

    def _dropped(self, record: Record, run_of_life: dict[int, str]) -> dict[Account, int]:
        """As the spool or the last status counted: each may know of more than the other."""
        found = dict(self.dropped)
        for (device, life), status in record.statuses.items():
            account = (device, run_of_life.get(life, ""))
            found[account] = max(found.get(account, 0), sum(status["dropped"].values()))
        return found

    def _wrong_runs(self, record: Record) -> list[str]:
        """``gateway/runs`` must say of an ended run what its spool says."""
        wrong = []
        for run, told in record.runs.items():
            mine = {device: seq for (device, of), seq in self.last_seq.items() if of == run and seq}
            if mine and told["last_seq"] != mine:
                wrong.append(f"gateway/runs says of {run}: {told['last_seq']}; its spool said {mine}")
        return wrong
