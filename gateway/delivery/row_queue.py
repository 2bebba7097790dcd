"""Rows that wait in the order of acceptance: how they leave together, and how they come back."""

from __future__ import annotations

from collections import deque
from heapq import merge

from gateway.delivery.store import Row


def by_id(row: Row) -> int:
    """The order of acceptance."""
    return row.id


def take_array(waiting: deque[Row], most_rows: int, most_bytes: int) -> list[Row]:
    """Take the rows from the head that can travel in one array; at least one, whatever its size, if there is any.

    ``most_bytes`` counts the brackets and commas, too. A row that travels in another way than the first ends the array.
    """
    rows: list[Row] = []
    size = 2
    while waiting and len(rows) < most_rows:
        size += len(waiting[0].body) + 1
        if rows and (size > most_bytes or waiting[0].batched != rows[0].batched):
            break
        rows.append(waiting.popleft())
    return rows


def put_back(waiting: deque[Row], rows: list[Row]) -> deque[Row]:
    """The queue with ``rows``, given in any order, each in its place. ``waiting`` may have been changed or not."""
    rows = sorted(rows, key=by_id)
    if not waiting or waiting[-1].id < rows[0].id:
        waiting.extend(rows)
    elif rows[-1].id < waiting[0].id:
        waiting.extendleft(reversed(rows))
    else:
        return deque(merge(rows, waiting, key=by_id))
    return waiting
