"""What a model of a device is: an object that a bus speaks to as to the real chip."""

from __future__ import annotations

import math
import random

from gateway.simulation.clockwork import Time, VirtualTime
from gateway.simulation.faults import Faults


class Nack(Exception):
    """Raised by an I2C model: it does not acknowledge what it is told."""


class Model:
    """A device. A bus gives it the simulation's time and dice when it is connected.

    Its physical side are attributes that a test or its own ``on_time`` changes, such as ``temperature``.
    """

    def __init__(self) -> None:
        self.time: Time = VirtualTime()
        self.dice: random.Random = random.Random(1)  # noqa: S311 (repeatable is the point)
        self.faults = Faults(self.dice)
        self.power_on()

    def joined(self, time: Time, dice: random.Random) -> None:
        """It is connected now."""
        self.time = time
        self.dice = self.faults.dice = dice

    def power_on(self) -> None:
        """Forget everything that a driver has set. Called at the start as well; extend it."""

    def brown_out(self) -> None:
        """The supply was too low for a moment: it is there as before, and has forgotten everything."""
        self.power_on()

    def unplug(self) -> None:
        """Take it away; on a line the port goes with it."""
        self.faults.gone = True

    def plug_in(self) -> None:
        """Bring it back, as after power on."""
        self.faults.gone = False
        self.power_on()

    @property
    def now(self) -> float:
        """Seconds since the simulation began."""
        return self.time.now

    def swing(self, low: float, high: float, period: float = 300.0) -> float:
        """A value that goes up and down, for what is measured while nobody sets it."""
        return low + (high - low) * (1 + math.sin(2 * math.pi * self.now / period)) / 2


class I2CModel(Model):
    """A chip on I2C. Raise :class:`Nack` where the chip would not acknowledge."""

    def write(self, data: bytes) -> None:
        """The host has sent ``data``; empty when it only asks whether somebody is there."""

    def read(self, size: int) -> bytes:
        """The host receives ``size`` bytes."""
        return bytes([0xFF]) * size


class SPIModel(Model):
    """A chip behind its chip select."""

    def transfer(self, data: bytes) -> bytes:
        """One transfer: what the chip says while it hears ``data``, as many bytes."""
        return bytes(len(data))
