"""What the spool's file holds, counted: per device for the size limit, per earlier run for ``gateway/runs``."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from gateway.delivery.payload import encode_json
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.record import unpack_last
from gateway.delivery.store import Counts

MOST_RUNS = 50
MOST_BYTES = 64 * 1024


@dataclass(slots=True)
class RunAccount:
    """One start of the gateway, as the spool knows it."""

    number: int
    run: str
    boot_id: str
    exact: bool
    last_seq: dict[str, int] = field(default_factory=dict)
    queued: int = 0
    dead: int = 0
    unknown_losses: int = 0
    """Dropped readings of which the device is not known: those of files of the first layout."""
    losses: Counter[str] = field(default_factory=Counter)
    """Dropped readings per device."""

    @property
    def dropped(self) -> int:
        """How many readings were dropped."""
        return self.unknown_losses + self.losses.total()

    def as_object(self) -> dict[str, Any]:
        """One element of ``gateway/runs``."""
        return {
            "run": self.run,
            "last_seq": self.last_seq,
            "exact": self.exact,
            "queued": self.queued,
            "dead": self.dead,
            "dropped": self.dropped,
        }


class Accounts:
    """Kept beside the file, so that nothing has to be counted there while it runs."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = defaultdict(int)
        self.bytes: dict[str, int] = defaultdict(int)
        self.total = 0
        self.dead = 0
        self.dead_bytes = 0
        self.waiting: Counter[tuple[str, int]] = Counter()
        """Rows of the log per device and run's number."""
        self.died_of: Counter[tuple[str, int]] = Counter()
        """Dead letters, the same."""
        self.runs: dict[int, RunAccount] = {}

    def load(self, file: SpoolFile) -> None:
        """Count what an existing file holds. Adds row 0's newest seqs to the run that wrote it."""
        devices = {number: stream.device for number, stream in file.streams().items()}
        for number, run, boot_id, exact, dropped, last in file.runs():
            account = RunAccount(number, run, boot_id, exact, unknown_losses=dropped)
            self._merge(account, last, devices)
            self.runs[number] = account
        for run_number, stream, count in file.losses():
            if run_number in self.runs:
                self.runs[run_number].losses[devices.get(stream, "")] += count
        newest = file.newest()
        if newest is not None and newest[0] in self.runs:
            self._merge(self.runs[newest[0]], newest[1], devices)
        for stream, run_number, count, size, _highest in file.counts():
            self.add(devices.get(stream, ""), run_number, size, count)
        for stream, run_number, count, size, _highest in file.counts("dead"):
            self.died(devices.get(stream, ""), run_number, size, count)

    def add(self, device: str, run: int, size: int, count: int = 1) -> None:
        """Rows were written, with ``size`` bytes of bodies; both negative: they are settled."""
        self.rows[device] += count
        self.bytes[device] += size
        self.total += count
        self.waiting[device, run] += count
        if run in self.runs:
            self.runs[run].queued += count

    def died(self, device: str, run: int, size: int, count: int = 1) -> None:
        """Rows became dead letters; both negative: were dropped from there."""
        self.dead += count
        self.dead_bytes += size
        self.died_of[device, run] += count
        if run in self.runs:
            self.runs[run].dead += count

    def named(self, counts: Counter[tuple[str, int]]) -> Counts:
        """With the run's name in the place of its number."""
        return Counter(
            {
                (device, self.runs[number].run): count
                for (device, number), count in counts.items()
                if number in self.runs
            }
        )

    def devices(self) -> list[str]:
        """The devices that have rows."""
        return [device for device, rows in self.rows.items() if rows > 0]

    def largest(self) -> str | None:
        """The device that holds most bytes."""
        device = max(self.bytes, key=self.bytes.__getitem__, default=None)
        return device if device is not None and self.rows[device] > 0 else None

    def is_newest(self, device: str, run: str, seq: int) -> bool:
        """Whether nothing of the device was accepted after this: a newer one that is gone has been live already."""
        runs = [self.runs[number] for number in sorted(self.runs, reverse=True) if device in self.runs[number].last_seq]
        return bool(runs) and (runs[0].run, runs[0].last_seq[device]) == (run, seq)

    def earlier(self, current: int) -> list[dict[str, Any]]:
        """``gateway/runs``: newest first, at most 50 and 64 KB."""
        objects: list[dict[str, Any]] = []
        size = 2
        for number in sorted(self.runs, reverse=True):
            if number == current:
                continue
            value = self.runs[number].as_object()
            size += len(encode_json(value)) + 1
            if size > MOST_BYTES or len(objects) >= MOST_RUNS:
                break
            objects.append(value)
        return objects

    @staticmethod
    def _merge(account: RunAccount, last: bytes, devices: dict[int, str]) -> None:
        for stream, seq in unpack_last(last).items():
            device = devices.get(stream)
            if device is not None:
                account.last_seq[device] = max(seq, account.last_seq.get(device, 0))
