"""Device files that have just appeared: for a moment udev has not given them their group yet."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 1.0
"""Seconds that udev may take; it was done after 0.15 s where this was seen."""
PAUSE = 0.05
YOUNG = 5.0
"""Seconds during which a device file counts as new."""


def patiently(open: Callable[[], T], path: str, sleep: Callable[[float], None] = time.sleep) -> T:
    """What ``open`` returns, tried again for a second while ``path`` is new and its use is not permitted."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return open()
        except OSError as error:
            refused = error.errno in (errno.EACCES, errno.EPERM)
            if not refused or not _is_new(path) or time.monotonic() >= deadline:
                raise
        sleep(PAUSE)


def _is_new(path: str) -> bool:
    try:
        return abs(time.time() - os.stat(path).st_ctime) < YOUNG  # noqa: PTH116 (no object for one number)
    except OSError:
        return False
