"""The end of readers at a stop."""

from __future__ import annotations

import time
from collections.abc import Iterable

from gateway.reading.slot import Slot

WAKE_AGAIN = 0.05
"""Seconds between attempts to wake readers that wait on a port."""
HUNG_LIMIT = 0.2
"""Seconds for those that hang already."""


def end_readers(slots: Iterable[Slot], deadline: float) -> list[Slot]:
    """Let readers end: at once when they wait, else when their driver call returns. Those that do not in time.

    ``deadline`` is in seconds of real time, whatever clock the devices live on.
    """
    left = [slot for slot in slots if slot.reader is not None]
    for slot in left:
        slot.ask_to_end()
    begun = time.monotonic()
    while left := [slot for slot in left if slot.thread is not None and slot.thread.is_alive()]:
        waited = time.monotonic() - begun
        if waited >= deadline or (waited >= HUNG_LIMIT and all(slot.hung for slot in left)):
            break
        for slot in left:
            slot.ask_to_end()
        waiting = next((slot.thread for slot in left if not slot.hung), left[0].thread)
        assert waiting is not None
        waiting.join(min(WAKE_AGAIN, max(0.0, deadline - waited)))
    return left
