"""How many requests are let in."""

from __future__ import annotations

from collections import deque
from enum import Enum

MOST = 5
"""In any second."""
SECOND = 1_000_000_000


class Verdict(Enum):
    """What becomes of a request."""

    ADMITTED = "it is carried out"
    REFUSED = "it is answered that there are too many"
    IGNORED = "there are too many for that, too: it is counted"


class Gate:
    """Lets ``MOST`` requests in within any second, refuses as many more, and counts the rest. For one thread."""

    def __init__(self) -> None:
        self._admitted: deque[int] = deque(maxlen=MOST)
        self._refused: deque[int] = deque(maxlen=MOST)
        self._ignored = 0
        self._told_ns = 0

    def knock(self, now_ns: int) -> Verdict:
        """Another request has come."""
        for passed, verdict in ((self._admitted, Verdict.ADMITTED), (self._refused, Verdict.REFUSED)):
            if len(passed) < MOST or now_ns - passed[0] >= SECOND:
                passed.append(now_ns)
                return verdict
        self._ignored += 1
        return Verdict.IGNORED

    def ignored(self, now_ns: int) -> int:
        """How many were ignored since this was last told; it is told once a second at most."""
        if not self._ignored or now_ns - self._told_ns < SECOND:
            return 0
        count, self._ignored, self._told_ns = self._ignored, 0, now_ns
        return count
