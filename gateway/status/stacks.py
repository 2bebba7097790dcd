"""Every thread's stack in the log, for whoever wonders what the process is at."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from gateway.status.text import span

log = logging.getLogger(__name__)

EACH = 5.0
"""Seconds from one time to the next: a thousand threads fill a log quickly."""
DEEPEST = 50
"""Calls that are shown of one stack, the innermost ones."""
BEGINNINGS = ("_named", "Thread.run")
"""What is below these is how a thread begins, and the same for all."""

About = Callable[[threading.Thread], str]
"""What there is to say about a thread, in a few words; empty when there is nothing."""


class Stacks:
    """Writes them when asked, but not too often. For one thread."""

    def __init__(self) -> None:
        self._written: float | None = None
        self._told = False

    def write(self, about: About) -> None:
        """Log all of them, whatever the log's level is. Reads no file and waits for no other thread."""
        now = time.monotonic()
        if self._written is not None and now - self._written < EACH:
            if not self._told:
                self._told = True
                _log(f"stacks: shown {span(now - self._written)} ago; ask again after {EACH:.0f} s")
            return
        self._written, self._told = now, False
        places = _by_place()
        count = sum(len(threads) for threads in places.values())
        _log(f"stacks of {count} threads, most recent call last; those above one stack are all at that place")
        for place, threads in places.items():
            for thread in threads[:-1]:
                _log(_label(thread, about))
            _log(_label(threads[-1], about), "\n".join(place))


def _by_place() -> dict[tuple[str, ...], list[threading.Thread]]:
    """The threads by their stacks, the main thread first, the rest in the order of their names."""
    main = threading.main_thread()
    threads = sorted(threading.enumerate(), key=lambda thread: (thread is not main, thread.name))
    frames = sys._current_frames()  # noqa: SLF001 (public in all but its name, and in the library's reference)
    places: dict[tuple[str, ...], list[threading.Thread]] = {}
    for thread in threads:
        frame = frames.get(thread.ident or 0)
        if frame is not None:  # it has not ended just now
            places.setdefault(_place(frame), []).append(thread)
    return places


def _place(frame: FrameType | None) -> tuple[str, ...]:
    lines: list[str] = []
    deeper = 0
    while frame is not None and (code := frame.f_code).co_qualname not in BEGINNINGS:
        if len(lines) < DEEPEST:
            lines.append(f'File "{code.co_filename}", line {frame.f_lineno}, in {code.co_qualname}')
        else:
            deeper += 1
        frame = frame.f_back
    if deeper:
        lines.append(f"({deeper} more)")
    return tuple(reversed(lines))


def _label(thread: threading.Thread, about: About) -> str:
    name = "main" if thread is threading.main_thread() else thread.name
    try:
        words = about(thread)
    except Exception as error:  # noqa: BLE001 (the stacks are wanted even when everything else is broken)
        words = f"nothing can be said about it: {type(error).__name__}"
    return f"{name} (thread {thread.native_id}){': ' if words else ''}{words}"


def _log(message: str, stack: str | None = None) -> None:
    """Past the level, since somebody has asked for it."""
    log.handle(log.makeRecord(log.name, logging.INFO, "", 0, message, (), None, sinfo=stack))
