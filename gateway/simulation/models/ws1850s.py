"""A WS1850S on which cards come and go: one with a text in blocks 8 to 10, and two with longer numbers."""

from __future__ import annotations

from typing import Any

from gateway.simulation.card import Classic, Ntag
from gateway.simulation.card_reader import I2CCardReader
from gateway.simulation.visitors import Visitors
from gateway.simulation.world import World

TEXT = {8: b"Berta".ljust(16), 9: b"ground floor".ljust(16), 10: bytes(16)}
VERSION = 0x15


def attach(world: World, options: Any) -> I2CCardReader:
    """A reader; ``lay(...)`` puts cards of gateway.simulation.card on it."""
    dice = world.dice(f"cards {options.bus} {options.address} {options.mux} {options.mux_channel}")
    cards = (Classic("9a1c227f", TEXT), Ntag("04a23b5c6d7e80", bytes(range(64))), Ntag("0416c6c2d73881"))
    reader = I2CCardReader(version=VERSION, visitors=Visitors(dice, *cards))
    world.connect(reader, options)
    return reader
