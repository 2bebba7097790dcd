"""What drivers print while they run in threads of ours: lines of the log, as if they ran in a process of their own.

Under systemd stdout is the journal, where a line that begins with ``<3>`` is an error, whoever printed it, and control
characters are taken as they are.
"""

from __future__ import annotations

import io
import threading
from typing import TextIO

from gateway import threads
from gateway.reading.prints import Prints

ELSEWHERE = "a thread of a driver"


class Printed(io.TextIOBase):
    """In the place of ``sys.stdout`` or ``sys.stderr``. Any thread."""

    def __init__(self, beside: TextIO | None = None) -> None:
        """``beside``: where everybody but a device's thread goes on writing to."""
        self._beside = beside
        self._lock = threading.Lock()
        self._prints: dict[str, Prints] = {}

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Log the lines that are whole."""
        device = threads.device_of(threading.current_thread().name)
        if device is None and self._beside is not None:
            return self._beside.write(text)
        device = device or ELSEWHERE
        with self._lock:
            prints = self._prints.setdefault(device, Prints(device, levels=False))
            prints.take(str(text).encode(errors="replace"))
        return len(text)

    def flush(self) -> None:
        """Lines are logged as they are completed."""
        if self._beside is not None:
            self._beside.flush()

    def end(self) -> None:
        """Nothing more comes: log the lines that have no end, and what was left out."""
        with self._lock:
            for prints in self._prints.values():
                prints.end()
            self._prints.clear()
