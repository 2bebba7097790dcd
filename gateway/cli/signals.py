"""Ctrl-C, SIGTERM and SIGHUP as one event; SIGUSR1 as every thread's stack in the log.

``Event.set`` inside a Python signal handler can deadlock with an ``Event.wait`` that the same thread was just
entering, so the handlers do nothing: the interpreter writes the signal's number to a pipe, and a small thread sets the
event, or writes the stacks. That also works while the main thread hangs.
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
from gateway.status.stacks import Stacks

LOOK = getattr(signal, "SIGUSR1", 0)
"""Not on Windows."""


@dataclass(slots=True)
class Stop:
    """What was asked for."""

    event: threading.Event = field(default_factory=threading.Event)
    interrupted: bool = False
    """Ctrl-C, not SIGTERM or the end of the time."""
    about: Callable[[threading.Thread], str] = lambda _: ""
    """What SIGUSR1 says about a thread besides its stack."""

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
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
    numbers = {getattr(signal, name) for name in names if hasattr(signal, name)} | {*others}
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
    stacks = Stacks()
    with os.fdopen(receiver, "rb", buffering=0) as pipe:
        while numbers := pipe.read(4096):
            for number in numbers:
                if number in others:
                    others[number]()
                elif number != LOOK:
                    if number == signal.SIGINT and stop.interrupted:
                        os._exit(INTERRUPTED)
                    stop.interrupted |= number == signal.SIGINT
                    stop.event.set()
            if LOOK in numbers:  # last, because the log may take its time
                stacks.write(stop.about)


def _nothing(number: int, frame: FrameType | None) -> None:
    """The pipe has it already."""
