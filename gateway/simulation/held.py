"""What one driver at a time has of a simulation: a pin, a program."""

from __future__ import annotations

from gateway.simulation.clockwork import VirtualTime, Waiter


class Held:
    """Its time, and whether a driver has it. See :class:`gateway.hardware.protocols.Handle`."""

    waiting = False

    def __init__(self) -> None:
        self.time: Waiter = VirtualTime()
        """Whose time waiting takes."""
        self.is_open = False

    @property
    def closed(self) -> bool:
        """Whether no driver has it."""
        return not self.is_open

    def cancel_wait(self) -> None:
        """End a wait."""
        self.time.cancel()

    def take_away(self) -> None:
        """Take it from a thread that hangs."""
        self.close()
        self.cancel_wait()

    def close(self) -> None:
        """Let go of it. Safe to call twice."""
        self.is_open = False
