"""Processor time, as the kernel counts it. It is asked when somebody looks, so nobody else pays for it. Linux only."""

from __future__ import annotations

import sys
import time

# The clocks of threads and processes have numbers that are made of theirs (clock_getcpuclockid(3), in the kernel
# MAKE_THREAD_CPUCLOCK and MAKE_PROCESS_CPUCLOCK). The call is exact, opens no file, and refuses what has ended, whereas
# time.pthread_getcpuclockid may crash on it.
OF_THREAD = 6
OF_PROCESS = 2


def of_thread(native_id: int) -> float | None:
    """Seconds that one of our threads has used; ``None``: it has ended, or nothing tells."""
    return _seconds(native_id, OF_THREAD)


def of_process(pid: int) -> float | None:
    """The same of all threads of a process."""
    return _seconds(pid, OF_PROCESS)


def _seconds(number: int, what: int) -> float | None:
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime(~number << 3 | what)
    except OSError:
        return None
