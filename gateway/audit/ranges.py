"""Sets of sequence numbers, kept as ranges: a run of a year is one pair of numbers as long as nothing is missing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """Whole numbers from 1. Adding in rising order costs next to nothing."""

    __slots__ = ("_highs", "_lows")

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        """``pairs``: first and last of each range, in any order; empty ones (first above last) are left out."""
        self._lows: list[int] = []
        self._highs: list[int] = []
        for low, high in sorted(pairs):
            if low > high:
                continue
            if self._highs and low <= self._highs[-1] + 1:
                self._highs[-1] = max(self._highs[-1], high)
            else:
                self._lows.append(low)
                self._highs.append(high)

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Ranges:
        """From single numbers."""
        return cls((number, number) for number in numbers)

    @classmethod
    def parse(cls, text: str) -> Ranges:
        """The reverse of ``str``. Raises ``ValueError``."""
        pairs = [part.strip().split("-") for part in text.split(",") if part.strip()]
        return cls((int(pair[0]), int(pair[-1])) for pair in pairs)

    def add(self, number: int) -> bool:
        """Put a number in; False when it was there already."""
        at = bisect_right(self._lows, number)
        if at and number <= self._highs[at - 1]:
            return False
        joins_left = bool(at) and self._highs[at - 1] == number - 1
        joins_right = at < len(self._lows) and self._lows[at] == number + 1
        if joins_left and joins_right:
            self._highs[at - 1] = self._highs[at]
            del self._lows[at], self._highs[at]
        elif joins_left:
            self._highs[at - 1] = number
        elif joins_right:
            self._lows[at] = number
        else:
            self._lows.insert(at, number)
            self._highs.insert(at, number)
        return True

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """First and last of each range, rising."""
        return list(zip(self._lows, self._highs, strict=True))

    @property
    def last(self) -> int:
        """The highest number; 0 when there is none."""
        return self._highs[-1] if self._highs else 0

    def __iter__(self) -> Iterator[int]:
        for low, high in self.pairs:
            yield from range(low, high + 1)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._lows, number)
        return bool(at) and number <= self._highs[at - 1]

    def __len__(self) -> int:
        return sum(self._highs) - sum(self._lows) + len(self._lows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and self.pairs == other.pairs

    __hash__ = None  # type: ignore[assignment] # it can change

    def __or__(self, other: Ranges) -> Ranges:
        return Ranges((*self.pairs, *other.pairs))

    def __sub__(self, other: Ranges) -> Ranges:
        left: list[tuple[int, int]] = []
        taken = iter(other.pairs)
        cut = next(taken, None)
        for low, high in self.pairs:
            start = low
            while cut is not None and cut[1] < start:
                cut = next(taken, None)
            while cut is not None and cut[0] <= high:
                left.append((start, cut[0] - 1))
                start = cut[1] + 1
                if cut[1] > high:
                    break
                cut = next(taken, None)
            left.append((start, high))
        return Ranges(left)

    def __and__(self, other: Ranges) -> Ranges:
        return self - (self - other)

    def __str__(self) -> str:
        """``12-15, 19``."""
        return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in self.pairs)

    def __repr__(self) -> str:
        return f"Ranges({str(self)!r})"

    def brief(self, most: int = 12) -> str:
        """For people: at most so many ranges, and how many more there are."""
        if len(self._lows) <= most:
            return str(self)
        shown = Ranges(self.pairs[:most])
        return f"{shown} and {len(self) - len(shown)} more"
