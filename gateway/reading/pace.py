"""How often: the pauses between attempts, and the most readings a second."""

from __future__ import annotations

import random


class Backoff:
    """Pauses in seconds: 1, then doubling to 60, each shortened by up to a fifth so that devices do not keep step.

    With ``patience``, after so many pauses running each is 10 minutes: for what costs more than a look.
    """

    FIRST = 1.0
    MOST = 60.0
    SLOW = 600.0

    def __init__(self, rng: random.Random, *, patience: int | None = None) -> None:
        self._rng = rng
        self._patience = patience
        self._pause = 0.0
        self._pauses = 0

    @property
    def is_slow(self) -> bool:
        """Whether patience is at its end."""
        return self._patience is not None and self._pauses > self._patience

    def next(self) -> float:
        """The pause before the next attempt."""
        self._pauses += 1
        self._pause = min(self.MOST, max(self.FIRST, self._pause * 2))
        return (self.SLOW if self.is_slow else self._pause) * self._rng.uniform(0.8, 1.0)

    def reset(self) -> None:
        """It worked."""
        self._pause = 0.0
        self._pauses = 0


class RateLimit:
    """A token bucket: ``rate`` readings a second, and as many at once (at least one)."""

    def __init__(self, rate: float, boot_ns: int) -> None:
        self._rate = rate
        self._most = max(1.0, rate)
        self._tokens = self._most
        self._since_ns = boot_ns

    def allows(self, boot_ns: int) -> bool:
        """Whether one more reading may pass at ``boot_ns``."""
        self._tokens = min(self._most, self._tokens + (boot_ns - self._since_ns) / 1e9 * self._rate)
        self._since_ns = boot_ns
        if self._tokens < 1.0 - 1e-9:
            return False
        self._tokens -= 1.0
        return True
