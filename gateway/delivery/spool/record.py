"""A row of the spool as the file has it: numbers in the place of names, and a checksum over all of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

DAMAGED = "damaged on disk"
"""Why a row that cannot be read became a dead letter; it is of no use to send it."""
UNSYNCED = 1
"""Flag of a record: the wall clock was not trusted when it was read."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What the records of one device have in common."""

    device: str
    topic: str
    kind: str
    retain: bool
    batched: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the log. ``crc`` guards everything else in it but ``id``."""

    id: int
    stream: int
    run: int
    seq: int
    boot_ns: int
    wall_ns: int
    flags: int
    body: bytes

    def crc(self) -> int:
        """CRC-32 over the numbers and the body."""
        numbers = f"{self.stream},{self.run},{self.seq},{self.boot_ns},{self.wall_ns},{self.flags};"
        return zlib.crc32(self.body, zlib.crc32(numbers.encode()))

    def columns(self) -> tuple[object, ...]:
        """The row as it is stored."""
        numbers = (self.id, self.stream, self.run, self.seq, self.boot_ns, self.wall_ns, self.flags)
        return (*numbers, self.crc(), self.body)


def record_of(row: Sequence[Any]) -> Record | None:
    """A stored row, or ``None`` when its CRC is not right."""
    try:
        row_id, stream, run, seq, boot_ns, wall_ns, flags = row[:7]
        record = Record(row_id, stream, run, seq, boot_ns, wall_ns, flags, bytes(row[8]))
        return record if record.crc() == row[7] else None
    except (TypeError, ValueError, IndexError):
        return None


def pack_last(last: Iterable[tuple[int, int]]) -> bytes:
    """Pairs of stream id and seq as variable-length integers."""
    out = bytearray()
    for pair in last:
        for number in pair:
            rest = number
            while rest > 0x7F:
                out.append(rest & 0x7F | 0x80)
                rest >>= 7
            out.append(rest)
    return bytes(out)


def unpack_last(data: bytes) -> dict[int, int]:
    """The reverse of :func:`pack_last`; what does not parse is left out."""
    numbers: list[int] = []
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
    return dict(zip(numbers[::2], numbers[1::2], strict=False))
