"""From readings to rows: what is accepted gets its topic and its bytes, once and for all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.delivery.lanes import Lanes
from gateway.delivery.message import Message
from gateway.delivery.payload import encode
from gateway.delivery.store import Durability, Row, Store
from gateway.delivery.taps import Taps
from gateway.driver import Kind
from gateway.reading.reading import Reading
from gateway.status.ledger import Ledger

log = logging.getLogger(__name__)

UNWRITABLE = "unwritable"

LedgerOf = Callable[[Row], Ledger | None]
"""The account that a row belongs to; ``None`` for a row of an earlier run, which the store accounts for."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a device's readings go."""

    topic: str
    retain: bool
    batch_ns: int
    """How long an array on the batch topic is collected; 0: no batches."""
    durability: Durability = Durability.MEMORY
    expiry: int | None = None
    """Seconds that the broker may keep a retained reading; ``None``: for ever."""


class Intake:
    """Gives readings to the store and, once they are as safe as it promises, to the lanes."""

    def __init__(self, store: Store, lanes: Lanes, ledger_of: LedgerOf) -> None:
        self._store = store
        self._lanes = lanes
        self._ledger_of = ledger_of
        self._row_id = store.highest_id()
        self._newest: dict[str, Row] = {}
        self._told: set[str] = set()
        self.routes: Mapping[str, Route] = {}
        self.taps = Taps()
        for row in store.left_over():
            lanes.push(row)

    def accept(self, readings: Sequence[Reading]) -> None:
        """Take readings in; when the store is over its limit, the oldest of the largest device are dropped."""
        rows = self._rows(readings)
        refused = self._store.accept(rows)
        for row in refused:
            self._drop(row)
        for row in rows if not refused else [row for row in rows if row not in refused]:
            self._lanes.push(row, self.routes[row.device].batch_ns)
            if row.kind is not Kind.EVENT:
                self._newest[row.device] = row
            self.taps.offer(row.device, row.body)
        for row in self._store.make_room(self._lanes.evict):
            self._drop(row)

    def again(self) -> list[Message]:
        """The newest acknowledged reading of each sampled or state device: a broker that forgot has it again.

        One that is not acknowledged yet goes out by itself.
        """
        rows = [row for row in self._newest.values() if row.retain and row.settled]
        return [Message(row.topic, row.body, expiry=self.expiry_of(row.device)) for row in rows]

    def expiry_of(self, device: str) -> int | None:
        """How long the broker may keep a retained reading of a device; it may have left the configuration."""
        route = self.routes.get(device)
        return None if route is None else route.expiry

    def _rows(self, readings: Sequence[Reading]) -> list[Row]:
        """The rows of readings. One that cannot be written as JSON is dropped: it must not stop all others."""
        rows: list[Row] = []
        for reading in readings:
            try:
                body = encode(reading)
            except (ValueError, TypeError, OverflowError, RecursionError, OSError) as exc:
                if reading.device not in self._told:
                    self._told.add(reading.device)
                    log.warning("%s: a reading cannot be written as JSON and is dropped: %s", reading.device, exc)
                self._drop(self._row(reading, b""), UNWRITABLE)
            else:
                rows.append(self._row(reading, body))
        return rows

    def _row(self, reading: Reading, body: bytes) -> Row:
        route = self.routes[reading.device]
        self._row_id += 1
        return Row(
            id=self._row_id,
            device=reading.device,
            run=reading.run,
            seq=reading.seq,
            kind=reading.kind,
            wall_ns=reading.sample.wall_ns,
            clock=reading.sample.clock,
            durability=route.durability,
            topic=route.topic,
            retain=route.retain,
            batched=route.batch_ns > 0,
            body=body,
            boot_ns=reading.sample.boot_ns,
        )

    def _drop(self, row: Row, reason: str = "spool_full") -> None:
        """Count a row that was dropped, by default for want of room."""
        ledger = self._ledger_of(row)
        if ledger is not None:
            ledger.dropped(reason, outside=reason == UNWRITABLE)
