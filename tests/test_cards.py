"""gateway/cards.py: cards are found, however many there are and however long their numbers are."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.vectors import Vector, vectors

from gateway.cards import Answer, Cards, as_text, card_channels, checked, crc_a, parts, sector
from gateway.errors import BadReading
from gateway.options import CardOptions
from gateway.simulation.card import Classic, Ntag, PlainCard
from gateway.simulation.card_reader import CardReader

A, B, C = "deadbeef", "04a23b5c6d7e80", "0102030405060708090a"


class Wire:
    """An antenna on the model of a chip, register by register."""

    def __init__(self, chip: CardReader) -> None:
        self.chip = chip
        self.sent: list[bytes] = []
        chip.set(0x2A, 0x8D)

    def exchange(self, data: bytes, *, last_bits: int = 0, align: int = 0) -> Answer | None:
        """See :class:`gateway.cards.Antenna`."""
        chip = self.chip
        self.sent.append(data)
        for register, value in ((0x04, 0x7F), (0x0A, 0x80), (0x01, 0), *((0x09, byte) for byte in data)):
            chip.set(register, value)
        chip.set(0x01, 0x0C)
        chip.set(0x0D, 0x80 | align << 4 | last_bits)
        if not chip.get(0x04) & 0x20:
            return None
        received = bytes(chip.get(0x09) for _ in range(chip.get(0x0A)))
        return Answer(received, chip.get(0x0C) & 7, (chip.get(0x0E) & 0x1F or 32) if chip.get(0x06) & 8 else 0)

    def field(self, *, on: bool) -> None:
        """See :class:`gateway.cards.Antenna`."""
        self.chip.set(0x14, 0x83 if on else 0x80)

    def authenticate(self, command: int, block: int, key: bytes, uid: bytes) -> bool:
        """See :class:`gateway.cards.Antenna`."""
        self.chip.set(0x0A, 0x80)
        for byte in bytes([command, block]) + key + uid:
            self.chip.set(0x09, byte)
        self.chip.set(0x01, 0x0E)
        return bool(self.chip.get(0x08) & 8)

    def end_session(self) -> None:
        """See :class:`gateway.cards.Antenna`."""
        self.chip.set(0x08, 0)


def cards_on(*on_it: PlainCard, collision_in_frame: bool = False, **options: Any) -> tuple[Cards, CardReader]:
    """The cards in front of a chip."""
    chip = CardReader(*on_it, collision_in_frame=collision_in_frame)
    return Cards(Wire(chip), CardOptions(**options), lambda _: None), chip


def seen(cards: Cards) -> list[str]:
    """Their numbers, sorted."""
    return sorted(card.uid.hex() for card in cards.look())


@pytest.mark.parametrize("vector", [one for one in vectors("mfrc522") if one.values[0]["interface"] == "crc_a"])
def test_checksum_vectors(vector: Vector) -> None:
    """As the standard has it."""
    (expected,) = vector["expect"]["values"]
    assert crc_a(bytes.fromhex(vector["input"]["hex"])).hex() == expected["value"]


@pytest.mark.parametrize("uid", [A, B, C])
def test_a_held_card_is_in_every_look(uid: str) -> None:
    """Numbers of all lengths; no look misses it."""
    cards, chip = cards_on(PlainCard(uid))
    assert [seen(cards) for _ in range(20)] == [[uid]] * 20
    chip.lay()
    assert seen(cards) == []


def test_cards_come_and_go_beside_others() -> None:
    """One look is enough to see what is new and what has gone."""
    one, two, three = PlainCard(A), Ntag(B), PlainCard(C)
    cards, chip = cards_on(one)
    for on_it in ([one], [one, two], [two, one, three], [three, two], [two], [one], [], [three]):
        chip.lay(*on_it)
        for _ in range(3):
            assert seen(cards) == sorted(card.uid.hex() for card in on_it)


@settings(max_examples=150, deadline=None)
@given(
    st.sets(st.one_of(*(st.binary(min_size=size, max_size=size) for size in (4, 7, 10))), max_size=5),
    st.booleans(),
)
def test_any_cards_at_once(uids: set[bytes], collision_in_frame: bool) -> None:  # noqa: FBT001
    """All are found, in whichever way the chip counts the place of a collision."""
    plain = {uid for uid in uids if uid[0] != 0x88 and (len(uid) < 8 or uid[3] != 0x88)}  # 88 is no first byte
    cards, _ = cards_on(*map(PlainCard, plain), collision_in_frame=collision_in_frame)
    for _ in range(2):
        assert {card.uid for card in cards.look()} == plain


def test_numbers_that_differ_late() -> None:
    """Several collisions one after the other, also in the second level."""
    uids = ["04a23b5c6d7e80", "04a23b5c6d7e81", "04a23b5c6d7ec1", "04a23b00000000", "04a23b5c"]
    for collision_in_frame in (False, True):
        cards, _ = cards_on(*map(PlainCard, uids), collision_in_frame=collision_in_frame)
        assert seen(cards) == sorted(uids)


def test_a_wrong_checksum_is_a_bad_reading() -> None:
    """And the others are not forgotten because of it."""
    good = PlainCard(A)
    cards, chip = cards_on(good)
    assert seen(cards) == [A]
    chip.lay(good, PlainCard("12345678", wrong_checksum=True))
    for _ in range(3):
        with pytest.raises(BadReading, match="wrong checksum"):
            cards.look()
    chip.lay(good)
    assert seen(cards) == [A]


def test_an_answer_that_is_cut_off_is_no_card() -> None:
    """A card at the edge of the field: not seen now, seen when it is near."""
    cards, chip = cards_on(PlainCard(A))
    chip.garble = lambda bits: bits[:30]
    assert seen(cards) == []
    chip.garble = lambda bits: bits
    assert seen(cards) == [A]


def test_noise_makes_no_card() -> None:
    """Whatever bit is turned: an error, nobody, or the card; never another one."""
    for place in range(40):
        cards, chip = cards_on(PlainCard(B))

        def turn(bits: list[int], at: int = place) -> list[int]:
            return [bit ^ (index == at) for index, bit in enumerate(bits)]

        chip.garble = turn
        with contextlib.suppress(BadReading):
            assert seen(cards) in ([], [B])


# Content -------------------------------------------------------------------------------------------------------------

TEXT = {8: b"Anna".ljust(16, b"\0"), 9: b"Blue house".ljust(16), 12: bytes(range(16))}


def test_blocks_of_a_classic() -> None:
    """From several sectors, as text and as they are; read once, with the arrival; then the talk is in the clear."""
    card = Classic(A, TEXT)
    cards, chip = cards_on(card, blocks=(8, 9), blocks_as="text")
    assert cards.read() == [{"tag": A, "data": "Anna            Blue house"}]
    card.blocks[8] = bytes(16)
    assert cards.read() == [{"tag": A, "data": "Anna            Blue house"}]
    cards, chip = cards_on(card, Ntag(B), blocks=(9, 12))
    assert chip.get(0x08) & 8 == 0
    found = {one["tag"]: one["data"] for one in cards.read() or ()}
    assert found[A] == (TEXT[9] + TEXT[12]).hex()
    assert cards.read() is not None
    assert chip.get(0x08) & 8 == 0


def test_pages_of_an_ntag() -> None:
    """No key is needed; one that does not exist is an error."""
    cards, _ = cards_on(Ntag(B, bytes(range(64))), blocks=(4,))
    assert cards.read() == [{"tag": B, "data": bytes(range(16, 32)).hex()}]
    cards, _ = cards_on(Ntag(B), blocks=(200,))
    assert cards.read() == [{"tag": B, "data": None, "data_error": "block 200 of a card: it does not let it be read"}]


@pytest.mark.parametrize(
    ("key_type", "key", "works"), [("A", "FF" * 6, False), ("A", "A0" * 6, True), ("B", "A0" * 6, True)]
)
def test_a_key(key_type: str, key: str, works: bool) -> None:  # noqa: FBT001
    """A wrong one is null with the reason, then one bad reading, and never an empty text; the card is held as ever."""
    cards, _ = cards_on(Classic(A, TEXT, key=b"\xa0" * 6), blocks=(8,), block_key=key, block_key_type=key_type)
    (first,) = cards.read() or ()
    if works:
        assert first["data"] == TEXT[8].hex()
        return
    assert first == {"tag": A, "data": None, "data_error": "block 8 of a card: the key A is wrong"}
    with pytest.raises(BadReading, match="the key A is wrong"):
        cards.read()
    for _ in range(5):
        assert cards.read() == [first]


def test_a_card_that_is_taken_away_while_it_is_read() -> None:
    """Its key is not blamed."""
    cards, chip = cards_on(Classic(A, TEXT), blocks=(8,))
    good = Wire.authenticate

    def taken(*_: Any) -> bool:
        chip.lay()
        return False

    Wire.authenticate = taken  # type: ignore[method-assign]
    try:
        (first,) = cards.read() or ()
    finally:
        Wire.authenticate = good  # type: ignore[method-assign]
    assert first["data_error"] == "block 8 of a card: it was taken away"


def test_content_that_came_damaged() -> None:
    """Its checksum says so."""
    cards, chip = cards_on(Classic(A, TEXT), blocks=(12,))
    chip.garble = lambda bits: bits if len(bits) < 140 else [bits[0] ^ 1, *bits[1:]]
    (first,) = cards.read() or ()
    assert first["data_error"] == "block 12 of a card: wrong checksum"


def test_channels_of_content() -> None:
    """Only where it is wanted."""
    assert card_channels(CardOptions()) == ()
    assert [one.name for one in card_channels(CardOptions(blocks=(8,)))] == ["data", "data_error"]
    with pytest.raises(ValueError, match="from 0 to 255"):
        CardOptions(blocks=(256,))


def test_small_parts() -> None:
    """What the rest is made of."""
    assert [part.hex() for part in parts(bytes.fromhex(B))] == ["8804a23b15", "5c6d7e80cf"]
    assert [sector(block) for block in (0, 3, 4, 127, 128, 255)] == [0, 0, 1, 31, 32, 39]
    assert as_text(b"\0 Gr\xc3\xbc\xc3\x9fe\0\0") == "Grüße"
    assert as_text(b"Gr\xfc\xdfe\0") == "Grüße"
    assert checked(bytes.fromhex("8804a23b15")) == bytes.fromhex("8804a23b15")
