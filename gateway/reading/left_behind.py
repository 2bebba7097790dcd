"""The threads that were left behind because their drivers do not return: how many are still alive, and whose."""

from __future__ import annotations

from gateway.reading.slot import Handle

MOST_OF_DEVICE = 3
"""Threads of one device that were left behind and are alive."""
MOST = 32
"""The same of all devices together."""


class LeftBehind:
    """Python cannot end a thread; so how many are given up is limited."""

    def __init__(self) -> None:
        self._threads: list[tuple[str, Handle]] = []

    def add(self, device: str, thread: Handle) -> None:
        """One more."""
        self._threads.append((device, thread))

    def count(self, device: str | None = None) -> int:
        """How many are still alive: of a device, or of all."""
        self._threads = [(name, thread) for name, thread in self._threads if thread.is_alive()]
        return sum(device in (None, name) for name, _ in self._threads)

    def devices(self) -> set[str]:
        """Whose they are."""
        return {name for name, thread in self._threads if thread.is_alive()}

    @property
    def full(self) -> bool:
        """Whether no more may be left behind."""
        return self.count() >= MOST

    def room(self, device: str) -> bool:
        """Whether one more of a device may be risked."""
        return not self.full and self.count(device) < MOST_OF_DEVICE

    def text(self, device: str) -> str:
        """How it stands, for people."""
        return f"{self.count(device)} thread(s) of it hang, {self.count()} in all"
