"""Cards that come and go by themselves, at a gentle rhythm that is the same in every run with the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Generic, TypeVar

PAUSE, STAY = (4.0, 12.0), (1.5, 5.0)
"""Seconds between two visits, and how long one takes: the shortest and the longest."""

T = TypeVar("T")


class Visitors(Generic[T]):
    """Whose turn it is at a time: nobody at first, then one of these after the other."""

    def __init__(self, dice: random.Random, *who: T) -> None:
        self._dice = dice
        self._who = who
        self._began = self._ended = 0.0
        self._visitor: T | None = None

    def __call__(self, now: float) -> Sequence[T]:
        """Who is there; ``now`` never goes back."""
        while now >= self._ended:
            self._began = self._ended + self._dice.uniform(*PAUSE)
            self._ended = self._began + self._dice.uniform(*STAY)
            self._visitor = self._dice.choice(self._who)
        return [] if now < self._began or self._visitor is None else [self._visitor]
