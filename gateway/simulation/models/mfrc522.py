"""An MFRC522 on which cards come and go: one with a text in blocks 8 to 10, and two with longer numbers."""

from __future__ import annotations

from typing import Any

from gateway.simulation.card import Classic, Ntag
from gateway.simulation.card_reader import SPICardReader
from gateway.simulation.visitors import Visitors
from gateway.simulation.world import World

NEEDS = "mfrc522"
TEXT = {8: b"Anna".ljust(16), 9: b"first floor".ljust(16), 10: bytes(16)}


def attach(world: World, options: Any) -> SPICardReader:
    """A reader; ``lay(...)`` puts cards of gateway.simulation.card on it."""
    dice = world.dice(f"cards {options.bus} {options.device}")
    cards = (Classic("deadbeef", TEXT), Ntag("04a23b5c6d7e80", bytes(range(64))), Ntag("0416c6c2d73881"))
    reader = SPICardReader(visitors=Visitors(dice, *cards))
    world.connect(reader, options)
    return reader
