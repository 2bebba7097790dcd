"""A set of sequence numbers in one bit each: a million readings take 125 kB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

SIZE = 8192
"""Numbers in one block."""
LARGEST = 2**53
"""No number beyond this is a ``seq``: a gateway that counts a million a second takes 285 years to it."""

Span = tuple[int, int]
"""First and last number."""


class Sequence:
    """Numbers from 1."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}
        self.count = 0
        self.lowest = 0
        self.highest = 0

    def add(self, number: int) -> bool:
        """Whether it is a new one."""
        block, bit = divmod(number, SIZE)
        bits = self._blocks.setdefault(block, bytearray(SIZE // 8))
        mask = 1 << (bit & 7)
        if bits[bit >> 3] & mask:
            return False
        bits[bit >> 3] |= mask
        self.lowest = number if not self.count else min(self.lowest, number)
        self.highest = max(self.highest, number)
        self.count += 1
        return True

    def __contains__(self, number: int) -> bool:
        block, bit = divmod(number, SIZE)
        bits = self._blocks.get(block)
        return bits is not None and bool(bits[bit >> 3] & (1 << (bit & 7)))

    def missing(self, first: int, last: int) -> Iterator[Span]:
        """What is not there between two numbers, both included: as few spans as it takes, in order."""
        number = first
        while number <= last:
            if number in self:
                number += self._full(number)
                continue
            start = number
            while number <= last and number not in self:
                number = number + self._empty(number) if number <= self.highest else last + 1
            yield start, min(last, number - 1)

    def _full(self, number: int) -> int:
        """How far one may step from a number that is there."""
        block, bit = divmod(number, SIZE)
        return SIZE if bit == 0 and self._blocks[block] == _FULL else 1

    def _empty(self, number: int) -> int:
        """How far one may step from a number that is not there."""
        block, bit = divmod(number, SIZE)
        return SIZE - bit if block not in self._blocks else 1


_FULL = bytearray(b"\xff" * (SIZE // 8))


def count(spans: Iterable[Span]) -> int:
    """How many numbers they are."""
    return sum(last - first + 1 for first, last in spans)
