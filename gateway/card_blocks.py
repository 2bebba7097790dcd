"""What is stored on a card: reads blocks, and writes them where the user allows it.

Nothing is written before every block has been read, so that a wrong key or a block that is not there changes nothing.
Each block is read again after it was written, and whatever goes wrong is told with what is written by then.

Sources: NXP MF1S50YYX (MIFARE Classic: READ, WRITE in two frames, ACK and NAK of four bits), NTAG213 (pages).
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.channel import Channel
from gateway.errors import BadReading, DeviceUnavailable, DriverError
from gateway.iso14443 import Answer, Antenna, Card, sector, with_crc
from gateway.options import CardOptions

CLASSIC = 0x08
"""The bit of SAK that says MIFARE Classic."""
HALT = with_crc(b"\x50\x00")
READ, WRITE = 0x30, 0xA0
ACK = 0x0A
BLOCK = 16
AUTH = {"A": 0x60, "B": 0x61}
AS_BEFORE, IN_DOUBT, DAMAGED = "as before", "in doubt", "damaged"
"""What may have become of the block at which a write broke off."""


class Blocks:
    """The blocks that the options name, of a card that is chosen. ``choose`` wakes it and chooses it again."""

    def __init__(self, antenna: Antenna, options: CardOptions, choose: Callable[[bytes], bool]) -> None:
        self._antenna = antenna
        self._options = options
        self._choose = choose
        self._opened: int | None = None
        self._written: list[int] = []
        self._at = AS_BEFORE

    def read(self, card: Card) -> bytes:
        """Their content; the card is silent then. Raises ``BadReading``."""
        self._opened = None
        try:
            content = b"".join(self._get(card, block) for block in self._options.blocks)
            self._antenna.exchange(HALT)  # in the clear it would not be understood
            return content
        finally:
            self._antenna.end_session()

    def write(self, card: Card, content: bytes) -> None:
        """Let them hold this, and see that they do. Whatever it raises says which of them do by then."""
        self._opened = None
        self._written, self._at = [], AS_BEFORE
        try:
            self._write(card, content)
        except (DriverError, OSError) as error:
            kind = type(error) if isinstance(error, DriverError) else DeviceUnavailable
            if kind is BadReading:  # else the chip is gone
                self._antenna.end_session()
            raise kind(f"{error}; {self._account()}", hint=getattr(error, "hint", "")) from None
        self._antenna.exchange(HALT)
        self._antenna.end_session()

    def _write(self, card: Card, content: bytes) -> None:
        if not card.sak & CLASSIC:
            raise BadReading("this card has no blocks that can be written; a MIFARE Classic has")
        parts = [content[start : start + BLOCK] for start in range(0, len(content), BLOCK)]
        before = [self._get(card, block) for block in self._options.blocks]
        for block, old, new in zip(self._options.blocks, before, parts, strict=True):
            if new != old:
                self._put(card, block, old, new)
            self._written.append(block)

    def _put(self, card: Card, block: int, old: bytes, new: bytes) -> None:
        """Write one, and read it again: that alone says what has become of it, also where no answer came."""
        self._open(card, block)
        answer = self._antenna.exchange(with_crc(bytes([WRITE, block])))
        if answer is None:
            raise BadReading(f"block {block} of a card: {self._silence(card)}")
        if not _is_ack(answer):
            with_key = f"with the key {self._options.block_key_type}"
            raise BadReading(f"block {block} of a card: it does not let it be written {with_key}")
        self._at = IN_DOUBT
        answer = self._antenna.exchange(with_crc(new))
        unheard = answer is None or not _is_ack(answer)
        if unheard and not self._is_there(card):
            raise BadReading(f"block {block} of a card: it was taken away")
        now = self._get(card, block)
        if now != new:
            self._at = AS_BEFORE if now == old else DAMAGED
            raise BadReading(f"block {block} of a card: it does not hold what was written")
        self._at = AS_BEFORE  # of the next one

    def _account(self) -> str:
        """What a write that broke off has done."""
        count = len(self._written)
        at, after = self._options.blocks[count : count + 1], self._options.blocks[count + 1 :]
        if not self._written and self._at == AS_BEFORE:
            return "nothing is written"
        states = {"written": self._written, IN_DOUBT: (), DAMAGED: (), AS_BEFORE: after}
        states[self._at] = (*at, *after) if self._at == AS_BEFORE else at
        told = [f"{state}: {', '.join(map(str, blocks))}" for state, blocks in states.items() if blocks]
        return "; ".join(told)

    # One block -------------------------------------------------------------------------------------------------------

    def _open(self, card: Card, block: int) -> None:
        """Open its sector, where it has a key. A card that has gone is as silent as one that refuses a key.

        From one sector to the next the talk is ended: else what the chip says would be of the sector before.
        """
        if not card.sak & CLASSIC or self._opened == sector(block):
            return
        if self._opened is not None:
            self._antenna.exchange(HALT)
            if not self._is_there(card):
                raise BadReading(f"block {block} of a card: it was taken away")
        key = bytes.fromhex(self._options.block_key)
        if not self._antenna.authenticate(AUTH[self._options.block_key_type], block, key, card.uid[-4:]):
            why = f"the key {self._options.block_key_type} is wrong" if self._is_there(card) else "it was taken away"
            raise BadReading(f"block {block} of a card: {why}")
        self._opened = sector(block)

    def _get(self, card: Card, block: int) -> bytes:
        self._open(card, block)
        answer = self._antenna.exchange(with_crc(bytes([READ, block])))
        if answer is None:
            raise BadReading(f"block {block} of a card: {self._silence(card)}")
        if len(answer.data) != BLOCK + 2:
            raise BadReading(f"block {block} of a card: it does not let it be read")
        if with_crc(answer.data[:BLOCK]) != answer.data:
            raise BadReading(f"block {block} of a card: wrong checksum")
        return answer.data[:BLOCK]

    def _silence(self, card: Card) -> str:
        """What it means."""
        return "it does not answer" if self._is_there(card) else "it was taken away"

    def _is_there(self, card: Card) -> bool:
        """Talk in the clear, and choose it again; one that was in the middle of something is deaf the first time."""
        self._opened = None
        self._antenna.end_session()
        return self._choose(card.uid) or self._choose(card.uid)


def card_channels(options: CardOptions) -> tuple[Channel, ...]:
    """What a card's events have beside the number."""
    if not options.blocks:
        return ()
    about = f"the content of blocks {', '.join(map(str, options.blocks))}; null with an error"
    error = Channel("data_error", type=str, help="why there is no content")
    if not options.block_write:
        return (Channel("data", type=str, help=about), error)
    size = BLOCK * len(options.blocks)
    if options.blocks_as == "text":
        return (Channel("data", type=str, help=about, writable=True, max_length=size), error)
    digits = f"[0-9A-Fa-f]{{{2 * size}}}"
    return (Channel("data", type=str, help=about, writable=True, max_length=2 * size, pattern=digits), error)


def as_text(content: bytes) -> str:
    """Stored text as people mean it: without what fills the blocks up."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.replace("\0", " ").strip()


def as_content(value: str, options: CardOptions) -> bytes:
    """What the blocks have to hold in order to be read as ``value``. Raises ``BadReading`` where nothing would do."""
    if options.blocks_as == "hex":
        return bytes.fromhex(value)
    content = value.encode().ljust(BLOCK * len(options.blocks))
    if as_text(content) != value:
        raise BadReading("a text that begins or ends with a space would be read without it; nothing is written")
    return content


def _is_ack(answer: Answer) -> bool:
    return answer.last_bits == 4 and answer.data[0] & 0x0F == ACK
