"""Waiting for something that no event announces."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(predicate: Callable[[], object], timeout: float = 20.0, what: str = "") -> None:
    """Return as soon as ``predicate()`` is true; ``AssertionError`` when it is not within ``timeout`` seconds.

    It looks every 5 ms: use an event, a condition or :class:`support.FakeClock` where there is one.
    """
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what or predicate}")
        time.sleep(0.005)
