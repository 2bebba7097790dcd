"""The numbers that stand for devices in the spool's file: device, topic and the rest of what their rows share."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.record import Stream
from gateway.delivery.store import Row


class Streams:
    """As the file has them."""

    def __init__(self) -> None:
        self._streams: dict[int, Stream] = {}
        self._numbers: dict[Stream, int] = {}

    def load(self, file: SpoolFile) -> None:
        """Learn them from the file."""
        self._streams = file.streams()
        self._numbers = {stream: number for number, stream in self._streams.items()}

    @contextlib.contextmanager
    def transaction(self, file: SpoolFile) -> Iterator[None]:
        """As the file's; numbers that were given in one that fails are not given."""
        known = dict(self._numbers)
        try:
            with file.transaction():
                yield
        except sqlite3.Error:
            self._numbers = known
            raise

    def number(self, file: SpoolFile, stream: Stream) -> int:
        """Its number, given on first use."""
        number = self._numbers.get(stream)
        if number is None:
            number = file.stream(stream)
            self._streams[number] = stream
            self._numbers[stream] = number
        return number

    def known(self, stream: Stream) -> int | None:
        """Its number, if it has one."""
        return self._numbers.get(stream)

    def get(self, number: int) -> Stream | None:
        """What a number stands for."""
        return self._streams.get(number)

    def any_of(self, device: str) -> int | None:
        """A number that stands for a device."""
        return next((number for number, stream in self._streams.items() if stream.device == device), None)


def stream_of(row: Row) -> Stream:
    """What a row has in common with others of its device."""
    return Stream(row.device, row.topic, str(row.kind), row.retain, row.batched)
