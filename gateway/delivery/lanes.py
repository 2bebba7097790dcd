"""Decides what goes next, and where: live, history or batch (contract section 4). Pure: no threads, no MQTT, no disk.

Live goes first, one reading of one device after another in turn. Of a sampled or state device the live topic only ever
moves forward: a reading that is older than the live window while a newer one waits, or that was overtaken, is late. An
event is late by its age alone. Late readings travel in arrays, oldest first, beside live ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.delivery.payload import array
from gateway.delivery.row_queue import by_id, put_back, take_array
from gateway.delivery.store import Row, Store
from gateway.delivery.topics import Topics
from gateway.driver import Kind

CHUNK_ROWS = 100
CHUNK_BYTES = 32 * 1024
COPY_EVERY_NS = 1_000_000_000
"""A device with ``batch`` shows its newest reading on the live topic at most once a second."""


class Way(StrEnum):
    """How a message travels."""

    LIVE = "live"
    LATE = "late"
    BATCH = "batch"
    COPY = "copy"
    """The live copy of a reading that travels in a batch: not in the ledger."""
    CONTROL = "control"


@dataclass(slots=True, eq=False)
class Send:
    """One message for the broker and the rows that it settles."""

    way: Way
    topic: str
    payload: bytes
    retain: bool
    rows: tuple[Row, ...] = ()
    device: str = ""
    sent_ns: int = 0
    expiry: int | None = None
    """Seconds that the broker may keep it; of live readings the publisher knows."""


@dataclass(slots=True)
class _Lane:
    """What of one device waits to go live, in the order of acceptance."""

    waiting: deque[Row] = field(default_factory=deque)
    sent_live: int = 0
    """The highest row id that was sent live."""
    batch_ns: int = 0
    copied_ns: int | None = None
    copied: int = 0
    in_line: bool = False
    """Whether the device stands in the line for its turn."""


class Lanes:
    """The fresh rows of all devices."""

    def __init__(
        self,
        store: Store,
        live_window: float,
        *,
        inline: bool,
        prepare: Callable[[Row], None] = lambda _row: None,
    ) -> None:
        """``live_window`` in seconds; ``inline``: late readings go to the live topic, one by one, not retained.

        ``prepare`` is called for each row before its bytes are put into a message.
        """
        self._prepare = prepare
        self._store = store
        self._window_ns = int(live_window * 1e9)
        self._inline = inline
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[str] = deque()
        self._most_bytes = CHUNK_BYTES
        self.most_rows = CHUNK_ROWS
        """Readings in one array at most."""
        self.set_aside: Container[int] = ()
        """Ids of late rows that are not to be sent now."""
        self._held: dict[tuple[str, Way], int] = {}

    def configure(self, live_window: float, *, inline: bool) -> None:
        """As given to the constructor."""
        self._window_ns = int(live_window * 1e9)
        self._inline = inline

    def limit_packet(self, most_bytes: int | None) -> None:
        """The broker's largest packet; ``None`` when it named none."""
        self._most_bytes = CHUNK_BYTES if most_bytes is None else max(1, min(CHUNK_BYTES, most_bytes - 512))

    def push(self, row: Row, batch_ns: int = 0) -> None:
        """A row that the store has accepted. ``batch_ns``: how long its array may be collected."""
        lane = self._lanes.setdefault(row.device, _Lane())
        lane.batch_ns = batch_ns
        lane.waiting.append(row)
        self._line_up(row.device, lane)

    def hold(self, send: Send, until_ns: int) -> None:
        """Send nothing more of this device in the way of ``send`` before then (boot clock)."""
        self._held[send.device, send.way] = until_ns

    def next_live(self, now_ns: int) -> Send | None:
        """The next live message or batch that is due; ``None`` when there is none now."""
        for _ in range(len(self._ready)):
            device = self._ready.popleft()
            lane = self._lanes[device]
            lane.in_line = False
            send = self._from_lane(device, lane, now_ns)
            self._line_up(device, lane)
            if send is not None:
                return send
        return None

    def next_late(self, now_ns: int) -> Send | None:
        """The next array of late readings."""
        held = [device for device, way in tuple(self._held) if way is Way.LATE and self._is_held(device, way, now_ns)]
        most_rows = 1 if self._inline else self.most_rows
        rows: list[Row] = []
        while not rows:
            chunk = self._store.next_chunk(most_rows, self._most_bytes, held)
            if not chunk:
                return None
            rows = [row for row in chunk if row.id not in self.set_aside]
        for row in rows:
            self._prepare(row)
        first = rows[0]
        if self._inline and not first.batched:
            return Send(Way.LATE, first.topic, first.body, retain=False, rows=(first,), device=first.device)
        topic = Topics.batch(first.topic) if first.batched else Topics.history(first.topic)
        body = array(row.body for row in rows)
        return Send(Way.LATE, topic, body, retain=False, rows=tuple(rows), device=first.device)

    def next_due_ns(self, now_ns: int) -> int | None:
        """When a batch that is being collected, or a live copy, becomes due on the boot clock; ``None``: none is."""
        due: list[int] = []
        for device in self._ready:
            lane = self._lanes[device]
            if lane.waiting and lane.waiting[0].batched:
                if not self._is_held(device, Way.BATCH, now_ns):
                    due.append(lane.waiting[0].boot_ns + lane.batch_ns)
                if lane.waiting[-1].id > lane.copied and not self._is_held(device, Way.COPY, now_ns):
                    due.append(now_ns if lane.copied_ns is None else lane.copied_ns + COPY_EVERY_NS)
        return max(now_ns, min(due)) if due else None

    def relieve(self, now_ns: int) -> None:
        """Hand what has become late back to the store, for times when nothing can be sent."""
        for lane in self._lanes.values():
            self._demote_late(lane, now_ns)

    def give_back(self, sends: Iterable[Send]) -> None:
        """These messages were not acknowledged: their rows are fresh again, in their old places, and first in line.

        The oldest of them comes first of all: where the connection was dropped because of a reading, it most often is
        the oldest that was not acknowledged, and is found the sooner.
        """
        returned: dict[str, list[Row]] = {}
        for send in sends:
            if send.way in (Way.LIVE, Way.BATCH):
                returned.setdefault(send.device, []).extend(send.rows)
            elif send.way is Way.COPY:
                self._lanes[send.device].copied = 0
        for device in sorted(returned, key=lambda name: min(map(by_id, returned[name])), reverse=True):
            lane = self._lanes[device]
            lane.waiting = put_back(lane.waiting, returned[device])
            if lane.in_line:
                self._ready.remove(device)
            lane.in_line = True
            self._ready.appendleft(device)

    def evict(self, device: str) -> Row | None:
        """Take the oldest fresh row of a device out, to make room."""
        lane = self._lanes.get(device)
        if lane is None or not lane.waiting:
            return None
        return lane.waiting.popleft()

    def _is_held(self, device: str, way: Way, now_ns: int) -> bool:
        until_ns = self._held.get((device, way))
        if until_ns is None:
            return False
        if now_ns >= until_ns:
            del self._held[device, way]
            return False
        return True

    def _line_up(self, device: str, lane: _Lane) -> None:
        if lane.waiting and not lane.in_line:
            lane.in_line = True
            self._ready.append(device)

    def _from_lane(self, device: str, lane: _Lane, now_ns: int) -> Send | None:
        self._demote_late(lane, now_ns)
        if not lane.waiting:
            return None
        if lane.waiting[0].batched:
            return self._copy(device, lane, now_ns) or self._batch(device, lane, now_ns)
        if self._is_held(device, Way.LIVE, now_ns):
            return None
        row = lane.waiting.popleft()
        self._prepare(row)
        lane.sent_live = max(lane.sent_live, row.id)
        return Send(Way.LIVE, row.topic, row.body, row.retain, rows=(row,), device=device)

    def _demote_late(self, lane: _Lane, now_ns: int) -> None:
        """Take the late ones off the head of a lane."""
        waiting = lane.waiting
        late: list[Row] = []
        while waiting:
            row = waiting[0]
            old = now_ns - row.boot_ns > self._window_ns + (lane.batch_ns if row.batched else 0)
            if row.kind is Kind.EVENT:
                is_late = old
            else:
                overtaken = not row.batched and row.id < lane.sent_live
                is_late = overtaken or (old and len(waiting) > 1)
            if not is_late:
                break
            late.append(waiting.popleft())
        if late:
            self._store.demote(late)

    def _copy(self, device: str, lane: _Lane, now_ns: int) -> Send | None:
        """The newest reading for the live topic, when it is time for that."""
        newest = lane.waiting[-1]
        if newest.id <= lane.copied or self._is_held(device, Way.COPY, now_ns):
            return None
        if lane.copied_ns is not None and now_ns - lane.copied_ns < COPY_EVERY_NS:
            return None
        lane.copied, lane.copied_ns = newest.id, now_ns
        self._prepare(newest)
        return Send(Way.COPY, newest.topic, newest.body, newest.retain, device=device)

    def _batch(self, device: str, lane: _Lane, now_ns: int) -> Send | None:
        """The array, when it is due or full."""
        if self._is_held(device, Way.BATCH, now_ns):
            return None
        full = len(lane.waiting) >= self.most_rows or sum(len(row.body) + 1 for row in lane.waiting) >= self._most_bytes
        if not full and now_ns < lane.waiting[0].boot_ns + lane.batch_ns:
            return None
        rows = take_array(lane.waiting, self.most_rows, self._most_bytes)
        for row in rows:
            self._prepare(row)
        body = array(row.body for row in rows)
        return Send(Way.BATCH, Topics.batch(rows[0].topic), body, retain=False, rows=tuple(rows), device=device)
