"""How often: the pauses between attempts, and the most readings a second."""

from __future__ import annotations

import random


class Backoff:
    """Pauses in seconds: 1, then doubling to 60, each shortened by up to a fifth so that devices do not keep step."""

    FIRST = 1.0
    MOST = 60.0

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._pause = 0.0

    def next(self) -> float:
        """The pause before the next attempt."""
        self._pause = min(self.MOST, max(self.FIRST, self._pause * 2))
        return self._pause * self._rng.uniform(0.8, 1.0)

    def reset(self) -> None:
        """It worked."""
        self._pause = 0.0


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
