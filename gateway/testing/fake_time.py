"""Time that a test makes up."""

from __future__ import annotations

from gateway.simulation.clockwork import VirtualTime


class FakeTime(VirtualTime):
    """Time that passes only when somebody waits."""
