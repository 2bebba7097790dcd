"""Cards of ISO 14443 A in front of a chip that sends frames: which are there, and what is stored on them.

Drivers import it from :mod:`gateway.driver`. A card that was found is told to be silent (HLTA) and is asked for by its
number from then on; so several cards are found one after the other, and a card that is held is found in every look.

Sources: ISO/IEC 14443-3 (frames, anticollision, CRC_A); NXP AN10927 (numbers of 7 and 10 bytes) and MF1S50YYX.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import xor

from gateway.card_blocks import HALT, Blocks, as_content, as_text
from gateway.channel import Scalar, Settable
from gateway.errors import BadReading
from gateway.iso14443 import Antenna, Card, with_crc
from gateway.options import CardOptions

REQA, WUPA = 0x26, 0x52
LEVELS = (0x93, 0x95, 0x97)
"""SEL of the cascade: numbers have 4, 7 or 10 bytes."""
WHOLE = 0x70
CASCADE = 0x88
"""In place of a number's first byte where it goes on at the next level."""
GOES_ON = 0x04
"""The bit of SAK that says so."""
MOST = 8
"""Cards that one look finds; an antenna feeds three or four."""
LOOKS = 3
"""For the card that is to be written: one at the edge of the field is not in every look."""
PAUSE = 0.005
"""Seconds without the field after which a card has forgotten all, and with it until it listens."""


class Cards:
    """The cards in front of one antenna."""

    def __init__(self, antenna: Antenna, options: CardOptions, wait: Callable[[float], None]) -> None:
        self._antenna = antenna
        self._options = options
        self._wait = wait
        self._blocks = Blocks(antenna, options, self._choose)
        self._known: list[Card] = []
        self._problem = ""
        self._restart()

    def read(self) -> list[dict[str, Scalar]] | None:
        """What a driver's ``read`` returns. What is wrong with a card's content is a bad reading after its arrival."""
        if self._problem:
            problem, self._problem = self._problem, ""
            raise BadReading(problem)
        return [self._values(card) for card in self.look()] or None

    def write(self, value: Settable) -> None:
        """What a driver's ``write`` of the channel ``data`` does: the one card that lies there holds this afterwards.

        Raises ``BadReading`` where it does not, with what it holds instead; that is a bad reading as well.
        """
        content = as_content(str(value), self._options)
        try:
            card = self._only()
            self._blocks.write(card, content)
        except BadReading as error:
            self._problem = str(error)
            self._known = [replace(card, data=None, problem=self._problem) for card in self._known]
            raise
        self._known = [replace(card, data=content, problem="")]

    def _only(self) -> Card:
        """The card that lies there; it is chosen."""
        for _ in range(LOOKS):
            cards = self.look()
            if len(cards) > 1:
                raise BadReading(f"{len(cards)} cards lie on the reader; leave the one that is to be written")
            if cards and self._choose(cards[0].uid):
                return cards[0]
        raise BadReading("no card lies on the reader; lay it there first, and leave it until the answer comes")

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
        """Choose it, and let it be silent again."""
        there = self._choose(uid)
        if there:
            self._halt()
        return there

    def _choose(self, uid: bytes) -> bool:
        """Wake all, and choose this one; whether it is there."""
        return self._request(WUPA) and all(
            self._select(level, part) is not None for level, part in zip(LEVELS, parts(uid), strict=False)
        )

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
        self._antenna.exchange(HALT)

    def _with_content(self, card: Card) -> Card:
        """The chosen card with what is stored on it."""
        if not self._options.blocks:
            return card
        try:
            return replace(card, data=self._blocks.read(card))
        except BadReading as error:
            self._problem = str(error)
            return replace(card, problem=self._problem)


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
