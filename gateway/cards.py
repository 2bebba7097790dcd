"""Cards of ISO 14443 A in front of a chip that sends frames: which are there, and what is stored on them.

Drivers import it from :mod:`gateway.driver`. A card that was found is told to be silent (HLTA) and is asked for by its
number from then on; so several cards are found one after the other, and a card that is held is found in every look.

Sources: ISO/IEC 14443-3 (frames, anticollision, CRC_A); NXP AN10927 (numbers of 7 and 10 bytes) and MF1S50YYX.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Protocol

from gateway.channel import Channel, Scalar
from gateway.errors import BadReading
from gateway.options import CardOptions

REQA, WUPA = 0x26, 0x52
LEVELS = (0x93, 0x95, 0x97)
"""SEL of the cascade: numbers have 4, 7 or 10 bytes."""
WHOLE = 0x70
CASCADE = 0x88
"""In place of a number's first byte where it goes on at the next level."""
GOES_ON, CLASSIC = 0x04, 0x08
"""Bits of SAK: the number goes on; a MIFARE Classic."""
HALT = b"\x50\x00"
READ = 0x30
BLOCK = 16
AUTH = {"A": 0x60, "B": 0x61}
MOST = 8
"""Cards that one look finds; an antenna feeds three or four."""
PAUSE = 0.005
"""Seconds without the field after which a card has forgotten all, and with it until it listens."""


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


