"""A chip on an SPI bus, at the place of spidev."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Sequence


class Select:
    """One chip select, 0.1. ``open`` and what it returns look like spidev's.

    ``error`` is what calls raise; ``opened`` and ``closed`` count; ``manners`` are the settings of each transfer.
    """

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.answer = answer
        self.error: int | None = None
        self.opened = self.closed = 0
        self.manners: list[tuple[int, int]] = []
        self.gate: threading.Event | None = None
        """A transfer waits for it."""
        self.entered = threading.Event()

    def open(self, bus: int, device: int) -> Handle:
        """As ``SpiDev(bus, device)``."""
        if (bus, device) != (0, 1):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self.fail()
        self.opened += 1
        return Handle(self)

    def fail(self) -> None:
        """Raise what is to be raised."""
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))


class Handle:
    """One opening of it."""

    def __init__(self, select: Select) -> None:
        self._select = select
        self.max_speed_hz = 0
        self.mode = 0

    def xfer2(self, values: Sequence[int]) -> Sequence[int]:
        """One transfer."""
        self._select.fail()
        self._select.entered.set()
        if self._select.gate is not None:
            assert self._select.gate.wait(20)
        self._select.manners.append((self.max_speed_hz, self.mode))
        return list(self._select.answer(bytes(values)))

    def close(self) -> None:
        """Close it."""
        self._select.closed += 1
