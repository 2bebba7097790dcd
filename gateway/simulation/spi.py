"""A chip select of a simulation, at the place of spidev."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import Protocol

from gateway.simulation.faults import Faults


class Transferring(Protocol):
    """What is behind a chip select: :class:`gateway.simulation.model.SPIModel`, or a chip made of registers."""

    faults: Faults

    def transfer(self, data: bytes) -> bytes:
        """One transfer."""


class SimulatedSelect:
    """An open device, with the names of spidev."""

    def __init__(self, model: Transferring) -> None:
        self._model = model
        self.max_speed_hz = 0
        self.mode = 0

    def xfer2(self, values: Sequence[int], /) -> Sequence[int]:
        """One transfer. ``OSError`` when the bus does not work."""
        faults = self._model.faults
        if faults.locked:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if faults.dead:
            return [0] * len(values)
        said = self._model.transfer(bytes(values))
        if len(said) != len(values):
            raise AssertionError(f"{type(self._model).__name__}.transfer returned {len(said)} of {len(values)} bytes")
        return list(faults.spoil(said))

    def close(self) -> None:
        """Nothing to close."""
