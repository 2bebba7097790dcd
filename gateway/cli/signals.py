"""Ctrl-C, SIGTERM and SIGHUP as one event.

``Event.set`` inside a Python signal handler can deadlock with an ``Event.wait`` that the same thread was just
entering, so the handlers do nothing: the interpreter writes the signal's number to a pipe, and a small thread sets the
event. That also works while the main thread is busy in native code.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType, MappingProxyType

from gateway import threads
from gateway.cli.exits import INTERRUPTED


@dataclass(slots=True)
class Stop:
    """What was asked for."""

    event: threading.Event = field(default_factory=threading.Event)
    interrupted: bool = False
    """Ctrl-C, not SIGTERM or the end of the time."""

    def exit_code(self, code: int) -> int:
        """130 after Ctrl-C, else the command's own."""
        return INTERRUPTED if self.interrupted and code == 0 else code


@contextlib.contextmanager
def stop_on_signals(others: Mapping[int, Callable[[], object]] = MappingProxyType({})) -> Iterator[Stop]:
    """Turn the signals into ``Stop.event`` while the block runs. A second Ctrl-C ends the process at once.

    ``others``: what other signals, or some of these, do instead. It is called on a thread of its own.
    """
    stop = Stop()
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)
    old_fd = signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
    numbers = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)} | {*others}
    old = {number: signal.signal(number, _nothing) for number in numbers}
    watcher = threads.start("signals", _watch, receiver, stop, others)
    try:
        yield stop
    finally:
        signal.set_wakeup_fd(old_fd)
        for number, handler in old.items():
            signal.signal(number, handler)
        os.close(sender)  # the watcher reads the end of the pipe
        watcher.join(1)


def _watch(receiver: int, stop: Stop, others: Mapping[int, Callable[[], object]]) -> None:
    with os.fdopen(receiver, "rb", buffering=0) as pipe:
        while number := pipe.read(1):
            if number[0] in others:
                others[number[0]]()
                continue
            if number[0] == signal.SIGINT:
                if stop.interrupted:
                    os._exit(INTERRUPTED)
                stop.interrupted = True
            stop.event.set()


def _nothing(number: int, frame: FrameType | None) -> None:
    """The pipe has it already."""
