"""What every device on a shared bus has in common: its turns, and how it is closed or taken away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic

from gateway.driver import DeviceUnavailable
from gateway.hardware.bus import H, Rider, Turn


class OnBus(Generic[H]):
    """The part of :class:`gateway.hardware.protocols.Handle` that is the same on each bus."""

    def __init__(self, rider: Rider[H], name: str) -> None:
        """``name`` is for messages."""
        self._rider = rider
        self._name = name
        self.closed = False

    @property
    def waiting(self) -> bool:
        """See :class:`gateway.hardware.protocols.Handle`."""
        return self._rider.waiting

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Have the bus for several calls: no other device gets in between."""
        with self._turn():
            yield

    def cancel_wait(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""
        self._rider.cancel()

    def close(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""
        self.closed = True

    def take_away(self) -> None:
        """For another thread than the owner's: free the bus although the owner may hang in a call on it."""
        self._rider.revoke()

    @contextmanager
    def _turn(self) -> Iterator[Turn[H]]:
        if self.closed:
            raise DeviceUnavailable(f"{self._name} is closed")
        with self._rider.turn() as turn:
            yield turn
