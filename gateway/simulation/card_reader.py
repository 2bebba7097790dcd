"""Models of the chip MFRC522, with registers, FIFO, commands and the cards in its field: on SPI, and on I2C.

Source: NXP's MFRC522 data sheet. Encryption is left out: the chip does it by itself, and a host sees nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.iso14443 import crc_a
from gateway.simulation.card import Bits, PlainCard
from gateway.simulation.model import I2CModel, Model
from gateway.simulation.registers import Fifo

COMMAND, COM_IRQ, DIV_IRQ, ERROR, STATUS2, FIFO, FIFO_LEVEL = 0x01, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A
CONTROL, BIT_FRAMING, COLL, TX_CONTROL, CRC_HIGH, CRC_LOW, T_MODE, VERSION = (
    0x0C, 0x0D, 0x0E, 0x14, 0x21, 0x22, 0x2A, 0x37,
)  # fmt: skip
AT_POWER_ON = {COMMAND: 0x20, COM_IRQ: 0x14, CONTROL: 0x10, COLL: 0xA0, TX_CONTROL: 0x80, 0x11: 0x3F}
IDLE, CALC_CRC, TRANSCEIVE, AUTHENT, SOFT_RESET = 0x00, 0x03, 0x0C, 0x0E, 0x0F
TIMER_IRQ, ERROR_IRQ, IDLE_IRQ, RX_IRQ, TX_IRQ = 0x01, 0x02, 0x10, 0x20, 0x40
FIFO_SIZE = 64


class CardReader(Model):
    """One chip, and the cards that lie on it: see ``lay``.

    ``collision_in_frame``: the place of a collision is counted in the frame that came, else in the card's number.
    ``visitors`` says at which time which cards lie there, until ``lay`` says something else.
    """

    def __init__(
        self,
        *cards: PlainCard,
        version: int = 0x92,
        collision_in_frame: bool = False,
        visitors: Callable[[float], Sequence[PlainCard]] | None = None,
    ) -> None:
        self.cards: list[PlainCard] = list(cards)
        self.version = version
        self.collision_in_frame = collision_in_frame
        self.garble: Callable[[Bits], Bits] = lambda bits: bits
        """What noise makes of an answer."""
        self.inits = 0
        """How often a driver has set it up."""
        self.accesses = 0
        self._visitors = visitors
        self._registers: dict[int, int] = {}
        self._fifo = Fifo(FIFO_SIZE)
        super().__init__()

    def lay(self, *cards: PlainCard) -> None:
        """These lie on it from now on, and no others."""
        self._visitors = None
        self._lay(cards)

    def _lay(self, cards: Sequence[PlainCard]) -> None:
        for card in self.cards:
            if card not in cards:
                card.lose_power()
        self.cards = list(cards)

    def power_on(self) -> None:
        """All registers as at the start, and no field."""
        self._registers = dict(AT_POWER_ON)
        self._fifo.flush()
        for card in self.cards:
            card.lose_power()

    def get(self, register: int) -> int:
        """What a register holds."""
        self.accesses += 1
        if register == FIFO:
            return self._fifo.pop()
        if register == FIFO_LEVEL:
            return len(self._fifo)
        return self.version if register == VERSION else self._registers.get(register, 0)

    def set(self, register: int, value: int) -> None:
        """Put a value into a register, with what that does."""
        self.accesses += 1
        if register == FIFO:
            self._fifo.push(value)
        elif register == COMMAND:
            self._begin(value & 0x0F)
        elif register not in (ERROR, CONTROL, CRC_HIGH, CRC_LOW, VERSION):
            self._store(register, value)

    def _store(self, register: int, value: int) -> None:
        """Keep a value, or what the register makes of it."""
        now = self._registers.get(register, 0)
        if register in (COM_IRQ, DIV_IRQ):  # bit 7 says whether the others are set or cleared
            value = now | value & 0x7F if value & 0x80 else now & ~value
        elif register == STATUS2:  # a key opens a sector; the host can only close it
            value = value & ~0x08 | now & value & 0x08
        elif register == COLL:
            value = now & 0x7F | value & 0x80
        elif register == FIFO_LEVEL and value & 0x80:
            self._fifo.flush()
        self._registers[register] = value
        if register == BIT_FRAMING and value & 0x80 and self._registers[COMMAND] == TRANSCEIVE:
            self._transceive()
        elif register == TX_CONTROL and value & 3 != 3:
            for card in self.cards:
                card.lose_power()
        elif register == T_MODE:
            self.inits += 1

    # What it does ----------------------------------------------------------------------------------------------------

    def _begin(self, command: int) -> None:
        self._registers[COMMAND] = command
        if command == SOFT_RESET:
            self.power_on()
            self._registers[COMMAND] = IDLE
        elif command == CALC_CRC:
            self._registers[CRC_LOW], self._registers[CRC_HIGH] = crc_a(self._fifo.take())
            self._registers[DIV_IRQ] = self._registers.get(DIV_IRQ, 0) | 0x04
        elif command == AUTHENT:
            self._authenticate()

    def _interrupt(self, bits: int) -> None:
        self._registers[COM_IRQ] |= bits

    def _silence(self) -> None:
        if self._registers.get(T_MODE, 0) & 0x80:
            self._interrupt(TIMER_IRQ)

    @property
    def _hearing(self) -> list[PlainCard]:
        if self._visitors is not None:
            self._lay(self._visitors(self.now))
        return self.cards if self._registers.get(TX_CONTROL, 0) & 3 == 3 else []

    def _transceive(self) -> None:
        framing = self._registers[BIT_FRAMING]
        data, last_bits, align = self._fifo.take(), framing & 7, framing >> 4 & 7
        self._registers[ERROR] = 0
        self._registers[COLL] = (self._registers[COLL] & 0x80) | 0x20
        self._interrupt(TX_IRQ)
        encrypted = bool(self._registers.get(STATUS2, 0) & 0x08)
        heard = [
            card.hear(data, last_bits) if encrypted == (card.opened is not None) else card.hear_noise()
            for card in self._hearing
        ]
        answers = [self.garble(answer) for answer in heard if answer is not None]
        if not answers:
            self._silence()
            return
        merged, collision = merge(answers)
        if collision:
            known = 8 * ((data[1] >> 4) - 2) + (data[1] & 7) if len(data) > 1 else 0
            place = collision + (align if self.collision_in_frame else known)
            self._registers[ERROR] |= 0x08
            self._registers[COLL] = (self._registers[COLL] & 0x80) | (place & 0x1F if place <= 32 else 0x20)
            self._interrupt(ERROR_IRQ)
            if not self._registers[COLL] & 0x80:
                merged = merged[:collision] + [0] * (len(merged) - collision)
        bits = [0] * align + merged
        for start in range(0, len(bits), 8):
            self._fifo.push(sum(bit << place for place, bit in enumerate(bits[start : start + 8])))
        self._registers[CONTROL] = len(bits) % 8
        self._interrupt(RX_IRQ)

    def _authenticate(self) -> None:
        command, block, *rest = self._fifo.take()
        key, uid = bytes(rest[:6]), bytes(rest[6:10])
        self._registers[ERROR] = 0
        for card in self._hearing:
            if card.state == "active" and card.uid[-4:] == uid and card.authenticate(command, block, key):
                self._registers[STATUS2] = self._registers.get(STATUS2, 0) | 0x08
                self._registers[COMMAND] = IDLE
                self._interrupt(IDLE_IRQ)
                return
        self._silence()


def merge(answers: list[Bits]) -> tuple[Bits, int]:
    """What several cards at once sound like, and the first bit (from 1) in which they differ; 0 for none."""
    longest = max(map(len, answers))
    merged, collision = [], 0
    for place in range(longest):
        values = {answer[place] for answer in answers if place < len(answer)}
        merged.append(max(values))
        if len(values) > 1 and not collision:
            collision = place + 1
    return merged, collision


class SPICardReader(CardReader):
    """As it is on most boards."""

    def transfer(self, data: bytes) -> bytes:
        """See :class:`gateway.simulation.model.SPIModel`: an address, then values or further addresses."""
        if data[0] & 0x80:
            return b"\0" + bytes(self.get(address >> 1 & 0x3F) for address in data[:-1])
        for value in data[1:]:
            self.set(data[0] >> 1 & 0x3F, value)
        return bytes(len(data))


class I2CCardReader(CardReader, I2CModel):
    """As in M5Stack's units: the registers' numbers are not shifted, and all that is said is about one register."""

    _register = 0

    def write(self, data: bytes) -> None:
        """See :class:`gateway.simulation.model.I2CModel`."""
        if data:
            self._register = data[0]
        for value in data[1:]:
            self.set(self._register, value)

    def read(self, size: int) -> bytes:
        """See :class:`gateway.simulation.model.I2CModel`."""
        return bytes(self.get(self._register) for _ in range(size))
