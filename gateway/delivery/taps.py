"""Lets somebody on this machine see a device's readings as they are accepted, beside the way to the broker."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

DEPTH = 1000
"""Readings that wait in one tap; beyond that the newest are left out there, and only there."""


class Taps:
    """Any thread may open a tap; the publisher's thread fills it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, list[queue.Queue[bytes]]] = {}

    @contextmanager
    def tap(self, device: str) -> Iterator[queue.Queue[bytes]]:
        """The bodies of a device's readings, from now on."""
        waiting: queue.Queue[bytes] = queue.Queue(DEPTH)
        with self._lock:
            self._open.setdefault(device, []).append(waiting)
        try:
            yield waiting
        finally:
            with self._lock:
                self._open[device].remove(waiting)
                if not self._open[device]:
                    del self._open[device]

    def offer(self, device: str, body: bytes) -> None:
        """A reading was accepted."""
        if device not in self._open:
            return
        with self._lock:
            for waiting in self._open.get(device, ()):
                if not waiting.full():
                    waiting.put_nowait(body)
