"""What a chip has to be able to do for cards of ISO 14443 A, and the frames and places that they know.

Sources: ISO/IEC 14443-3 (CRC_A); NXP MF1S50YYX and MF1S70YYX (sectors of a MIFARE Classic).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What cards have answered to one frame."""

    data: bytes
    last_bits: int = 0
    """Bits of the last byte; 0 for all of them."""
    collision: int = 0
    """The first bit, from 1, in which the cards were of different opinions."""


class Antenna(Protocol):
    """What a chip has to be able to do. ``None`` and ``False`` for no answer."""

    def exchange(self, data: bytes, *, last_bits: int = 0, align: int = 0) -> Answer | None:
        """Send a frame as it is, only ``last_bits`` of its last byte; the answer begins at bit ``align`` of a byte."""

    def field(self, *, on: bool) -> None:
        """Feed the cards, or not."""

    def authenticate(self, command: int, block: int, key: bytes, uid: bytes) -> bool:
        """Open the sector of a block of a MIFARE Classic; ``uid`` is four bytes."""

    def end_session(self) -> None:
        """Talk in the clear again."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card that was found."""

    uid: bytes
    sak: int
    data: bytes | None = None
    """The content of the blocks that are wanted."""
    problem: str = ""
    """Why there is none."""


def crc_a(data: bytes) -> bytes:
    """The checksum of ISO 14443 A, low byte first."""
    crc = 0x6363
    for byte in data:
        low = (byte ^ crc) & 0xFF
        low ^= low << 4 & 0xFF
        crc = crc >> 8 ^ low << 8 ^ low << 3 ^ low >> 4
    return crc.to_bytes(2, "little")


def with_crc(data: bytes) -> bytes:
    """The frame."""
    return data + crc_a(data)


def sector(block: int) -> int:
    """The sector of a block: four blocks each, from the 128th on sixteen."""
    return block // 4 if block < 128 else 32 + (block - 128) // 16


def holds_keys(block: int) -> bool:
    """Whether it is the last of its sector. What is written there can lock the sector for ever."""
    return sector(block) != sector(block + 1)
