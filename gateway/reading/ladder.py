"""What is tried with a device that does not work, one rung after the other, until it brings something.

The lowest rung, polling again, is the reader's own. The highest ones, another thread or process and ever longer pauses,
are the supervisor's.
"""

from __future__ import annotations

from enum import Enum

RENEW_EVERY = 3
RESET_EVERY = 5


class Rung(Enum):
    """One thing to try."""

    REOPEN = "open it again"
    RENEW = "open it with a new driver object"
    RESET = "reset it with a new driver object, where the driver can, then open it"


class Ladder:
    """One device's way up, over all its readers: every third attempt has a new driver object, every fifth a reset."""

    def __init__(self) -> None:
        self._tried = 0

    def climb(self) -> Rung:
        """Something has failed: what to try next."""
        self._tried += 1
        if self._tried % RESET_EVERY == 0:
            return Rung.RESET
        return Rung.RENEW if self._tried % RENEW_EVERY == 0 else Rung.REOPEN

    @property
    def reset_is_due(self) -> bool:
        """Whether the attempt that comes is one with a reset."""
        return self._tried > 0 and self._tried % RESET_EVERY == 0

    def leave(self) -> None:
        """It works."""
        self._tried = 0
