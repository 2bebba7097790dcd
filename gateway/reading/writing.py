"""Values that are to be set on a device, on their way to the thread that has its driver."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator

from gateway.driver import Settable

MOST = 10
"""Values that wait for one device."""


class Stop(threading.Event):
    """Set to end a reader; whoever waits for ``or_more`` is woken by that, too, and by what is to be written."""

    def __init__(self) -> None:
        super().__init__()
        self.or_more = threading.Event()

    def set(self) -> None:
        """End it."""
        super().set()
        self.or_more.set()


class Write:
    """One value for one channel. It is either carried out or given up, and never carried out after that."""

    def __init__(self, channel: str, value: Settable) -> None:
        self.channel = channel
        self.value = value
        self._lock = threading.Lock()
        self._claimed = False
        self._outcome: queue.SimpleQueue[str] = queue.SimpleQueue()

    def claim(self) -> bool:
        """Whether nobody has before: who carries it out claims it, and so does who gives it up."""
        with self._lock:
            claimed, self._claimed = self._claimed, True
            return not claimed

    def settle(self, error: str) -> None:
        """It is done, or was not done because of ``error``."""
        self._outcome.put(error)

    def wait(self, seconds: float) -> str | None:
        """The error, empty for none; ``None`` when nothing was heard within that time."""
        try:
            return self._outcome.get(timeout=seconds)
        except queue.Empty:
            return None


class Writes:
    """What waits for one reader."""

    def __init__(self, bell: threading.Event) -> None:
        """``bell`` wakes the reader."""
        self._bell = bell
        self._lock = threading.Lock()
        self._waiting: deque[Write] = deque()
        self._closed = ""

    @property
    def waiting(self) -> bool:
        """Whether there is something."""
        return bool(self._waiting)

    def put(self, write: Write) -> None:
        """Leave it for the reader. What it cannot take is settled at once."""
        with self._lock:
            error = self._closed or ("too many values wait for it" if len(self._waiting) >= MOST else "")
            if not error:
                self._waiting.append(write)
        if error:
            write.settle(error)
        self._bell.set()

    def take(self) -> Iterator[Write]:
        """For the reader: what waits and was not given up, the oldest first."""
        while self._waiting:
            write = self._waiting.popleft()
            if write.claim():
                yield write

    def close(self, error: str) -> None:
        """Nobody will take anything any more."""
        with self._lock:
            self._closed = error
        for write in self.take():
            write.settle(error)
