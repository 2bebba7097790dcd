"""Cards in front of the model of a chip, with nothing of a driver or a bus between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.cards import Cards
from gateway.iso14443 import Answer
from gateway.options import CardOptions
from gateway.simulation.card import PlainCard
from gateway.simulation.card_reader import CardReader


class Wire:
    """An antenna on the model of a chip, register by register."""

    def __init__(self, chip: CardReader) -> None:
        self.chip = chip
        self.sent: list[bytes] = []
        """The frames, and the keys with their blocks."""
        self.before: Callable[[int], None] = lambda _: None
        """Called before each of them, with its number."""
        self.lose = -1
        """The number of the one whose answer is lost."""
        chip.set(0x2A, 0x8D)

    def exchange(self, data: bytes, *, last_bits: int = 0, align: int = 0) -> Answer | None:
        """See :class:`gateway.iso14443.Antenna`."""
        chip = self.chip
        number = self._send(data)
        for register, value in ((0x04, 0x7F), (0x0A, 0x80), (0x01, 0), *((0x09, byte) for byte in data)):
            chip.set(register, value)
        chip.set(0x01, 0x0C)
        chip.set(0x0D, 0x80 | align << 4 | last_bits)
        if not chip.get(0x04) & 0x20 or number == self.lose:
            return None
        received = bytes(chip.get(0x09) for _ in range(chip.get(0x0A)))
        return Answer(received, chip.get(0x0C) & 7, (chip.get(0x0E) & 0x1F or 32) if chip.get(0x06) & 8 else 0)

    def field(self, *, on: bool) -> None:
        """See :class:`gateway.iso14443.Antenna`."""
        self.chip.set(0x14, 0x83 if on else 0x80)

    def authenticate(self, command: int, block: int, key: bytes, uid: bytes) -> bool:
        """See :class:`gateway.iso14443.Antenna`."""
        self._send(bytes([command, block]) + key)
        self.chip.set(0x0A, 0x80)
        for byte in bytes([command, block]) + key + uid:
            self.chip.set(0x09, byte)
        self.chip.set(0x01, 0x0E)
        return bool(self.chip.get(0x08) & 8)

    def _send(self, data: bytes) -> int:
        number = len(self.sent)
        self.sent.append(data)
        self.before(number)
        return number

    def end_session(self) -> None:
        """See :class:`gateway.iso14443.Antenna`."""
        self.chip.set(0x08, 0)


def cards_on(*on_it: PlainCard, collision_in_frame: bool = False, **options: Any) -> tuple[Cards, CardReader]:
    """The cards in front of a chip."""
    chip = CardReader(*on_it, collision_in_frame=collision_in_frame)
    return Cards(Wire(chip), CardOptions(**options), lambda _: None), chip
