"""gateway/cards.py: cards are found, however many there are and however long their numbers are."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.card_wire import cards_on

from gateway.cards import Cards, checked, parts
from gateway.errors import BadReading
from gateway.simulation.card import Ntag, PlainCard

A, B, C = "deadbeef", "04a23b5c6d7e80", "0102030405060708090a"


def seen(cards: Cards) -> list[str]:
    """Their numbers, sorted."""
    return sorted(card.uid.hex() for card in cards.look())


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


def test_parts_of_a_number() -> None:
    """As they are sent, each with its checksum."""
    assert [part.hex() for part in parts(bytes.fromhex(B))] == ["8804a23b15", "5c6d7e80cf"]
    assert checked(bytes.fromhex("8804a23b15")) == bytes.fromhex("8804a23b15")
