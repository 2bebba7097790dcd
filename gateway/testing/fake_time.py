"""Time that a test makes up."""

from __future__ import annotations


class FakeTime:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += max(0.0, seconds)
