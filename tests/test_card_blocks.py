"""gateway/card_blocks.py: what is stored on a card is read and written, and nothing of it goes wrong unnoticed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.card_wire import Wire, cards_on

from gateway.card_blocks import as_content, as_text, card_channels
from gateway.cards import Cards
from gateway.errors import BadReading, DeviceUnavailable
from gateway.options import CardOptions
from gateway.simulation.card import Classic, Ntag, PlainCard

A, B = "deadbeef", "04a23b5c6d7e80"


def wire_of(cards: Cards) -> Wire:
    """What they are in front of."""
    antenna = cards._antenna
    assert isinstance(antenna, Wire)
    return antenna


# Reading -------------------------------------------------------------------------------------------------------------

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
    wire = wire_of(cards)
    wire.before = lambda number: chip.lay() if wire.sent[number][0] == 0x60 else None
    (first,) = cards.read() or ()
    assert first["data_error"] == "block 8 of a card: it was taken away"


def test_a_key_that_is_wrong_for_a_later_sector() -> None:
    """What the chip said of the sector before does not count: it is the key, and the card has not gone."""

    class Mixed(Classic):
        def authenticate(self, command: int, block: int, key: bytes) -> bool:
            """See :class:`gateway.simulation.card.PlainCard`."""
            return super().authenticate(command, block, key if block < 12 else bytes(6))

    card = Mixed(A, TEXT)
    cards, _ = cards_on(card, blocks=(8, 12), block_write=True)
    (first,) = cards.read() or ()
    assert first["data_error"] == "block 12 of a card: the key A is wrong"
    with pytest.raises(BadReading, match="block 12 of a card: the key A is wrong; nothing is written"):
        cards.write("00" * 32)
    assert card.blocks[8] == TEXT[8]


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


def test_text_as_people_mean_it() -> None:
    """Without what fills the blocks up; in UTF-8, or in Latin-1 where it is none."""
    assert as_text(b"\0 Gr\xc3\xbc\xc3\x9fe\0\0") == "Gr\u00fc\u00dfe"
    assert as_text(b"Gr\xfc\xdfe\0") == "Gr\u00fc\u00dfe"


# Writing -------------------------------------------------------------------------------------------------------------

WRITE: dict[str, Any] = {"blocks": (8, 9, 10), "blocks_as": "text", "block_write": True}
OLD, NEW = "Anna, first floor, from nine to five o'clock...", "Berta, second floor, from ten to six o'clock..."
BLOCKS = (8, 9, 12)


def holding(content: bytes, blocks: tuple[int, ...], **more: Any) -> Classic:
    """A card with that in these blocks."""
    content = content.ljust(16 * len(blocks))
    return Classic(A, {block: content[16 * n : 16 * n + 16] for n, block in enumerate(blocks)}, **more)


def content_of(card: Classic, blocks: tuple[int, ...]) -> bytes:
    """What they hold."""
    return b"".join(card.blocks[block] for block in blocks)


def attempt(cards: Cards, text: str) -> BadReading | None:
    """Write it; why it was not."""
    try:
        cards.write(text)
    except BadReading as error:
        return error
    return None


def test_what_is_written_is_read_back() -> None:
    """By the next visit, and by what reads cards elsewhere; the card is held all the while, and in the clear."""
    card = Classic(A, {11: b"keys of sector 2"})
    cards, chip = cards_on(card, **WRITE)
    assert cards.read() == [{"tag": A, "data": ""}]
    cards.write("Berta, second floor")
    assert content_of(card, (8, 9, 10)) == b"Berta, second floor".ljust(48)
    assert chip.get(0x08) & 8 == 0
    for _ in range(5):
        assert cards.read() == [{"tag": A, "data": "Berta, second floor"}]
    assert {block for block, content in card.blocks.items() if any(content)} == {8, 9, 10, 11}
    chip.lay()
    assert cards.read() is None
    chip.lay(card)
    assert cards.read() == [{"tag": A, "data": "Berta, second floor"}]
    cards.write("")
    assert content_of(card, (8, 9, 10)) == bytes(b" " * 48)
    assert cards.read() == [{"tag": A, "data": ""}]


def test_only_what_is_different_is_written() -> None:
    """A card wears out: 100,000 times a block."""
    cards, _ = cards_on(holding(b"Anna".ljust(16) + b"first".ljust(16) + bytes(16), (8, 9, 10)), **WRITE)
    cards.read()
    del wire_of(cards).sent[:]
    cards.write("Anna".ljust(16) + "ninth")
    assert [frame[1] for frame in wire_of(cards).sent if frame[0] == 0xA0 and len(frame) == 4] == [9, 10]


@settings(max_examples=100, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=48).filter(lambda text: len(text.encode()) <= 48)
)
def test_any_text(text: str) -> None:
    """It is read as it was written, or it is refused and nothing is changed."""
    card = holding(OLD.encode(), (8, 9, 10))
    cards, _ = cards_on(card, **WRITE)
    refusal = attempt(cards, text)
    if refusal is None:
        assert cards.read() == [{"tag": A, "data": text}]
        return
    assert text != text.strip()
    assert str(refusal) == "a text that begins or ends with a space would be read without it; nothing is written"
    assert content_of(card, (8, 9, 10)) == OLD.encode().ljust(48)


@given(st.binary(min_size=32, max_size=32))
def test_any_bytes(content: bytes) -> None:
    """As digits, of either case."""
    card = Classic(A)
    cards, _ = cards_on(card, blocks=(12, 9), block_write=True)
    cards.write(content.hex().upper())
    assert content_of(card, (12, 9)) == content
    assert cards.read() == [{"tag": A, "data": content.hex()}]


def test_which_text_would_be_read_otherwise() -> None:
    """The space at the end would be taken for what fills the block up."""
    options = CardOptions(**WRITE)
    assert as_content("Gr\u00fc\u00dfe", options) == b"Gr\xc3\xbc\xc3\x9fe".ljust(48)
    for text in (" Anna", "Anna ", "\u00a0Anna", " "):
        with pytest.raises(BadReading, match="begins or ends with a space"):
            as_content(text, options)


REFUSED = {
    "nobody": ([], {}, "no card lies on the reader; lay it there first, and leave it until the answer comes"),
    "two": (
        [holding(b"", ()), PlainCard(B)],
        {},
        "2 cards lie on the reader; leave the one that is to be written",
    ),
    "NTAG": ([Ntag(B)], {}, "this card has no blocks that can be written; a MIFARE Classic has; nothing is written"),
    "DESFire": (
        [PlainCard(B)],
        {},
        "this card has no blocks that can be written; a MIFARE Classic has; nothing is written",
    ),
    "wrong key": (
        [Classic(A, key=b"\xa0" * 6)],
        {},
        "block 8 of a card: the key A is wrong; nothing is written",
    ),
    "wrong key B": (
        [Classic(A, key_b=b"\xb0" * 6)],
        {"block_key_type": "B"},
        "block 8 of a card: the key B is wrong; nothing is written",
    ),
    "no such block": (
        [Classic(A)],
        {"blocks": (8, 9, 64)},
        "block 64 of a card: the key A is wrong; nothing is written",
    ),
    "only B may write": (
        [Classic(A, key_b=b"\xb0" * 6, writers="B")],
        {},
        "block 8 of a card: it does not let it be written with the key A; nothing is written",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    """In one line; nothing on the card is changed, one bad reading is counted, and the cards are held as ever."""
    on_it, more, words = REFUSED[case]
    before = [dict(card.blocks) for card in on_it if isinstance(card, Classic)]
    cards, _ = cards_on(*on_it, **(WRITE | {"blocks": (8, 9, 10)} | more))
    held = {one["tag"] for one in cards.read() or ()}
    cards._problem = ""
    with pytest.raises(BadReading) as error:
        cards.write(NEW)
    assert str(error.value) == words
    assert [dict(card.blocks) for card in on_it if isinstance(card, Classic)] == before
    with pytest.raises(BadReading) as error:
        cards.read()
    assert str(error.value) == words
    for _ in range(3):
        assert {one["tag"] for one in cards.read() or ()} == held == {card.uid.hex() for card in on_it}


def test_a_key_that_may_write() -> None:
    """Where A may only read, B writes."""
    card = Classic(A, key_b=b"\xb0" * 6, writers="B")
    cards, _ = cards_on(card, **WRITE, block_key="B0" * 6, block_key_type="B")
    cards.write(NEW)
    assert content_of(card, (8, 9, 10)) == NEW.encode().ljust(48)


def account(error: BadReading) -> dict[int, str]:
    """What an error says of each block."""
    told = dict.fromkeys(BLOCKS, "as before")
    states = [] if str(error).startswith("no card lies") else str(error).split("; ")[1:]
    for state in states:
        if state != "nothing is written":
            name, _, numbers = state.partition(": ")
            told |= {int(number): name for number in numbers.split(", ")}
    return told


def check_account(card: Classic, error: BadReading) -> str:
    """It is true; what it says of the block that was being written, if anything."""
    told, states = account(error), set()
    for number, block in enumerate(BLOCKS):
        old, new = (text.encode().ljust(48)[16 * number : 16 * number + 16] for text in (OLD, NEW))
        allowed = {"as before": [old], "written": [new], "in doubt": [old, new]}[told[block]]
        assert card.blocks[block] in allowed, error
        states.add(told[block])
    return "in doubt" if "in doubt" in states else "partly" if len(states) > 1 else states.pop()


def test_a_card_that_is_taken_away_at_any_moment() -> None:
    """Before whichever frame: what the error says of each block is true."""
    seen = set()
    for moment in range(200):
        card = holding(OLD.encode(), BLOCKS)
        cards, chip = cards_on(card, **(WRITE | {"blocks": BLOCKS}))
        wire = wire_of(cards)
        wire.before = lambda number, chip=chip, moment=moment: chip.lay() if number == moment else None  # type: ignore[misc]
        error = attempt(cards, NEW)
        if error is None:
            break
        assert "taken away" in str(error) or str(error).startswith("no card lies")
        seen.add(check_account(card, error))
        if "in doubt" in str(error):
            last = str(error)
    else:
        pytest.fail("it was never written")
    assert content_of(card, BLOCKS) == NEW.encode().ljust(48)
    assert seen == {"as before", "partly", "in doubt"}
    assert last == "block 12 of a card: it was taken away; written: 8, 9; in doubt: 12"


def test_an_answer_that_is_lost_at_any_moment() -> None:
    """It is written all the same, or what the error says is true; and the next try does it."""
    outcomes = set()
    for moment in range(200):
        card = holding(OLD.encode(), BLOCKS)
        cards, _ = cards_on(card, **(WRITE | {"blocks": BLOCKS}))
        wire = wire_of(cards)
        wire.lose = moment
        error = attempt(cards, NEW)
        outcomes.add("written" if error is None else check_account(card, error))
        if error is not None:
            wire.lose = -1
            cards.write(NEW)
        assert content_of(card, BLOCKS) == NEW.encode().ljust(48)
        if moment > len(wire.sent):
            break
    assert outcomes >= {"as before", "partly", "written"}


def test_the_answer_to_the_second_frame_is_lost() -> None:
    """What the card holds decides, not what was heard of it."""
    card = Classic(A)
    cards, _ = cards_on(card, **WRITE)
    wire = wire_of(cards)

    def at(number: int) -> None:
        if number and wire.sent[number - 1][:2] == b"\xa0\x09":
            wire.lose = number

    wire.before = at
    cards.write(NEW)
    assert wire.lose > 0
    assert content_of(card, (8, 9, 10)) == NEW.encode().ljust(48)


class Worn(Classic):
    """A card of which one block takes something else than it is given."""

    holds: bytes | None = None
    """``None``: it keeps what it has."""

    def command(self, data: bytes) -> list[int] | None:
        """See :class:`gateway.simulation.card.PlainCard`."""
        old = self.blocks[12]
        answer = super().command(data)
        if self.blocks[12] != old:
            self.blocks[12] = old if self.holds is None else self.holds
        return answer


@pytest.mark.parametrize(("holds", "state"), [(None, "as before"), (b"\x55" * 16, "damaged")])
def test_a_block_that_holds_something_else_afterwards(holds: bytes | None, state: str) -> None:
    """The card has acknowledged it all the same."""
    card = Worn(A, {8: b"x" * 16})
    card.holds = holds
    cards, _ = cards_on(card, **(WRITE | {"blocks": BLOCKS}))
    with pytest.raises(BadReading) as error:
        cards.write(NEW)
    assert str(error.value) == f"block 12 of a card: it does not hold what was written; written: 8, 9; {state}: 12"


@pytest.mark.parametrize("failure", [OSError(121, "Remote I/O error"), DeviceUnavailable("gone", hint="plug it in")])
def test_a_chip_that_goes_in_the_middle(failure: Exception) -> None:
    """The device is unavailable, with what is written by then."""
    cards, _ = cards_on(holding(OLD.encode(), BLOCKS), **(WRITE | {"blocks": BLOCKS}))
    wire = wire_of(cards)

    def at(number: int) -> None:
        if number and wire.sent[number - 1][:2] == b"\xa0\x09":
            raise failure

    wire.before = at
    with pytest.raises(DeviceUnavailable) as error:
        cards.write(NEW)
    assert str(error.value) == f"{failure}; written: 8; in doubt: 9; as before: 12"
    assert error.value.hint == getattr(failure, "hint", "")


def test_the_channel_can_be_written_where_it_is_allowed() -> None:
    """With the length that the blocks have."""
    assert not any(one.writable for one in card_channels(CardOptions(blocks=(8,))))
    data, error = card_channels(CardOptions(**WRITE))
    assert (data.writable, data.max_length, data.pattern, error.writable) == (True, 48, None, False)
    data, _ = card_channels(CardOptions(blocks=(8, 9), block_write=True))
    assert (data.max_length, data.pattern) == (64, "[0-9A-Fa-f]{64}")


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ((), "name the blocks that may be written"),
        ((0,), "block 0 holds the card's number and is never written; take it out"),
        ((8, 11), "block 11 holds its sector's keys and is never written"),
        ((143,), "block 143 holds its sector's keys"),
        ((8, 9, 8), "block 8 is in blocks more than once"),
        ((256,), "from 0 to 255"),
    ],
)
def test_blocks_that_are_never_written(blocks: tuple[int, ...], words: str) -> None:
    """Refused with the configuration; reading them is nobody's harm."""
    with pytest.raises(ValueError, match=words):
        CardOptions(blocks=blocks, block_write=True)
    if blocks != (256,):
        assert CardOptions(blocks=blocks).blocks == blocks
