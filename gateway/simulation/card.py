"""Models of cards of ISO 14443 A: what they answer, and when they are silent."""

from __future__ import annotations

from gateway.cards import LEVELS, WHOLE, parts
from gateway.iso14443 import with_crc

Bits = list[int]
"""A frame as it is sent: of each byte the lowest bit first."""

REQA, WUPA, READ, WRITE = 0x26, 0x52, 0x30, 0xA0
HALT = with_crc(b"\x50\x00")
ACK, NAK = [0, 1, 0, 1], [0, 0, 1, 0]


def bits_of(data: bytes) -> Bits:
    """A frame of whole bytes."""
    return [byte >> bit & 1 for byte in data for bit in range(8)]


class PlainCard:
    """A card with a number and nothing on it.

    IDLE -REQA or WUPA-> READY -select-> ACTIVE -HLTA-> HALT, from where only WUPA wakes it. What it does not expect
    makes it IDLE again, or HALT where it came from there, without an answer.
    """

    sak = 0x20
    atqa = b"\x04\x00"

    def __init__(self, uid: str | bytes, *, wrong_checksum: bool = False) -> None:
        self.uid = uid if isinstance(uid, bytes) else bytes.fromhex(uid)
        self.parts = parts(self.uid)
        if wrong_checksum:
            self.parts = [part[:4] + bytes([part[4] ^ 1]) for part in self.parts]
        self.state = "idle"
        self.opened: int | None = None
        """The sector that a key has opened."""
        self._level = 0
        self._rest = "idle"

    def lose_power(self) -> None:
        """The field is off, or the card out of it."""
        self.state = self._rest = "idle"
        self.opened = None

    def hear(self, data: bytes, last_bits: int = 0) -> Bits | None:
        """The answer to a frame."""
        if len(data) == 1 and last_bits == 7:
            return self._request(data[0])
        if self.state == "ready" and len(data) > 1 and data[0] == LEVELS[self._level]:
            return self._chosen(data) if data[1] == WHOLE else self._part(data, last_bits)
        if self.state == "active" and data == HALT:
            self.state = "halt"
            return None
        if self.state == "active" and last_bits == 0:
            answer = self.command(data)
            if answer is not None:
                return answer
        self._back()
        return None

    def hear_noise(self) -> Bits | None:
        """A frame that is encrypted and should not be, or the other way round."""
        self._back()
        return None

    def command(self, data: bytes) -> Bits | None:
        """What it does once it is chosen; ``None`` for what it does not know."""
        del data
        return None

    def authenticate(self, command: int, block: int, key: bytes) -> bool:
        """Whether it takes the key."""
        del command, block, key
        self._back()
        return False

    def _request(self, command: int) -> Bits | None:
        if self.state == "idle" or (self.state == "halt" and command == WUPA):
            self._rest, self.state, self._level = self.state, "ready", 0
            return bits_of(self.atqa)
        if self.state != "halt":
            self._back()
        return None

    def _part(self, data: bytes, last_bits: int) -> Bits | None:
        """Anticollision: the rest of a number that begins so."""
        full, bits = (data[1] >> 4) - 2, data[1] & 0x0F
        if bits != last_bits or len(data) != 2 + full + (bits > 0):
            self._back()
            return None
        mine, known = bits_of(self.parts[self._level]), 8 * full + bits
        return mine[known:] if mine[:known] == bits_of(data[2:])[:known] else None

    def _chosen(self, data: bytes) -> Bits | None:
        if data != with_crc(data[:2] + self.parts[self._level]):
            self._back()
            return None
        self._level += 1
        if self._level < len(self.parts):
            return bits_of(with_crc(b"\x04"))
        self.state = "active"
        return bits_of(with_crc(bytes([self.sak])))

    def _back(self) -> None:
        self.opened = None
        if self.state in ("ready", "active"):
            self.state = self._rest


class Ntag(PlainCard):
    """An NTAG or MIFARE Ultralight: pages of 4 bytes, four of them in each answer, without a key."""

    sak = 0x00
    atqa = b"\x44\x00"

    def __init__(self, uid: str | bytes, pages: bytes = b"") -> None:
        super().__init__(uid)
        self.pages = pages.ljust(180, b"\0")

    def command(self, data: bytes) -> Bits | None:
        """READ."""
        if data != with_crc(data[:2]) or data[0] != READ:
            return None
        if 4 * data[1] >= len(self.pages):
            return list(NAK)
        return bits_of(with_crc((self.pages * 2)[4 * data[1] : 4 * data[1] + 16]))


class Classic(PlainCard):
    """A MIFARE Classic 1K: blocks of 16 bytes, and two keys for each sector; ``writers`` are those that may write."""

    sak = 0x08

    def __init__(
        self,
        uid: str | bytes,
        blocks: dict[int, bytes] | None = None,
        *,
        key: bytes = b"\xff" * 6,
        key_b: bytes | None = None,
        writers: str = "AB",
    ) -> None:
        super().__init__(uid)
        self.blocks = dict.fromkeys(range(64), b"\x00" * 16) | (blocks or {})
        self.keys = {"A": key, "B": key if key_b is None else key_b}
        self.writers = writers
        self._opener = ""
        self._writes: int | None = None

    def lose_power(self) -> None:
        """Also in the middle of a write."""
        super().lose_power()
        self._writes = None

    def authenticate(self, command: int, block: int, key: bytes) -> bool:
        """Whether it takes the key."""
        name = "A" if command == 0x60 else "B"
        if self.state == "active" and block < 64 and key == self.keys[name]:
            self.opened, self._opener = block // 4, name
            return True
        self._back()
        return False

    def command(self, data: bytes) -> Bits | None:
        """READ and WRITE, in a sector that is open."""
        if self._writes is not None:
            return self._second_frame(data, self._writes)
        if data != with_crc(data[:-2]):
            return None
        if data[0] not in (READ, WRITE) or len(data) != 4:
            return None
        denied = data[0] == WRITE and self._opener not in self.writers
        if self.opened != data[1] // 4 or data[1] >= 64 or denied:
            self._back()
            return list(NAK)
        if data[0] == READ:
            return bits_of(with_crc(self.blocks[data[1]]))
        self._writes = data[1]
        return list(ACK)

    def _second_frame(self, data: bytes, block: int) -> Bits:
        """What a block is to hold."""
        self._writes = None
        if len(data) != 18 or data != with_crc(data[:16]):
            self._back()
            return list(NAK)
        self.blocks[block] = data[:16]
        return list(ACK)

    def _back(self) -> None:
        super()._back()
        self._writes = None
