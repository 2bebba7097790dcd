"""Reads late rows back from the spool's file, oldest first, without holding them all in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator

from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.record import Record
from gateway.delivery.store import Row

READ_AHEAD = 500


class Backlog:
    """The late rows on disk: a cursor into the log, the rows read ahead of their sending, and those under way.

    A stored row is *fresh* while the lanes have it; the scan passes over it, and if it becomes late after the scan has
    passed, the scan starts again from there once it has come to the end.
    """

    def __init__(self, row_of: Callable[[Record], Row | None], damaged: Callable[[int], None]) -> None:
        """``row_of`` makes a row of a record; ``damaged`` takes a row that cannot be read out of the file."""
        self._row_of = row_of
        self._damaged = damaged
        self._buffer: deque[Row] = deque()
        self._cursor = 0
        self._behind: int | None = None
        self.fresh: set[int] = set()
        self.under_way: dict[int, Row] = {}
        self.gone: set[int] = set()
        """Ids that are settled or unreadable; they may still be in the file until the next write."""
        self.unread = 0
        """Late rows on disk that were not read ahead yet."""

    def begin(self, file: SpoolFile, total: int) -> None:
        """The file was opened, with ``total`` rows in its log: all that is not known already is late."""
        known = {*self.fresh, *self.under_way, *self.gone, *(row.id for row in self._buffer)}
        self._cursor, self._behind = 0, None
        self.unread = total - sum(file.has(row_id) for row_id in known)

    def became_late(self, ids: Iterable[int]) -> None:
        """Stored rows that the lanes have given up."""
        for row_id in ids:
            self.fresh.discard(row_id)
            self.unread += 1
            self._read_again(row_id)

    def made_fresh(self, ids: Iterable[int]) -> None:
        """Unread rows that the lanes have taken."""
        for row_id in ids:
            self.fresh.add(row_id)
            self.unread -= 1

    def head(self, file: SpoolFile, skip: Container[str]) -> Row | None:
        """The oldest late row of a device that is not in ``skip``."""
        head = self._first(skip)
        if head is None and self.unread and self._read_ahead(file, skip):
            head = self._first(skip)
        return head

    def take(self, first: Row, most_rows: int, most_bytes: int) -> list[Row]:
        """``first`` and the rows read ahead that can travel with it; they are under way from now on."""
        chunk: list[Row] = []
        rest: deque[Row] = deque()
        size, full = 2, False
        for row in self._buffer:
            if not full and row.topic == first.topic and row.batched == first.batched:
                size += len(row.body) + 1
                full = len(chunk) >= most_rows or (bool(chunk) and size > most_bytes)
                if not full:
                    chunk.append(row)
                    continue
            rest.append(row)
        self._buffer = rest
        self.under_way.update((row.id, row) for row in chunk)
        return chunk

    def rows(self) -> list[Row]:
        """The rows that are here, and not in the file alone."""
        return [*self._buffer, *self.under_way.values()]

    def give_back(self, rows: Iterable[Row]) -> None:
        """Rows that were given out are to be sent again, with the same bytes; others are passed over."""
        back = [row for row in rows if self.under_way.pop(row.id, None) is not None]
        if back:
            self._buffer = deque(sorted((*back, *self._buffer), key=lambda row: row.id))

    def out(self, row_id: int) -> None:
        """A row that was fresh or under way is in the file no more."""
        self.fresh.discard(row_id)
        self.under_way.pop(row_id, None)

    def forget(self, row_id: int) -> None:
        """A row that was fresh or under way is settled; it will be out of the file with the next write."""
        self.out(row_id)
        self.gone.add(row_id)

    def written(self) -> None:
        """Pending deletions were carried out."""
        self.gone.clear()

    def oldest(self, file: SpoolFile, device: str, most: int) -> list[Row]:
        """Late rows of a device that are not under way, oldest first."""
        rows: list[Row] = []
        buffered = {row.id: row for row in self._buffer}
        for row in self._log(file):
            if row.device == device and row.id not in self.under_way and row.id not in self.fresh:
                rows.append(buffered.get(row.id, row))
                if len(rows) >= most:
                    break
        return rows

    def drop(self, ids: set[int]) -> None:
        """Late rows that are not under way were taken out by policy."""
        before = len(self._buffer)
        self._buffer = deque(row for row in self._buffer if row.id not in ids)
        self.unread -= len(ids) - (before - len(self._buffer))
        self.gone |= ids

    def _first(self, skip: Container[str]) -> Row | None:
        return next((row for row in self._buffer if row.device not in skip), None)

    def _read_again(self, row_id: int) -> None:
        if row_id <= self._cursor:
            self._behind = row_id if self._behind is None else min(self._behind, row_id)

    def _log(self, file: SpoolFile) -> Iterator[Row]:
        """The whole log in order, without what is settled."""
        position = 0
        while rows := file.scan(position, READ_AHEAD):
            for row_id, record in rows:
                row = self._row_of(record) if record is not None and row_id not in self.gone else None
                if row is not None:
                    yield row
            position = rows[-1][0]

    def _read_ahead(self, file: SpoolFile, skip: Container[str]) -> bool:
        """Fill the buffer with at least one row that may be sent; at most once round the log."""
        restarted = False
        known = {row.id for row in self._buffer}
        while True:
            rows = file.scan(self._cursor, READ_AHEAD)
            if not rows:
                if self._behind is None or restarted:
                    return False
                self._cursor, self._behind, restarted = self._behind - 1, None, True
                continue
            self._cursor = rows[-1][0]
            before = len(self._buffer)
            for row_id, record in rows:
                if row_id not in known and not self._is_taken(row_id):
                    self._put(row_id, record, skip)
            if len(self._buffer) > before:
                return True

    def _is_taken(self, row_id: int) -> bool:
        return row_id in self.fresh or row_id in self.under_way or row_id in self.gone

    def _put(self, row_id: int, record: Record | None, skip: Container[str]) -> None:
        row = self._row_of(record) if record is not None else None
        if row is None:
            self.unread -= 1
            self._damaged(row_id)
        elif row.device in skip:
            self._read_again(row_id)
        else:
            self.unread -= 1
            self._buffer.append(row)
