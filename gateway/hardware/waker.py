"""Wakes a thread that waits for a descriptor."""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress


class Waker:
    """A pipe that is watched together with what a thread waits for. ``wake`` is for any thread, the rest for one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receive, self._send = os.pipe()
        self._closed = False
        for descriptor in (self._receive, self._send):
            os.set_blocking(descriptor, False)

    def wait(self, seconds: float, reading: list[int], writing: list[int] | None = None) -> set[int]:
        """The descriptors that are ready, or broken. Empty after ``seconds``, and when somebody has called ``wake``.

        A ``wake`` that comes before the waiting ends that at once.
        """
        poll = select.poll()
        for descriptor in (self._receive, *reading):
            poll.register(descriptor, select.POLLIN)
        for descriptor in writing or ():
            poll.register(descriptor, select.POLLOUT)
        ready = {descriptor for descriptor, _ in poll.poll(max(0, round(seconds * 1000)))}
        if self._receive in ready:
            with suppress(BlockingIOError):
                os.read(self._receive, 1024)
            return set()
        return ready

    def wake(self) -> None:
        """End the waiting."""
        with self._lock:
            if not self._closed:
                with suppress(BlockingIOError):
                    os.write(self._send, b"w")

    def close(self) -> None:
        """Close the pipe. Safe to call twice."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._receive)
                os.close(self._send)
