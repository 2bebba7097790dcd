"""Records which lock a thread takes while it holds which: two threads can wait for each other only in a circle."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from pathlib import PurePath
from types import ModuleType, TracebackType
from typing import Any

import pytest

from gateway.hardware.bus import Bus, Turn


class LockOrder:
    """The locks of some modules, each known by the line that makes it, and the turns on buses."""

    def __init__(self) -> None:
        self.after: dict[str, set[str]] = defaultdict(set)
        """What was taken by threads that held the key."""
        self._here = threading.local()

    def watch(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """From now on, the locks that these modules make, and all buses."""
        for module in modules:
            monkeypatch.setattr(module, "threading", _Threading(self))
        take, give_back = Bus.take, Bus.give_back

        def recorded_take(bus: Bus[Any], rider: Any) -> Turn[Any]:
            if not any(name == bus.name for name in self.held()):
                self.taking(bus.name)
            turn = take(bus, rider)
            self.held().append(bus.name)
            return turn

        def recorded_give_back(bus: Bus[Any], turn: Turn[Any]) -> None:
            give_back(bus, turn)
            self.held().remove(bus.name)

        monkeypatch.setattr(Bus, "take", recorded_take)
        monkeypatch.setattr(Bus, "give_back", recorded_give_back)

    def lock(self, name: str) -> RecordingLock:
        """A lock that is watched."""
        return RecordingLock(self, name)

    def taking(self, name: str) -> None:
        """A lock that the thread is about to wait for."""
        for held in self.held():
            self.after[held].add(name)

    def held(self) -> list[str]:
        """What this thread holds."""
        if not hasattr(self._here, "held"):
            self._here.held = []
        found: list[str] = self._here.held
        return found

    def circles(self) -> list[list[str]]:
        """Each way from a lock back to itself."""
        found: list[list[str]] = []

        def follow(way: list[str]) -> None:
            for name in sorted(self.after.get(way[-1], ())):
                if name == way[0]:
                    found.append([*way, name])
                elif name not in way and name > way[0]:
                    follow([*way, name])

        for start in sorted(self.after):
            follow([start])
        return found


class RecordingLock:
    """A lock that says when it is taken."""

    def __init__(self, order: LockOrder, name: str) -> None:
        self._order = order
        self._name = name
        self._lock = threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 (as in threading)
        """See ``threading.Lock``."""
        if blocking:
            self._order.taking(self._name)
        got = self._lock.acquire(blocking, timeout)
        if got:
            self._order.held().append(self._name)
        return got

    def release(self) -> None:
        """See ``threading.Lock``."""
        self._order.held().remove(self._name)
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class _Threading:
    """The module ``threading`` with watched locks."""

    def __init__(self, order: LockOrder) -> None:
        self._order = order

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)

    def Lock(self) -> RecordingLock:  # noqa: N802 (its name in threading)
        """A lock, known by the line that makes it."""
        frame = sys._getframe(1)
        return self._order.lock(f"{PurePath(frame.f_code.co_filename).name}:{frame.f_lineno}")
