"""All processes of isolated drivers: started, listened to, and seen off."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.reading.child import Child

log = logging.getLogger(__name__)

LAST_CALL = 1.5
"""At a stop, seconds in which drivers may close and processes may end by themselves."""
BURIAL = 0.5
"""At a stop, seconds that killed processes may take to end."""
LOOK = 0.01


class Children:
    """From the main thread only: the kernel ends a process together with the thread that has started it."""

    def __init__(self, hardware: str) -> None:
        """``hardware`` is what the drivers are given; see :mod:`gateway.reading.isolated`."""
        self._hardware = hardware
        self._all: list[Child] = []

    def start(self, device: str) -> Child:
        """Start a process for a device. ``OSError`` when the machine has no room for one."""
        from gateway.reading.child import Child  # noqa: PLC0415 (most gateways never need one)

        child = Child(device, self._hardware)
        self._all.append(child)
        return child

    def tick(self) -> None:
        """Log what they print, and see off those that were let go."""
        self._all = [child for child in self._all if child.tick()]

    def of(self, device: str) -> int:
        """How many of a device there are, also dying ones."""
        return sum(child.device == device for child in self._all)

    def stop(self) -> None:
        """See all of them off: what does not end by itself is killed."""
        for child in self._all:
            child.let_go()
        deadline = time.monotonic() + LAST_CALL
        while self._all and time.monotonic() < deadline:
            time.sleep(LOOK)
            self.tick()
        for child in self._all:
            child.kill()
        deadline = time.monotonic() + BURIAL
        while self._all and time.monotonic() < deadline:
            time.sleep(LOOK)
            self.tick()
        for child in self._all:
            log.warning("%s: its process %d does not end: it waits in the kernel", child.device, child.pid)
