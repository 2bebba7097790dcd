"""Whether this machine's wall clock can be believed: the kernel or systemd-timesyncd says that it is synchronised."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable

from gateway.clocks import Clock

TIMESYNCD = "/run/systemd/timesync/synchronized"
"""systemd-timesyncd touches this file at its first synchronisation (systemd-timesyncd.service(8))."""
TIME_ERROR = 5
"""What adjtimex(2) returns while the kernel's clock is not synchronised."""
ASK_EVERY_NS = 1_000_000_000


def kernel_says_synchronised() -> bool:
    """adjtimex(2) with nothing to adjust. False as well where the call is not there or not allowed."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = libc.adjtimex(ctypes.create_string_buffer(512))  # struct timex, zeroed: only read; 208 bytes at most
    except (OSError, AttributeError):
        return False
    return bool(0 <= state != TIME_ERROR)


def machine_is_synchronised() -> bool:
    """The kernel's word or timesyncd's."""
    return os.path.exists(TIMESYNCD) or kernel_says_synchronised()  # noqa: PTH110 (a stat each second, on every Pi)


class ClockTrust:
    """Asks at most once a second; any thread may ask."""

    def __init__(
        self, clock: Clock, *, believe: bool, synchronised: Callable[[], bool] = machine_is_synchronised
    ) -> None:
        """``believe``: the configuration says ``clock = "trusted"``."""
        self._clock = clock
        self._believe = believe
        self._synchronised = synchronised
        self._lock = threading.Lock()
        self._asked_ns: int | None = None
        self._answer = False

    def mark(self) -> str | None:
        """The ``clock`` field of a reading taken now: ``None`` when trusted, else ``unsynced``."""
        return None if self.trusted() else "unsynced"

    def trusted(self) -> bool:
        """Whether the wall clock can be believed now."""
        if self._believe:
            return True
        now_ns = self._clock.boot_ns()
        asked_ns = self._asked_ns
        if asked_ns is not None and now_ns - asked_ns < ASK_EVERY_NS:
            return self._answer
        # While one asks, the others go on with the last answer: a thousand readers must not queue up here each second.
        if self._lock.acquire(blocking=asked_ns is None):
            try:
                if self._asked_ns == asked_ns:
                    self._answer = self._synchronised()
                    self._asked_ns = now_ns
            finally:
                self._lock.release()
        return self._answer

    def word(self) -> str:
        """For health: ``trusted`` (by configuration), ``synced`` or ``unsynced``."""
        if self._believe:
            return "trusted"
        return "synced" if self.trusted() else "unsynced"