class Cards:
    """The cards in front of one antenna."""

    def __init__(self, antenna: Antenna, options: CardOptions, wait: Callable[[float], None]) -> None:
        self._antenna = antenna
        self._options = options
        self._wait = wait
        self._known: list[Card] = []
        self._problem = ""
        self._restart()

    def read(self) -> list[dict[str, Scalar]] | None:
        """What a driver's ``read`` returns. What is wrong with a card's content is a bad reading after its arrival."""
        if self._problem:
            problem, self._problem = self._problem, ""
            raise BadReading(problem)
        return [self._values(card) for card in self.look()] or None

    def look(self) -> list[Card]:
        """All cards that are there. Raises ``BadReading`` for a number whose checksum is wrong."""
        try:
            self._known = self._look({card.uid: card for card in self._known})
        except BadReading:
            self._restart()  # else those that were told to be silent would stay so
            raise
        return self._known

    def _look(self, known: dict[bytes, Card]) -> list[Card]:
        present = {uid: card for uid, card in known.items() if self._is_there(uid)}
        if len(present) < len(known):  # one that is silent and did not hear us would never be found again
            self._restart()
            present = {}
        for _ in range(MOST):
            if not self._request(REQA):
                break
            found = self._find()
            if found is None:
                self._restart()  # it would take the next question for the end of this one
                break
            card = known.get(found.uid) or present.get(found.uid) or self._with_content(found)
            present[card.uid] = card
            self._halt()
        return list(present.values())

    def _values(self, card: Card) -> dict[str, Scalar]:
        tag: dict[str, Scalar] = {"tag": card.uid.hex()}
        if not self._options.blocks:
            return tag
        if card.data is None:
            return {**tag, "data": None, "data_error": card.problem}
        return {**tag, "data": card.data.hex() if self._options.blocks_as == "hex" else as_text(card.data)}

    # Finding ---------------------------------------------------------------------------------------------------------

    def _restart(self) -> None:
        """Let all cards forget what they were told."""
        self._antenna.field(on=False)
        self._wait(PAUSE)
        self._antenna.field(on=True)
        self._wait(PAUSE)

    def _request(self, command: int) -> bool:
        return self._antenna.exchange(bytes([command]), last_bits=7) is not None

    def _is_there(self, uid: bytes) -> bool:
        """Wake all, and choose this one."""
        if not self._request(WUPA):
            return False
        for level, part in zip(LEVELS, parts(uid), strict=False):
            if self._select(level, part) is None:
                return False
        self._halt()
        return True

    def _find(self) -> Card | None:
        """One of the cards that listen; it is chosen then. ``None`` when it was lost on the way."""
        uid = b""
        for level in LEVELS:
            part = self._settle(level)
            sak = None if part is None else self._select(level, part)
            if part is None or sak is None:
                return None
            if not sak & GOES_ON:
                return Card(uid + part[:4], sak)
            uid += part[1:4]
        return None

    def _settle(self, level: int) -> bytes | None:
        """Four bytes of a number and their checksum; where cards differ, those of one of them.

        Chips count the place of a collision in the frame or in the number. The nearer of the two is taken, and its
        bit as it came: so it belongs to a card in both cases.
        """
        part, known = bytearray(5), 0
        for _ in range(8 * len(part)):
            full, bits = divmod(known, 8)
            frame = bytes([level, (2 + full) << 4 | bits]) + part[: full + (bits > 0)]
            answer = self._antenna.exchange(frame, last_bits=bits, align=bits)
            if answer is None:
                return None
            mask = 0xFF << bits & 0xFF
            for place, byte in enumerate(answer.data[: len(part) - full], full):
                part[place] = part[place] & ~mask | byte & mask if place == full else byte
            if not answer.collision:
                return checked(bytes(part)) if len(answer.data) == len(part) - full else None
            known = answer.collision if answer.collision > known else answer.collision + 8 * full
        return None

    def _select(self, level: int, part: bytes) -> int | None:
        """Choose the card with these bytes; its SAK."""
        answer = self._antenna.exchange(with_crc(bytes([level, WHOLE]) + part))
        if answer is None or answer.collision or len(answer.data) != 3 or with_crc(answer.data[:1]) != answer.data:
            return None
        return answer.data[0]

    def _halt(self) -> None:
        """The chosen one is silent from now on; it does not answer to that either."""
        self._antenna.exchange(with_crc(HALT))

    # Content ---------------------------------------------------------------------------------------------------------

    def _with_content(self, card: Card) -> Card:
        """The chosen card with what is stored on it."""
        if not self._options.blocks:
            return card
        try:
            return Card(card.uid, card.sak, self._content(card))
        except BadReading as error:
            self._problem = str(error)
            return Card(card.uid, card.sak, None, self._problem)
        finally:
            self._antenna.end_session()

    def _content(self, card: Card) -> bytes:
        content, opened = b"", None
        for block in self._options.blocks:
            if card.sak & CLASSIC and opened != sector(block):
                key = bytes.fromhex(self._options.block_key)
                command = AUTH[self._options.block_key_type]
                if not self._antenna.authenticate(command, block, key, card.uid[-4:]):
                    self._antenna.end_session()
                    there = self._is_there(card.uid)  # a card that has gone is as silent as one that refuses a key
                    why = f"the key {self._options.block_key_type} is wrong" if there else "it was taken away"
                    raise BadReading(f"block {block} of a card: {why}")
                opened = sector(block)
            answer = self._antenna.exchange(with_crc(bytes([READ, block])))
            if answer is None:
                raise BadReading(f"block {block} of a card: it was taken away, or does not have it")
            if len(answer.data) != BLOCK + 2:
                raise BadReading(f"block {block} of a card: it does not let it be read")
            if with_crc(answer.data[:BLOCK]) != answer.data:
                raise BadReading(f"block {block} of a card: wrong checksum")
            content += answer.data[:BLOCK]
        return content


def card_channels(options: CardOptions) -> tuple[Channel, ...]:
    """What a card's events have beside the number."""
    if not options.blocks:
        return ()
    return (
        Channel(
            "data", type=str, help=f"the content of blocks {', '.join(map(str, options.blocks))}; null with an error"
        ),
        Channel("data_error", type=str, help="why there is no content"),
    )


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


def checked(part: bytes) -> bytes:
    """Four bytes of a number and their checksum. Raises ``BadReading`` when it is wrong."""
    if reduce(xor, part):
        raise BadReading(
            "a card's number came with a wrong checksum", hint="are there several cards, or metal near it?"
        )
    return part


def parts(uid: bytes) -> list[bytes]:
    """A number as it is sent, level by level, each part with its checksum."""
    found = []
    while len(uid) > 4:
        found.append(bytes([CASCADE]) + uid[:3])
        uid = uid[3:]
    return [part + bytes([reduce(xor, part)]) for part in (*found, uid)]


def sector(block: int) -> int:
    """The sector of a block: four blocks each, from the 128th on sixteen."""
    return block // 4 if block < 128 else 32 + (block - 128) // 16


def as_text(content: bytes) -> str:
    """Stored text as people mean it: without what fills the blocks up."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.replace("\0", " ").strip()
