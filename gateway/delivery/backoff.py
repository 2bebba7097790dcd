"""When to try again: soon while a broker is merely away, seldom where it does not want us."""

from __future__ import annotations

import random

FIRST = 0.5
USUAL_MOST = 4.0
PATIENT_MOST = 30.0
YOUNG = 10.0
"""A connection that lasted less than this many seconds died young."""
YOUNG_IN_A_ROW = 5


class Backoff:
    """Delays in seconds. At once after a good connection ended, then 0.5 s doubling to 4 s, with jitter.

    Up to 30 s only after the broker refused to let us in, or when five connections in a row died young: a broker that
    is back must be noticed within seconds, but one that throws us out must not be hammered.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._delay = 0.0
        self._young = 0

    def after_failure(self, *, refused: bool) -> float:
        """No connection came of the last attempt."""
        return self._grow(PATIENT_MOST if refused or self._young >= YOUNG_IN_A_ROW else USUAL_MOST)

    def after_connection(self, lasted: float, *, refused: bool = False) -> float:
        """A connection that the broker had accepted has ended after ``lasted`` seconds."""
        if lasted >= YOUNG:
            self._young = 0
            self._delay = 0.0
            return 0.0
        self._young += 1
        return self._grow(PATIENT_MOST if refused or self._young >= YOUNG_IN_A_ROW else USUAL_MOST)

    def _grow(self, most: float) -> float:
        self._delay = min(most, max(FIRST, self._delay * 2))
        return self._delay * self._rng.uniform(0.75, 1.0)
