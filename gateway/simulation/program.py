"""A program of a simulation."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Mapping, Sequence

from gateway.driver import DeviceUnavailable
from gateway.simulation.held import Held


class Program(Held):
    """A program that a driver starts. A subclass with an ``interval`` prints its ``line()`` again and again.

    ``feed`` is what it prints, now or later; each line without its end. ``end`` lets it end after what it has printed
    until then. ``command`` is how it was started last, ``starts`` how often, ``sent`` what it was given.
    """

    interval: float | None = None
    """Seconds from one ``line`` to the next, for a program that talks by itself."""

    def line(self) -> bytes:
        """What such a program prints next."""
        return b""

    def __init__(self, *lines: bytes) -> None:
        super().__init__()
        self.command: list[str] = []
        self.env: dict[str, str] = {}
        self.starts = 0
        self.sent = bytearray()
        self.returncode: int | None = None
        self._name = self._said = ""
        self._ends: tuple[float, int, str] | None = None
        self._coming: list[tuple[float, bytes]] = []
        for line in lines:
            self.feed(line)

    # The program's side -----------------------------------------------------------------------------------------------

    def feed(self, line: bytes, *, after: float = 0.0) -> None:
        """It prints a line, now or ``after`` so many seconds."""
        insort(self._coming, (self.time.now + after, bytes(line)), key=lambda item: item[0])

    def end(self, returncode: int = 0, stderr: str = "", *, after: float = 0.0) -> None:
        """It ends, now or ``after`` so many seconds, having said ``stderr`` about it."""
        self._ends = (self.time.now + after, returncode, stderr)

    # The driver's side, see gateway.hardware.protocols.ChildProcess ---------------------------------------------------

    def open(self, command: Sequence[str], env: Mapping[str, str] | None) -> None:
        """Start it for a driver."""
        self._name, self.command, self.env = command[0], list(command), dict(env or {})
        self.starts += 1
        self.returncode = None
        self.is_open = True

    def read_line(self, timeout: float) -> bytes | None:
        """The next line that it prints, or ``None``."""
        if not 0 <= timeout < math.inf:
            raise ValueError(f"a wait for a line is finite and not negative, not {timeout}")
        self._check()
        if self.interval is not None and not self._coming:
            self.feed(self.line(), after=self.interval)
        deadline = self.time.now + timeout
        ends_at = self._ends[0] if self._ends is not None else math.inf
        line_at = self._coming[0][0] if self._coming else math.inf
        if self.time.wait(min(ends_at, line_at, deadline) - self.time.now):
            return None
        if line_at <= min(ends_at, deadline):
            return self._coming.pop(0)[1]
        if self._ends is not None and ends_at <= deadline:
            _, self.returncode, self._said = self._ends
            self._ends = None
            self._check()
        return None

    def write(self, data: bytes) -> None:
        """Give it ``data``."""
        self._check()
        self.sent += data

    def _check(self) -> None:
        if not self.is_open:
            raise DeviceUnavailable(f"{self._name} is closed")
        if self.returncode is not None:
            said = f": {self._said}" if self._said else ""
            raise DeviceUnavailable(f"{self._name} has ended with exit code {self.returncode}{said}")
