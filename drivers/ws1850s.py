"""M5Stack Unit RFID2 (WS1850S) and other MFRC522 readers of 13.56 MHz cards on I2C: which cards lie on the reader.

Wiring: 5 V (red), GND (black), SDA (yellow) to GPIO2 (pin 3), SCL (white) to GPIO3 (pin 5): the unit's signals are 3.3
V, with pull-ups in it. I2C on: ``sudo raspi-config nonint do_i2c 0``. The address cannot be changed: two units need a
TCA9548A, such as M5Stack's PaHub (``mux = 0x70`` and ``mux_channel``).

Sample:

    [devices.desk]
    driver = "ws1850s"
    bus = 1

Traps: it reads over 20 mm at most. A BNO055 has the same address. The older Unit RFID is a real MFRC522 and works
here as well. Telephones make up another number each time. Blocks of a MIFARE Classic need their key; with a wrong one
the event has ``data`` null and the reason, and a bad reading is counted. With ``block_write`` a command can write
them, see docs/rfid.md; nothing else on a card is ever written.

Sources: NXP's MFRC522 data sheet; m5stack/M5Unit-RFID (unit_WS1850S.cpp) for the values that the chip is set to.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.driver import (
    Answer,
    CardOptions,
    Cards,
    Channel,
    DeviceUnavailable,
    I2CDevice,
    I2COptions,
    Result,
    Settable,
    TagDriver,
    card_channels,
    option,
    options,
)

COMMAND, COM_IRQ, ERROR, STATUS2, FIFO, FIFO_LEVEL = 0x01, 0x04, 0x06, 0x08, 0x09, 0x0A
CONTROL, BIT_FRAMING, COLL, TX_CONTROL, RF_CONFIG, TIMER_MODE, VERSION = 0x0C, 0x0D, 0x0E, 0x14, 0x26, 0x2A, 0x37
IDLE, TRANSCEIVE, AUTHENT, SOFT_RESET = 0x00, 0x0C, 0x0E, 0x0F
TIMER_SET = 0x80
SET_UP = (
    (0x12, 0x00),
    (0x13, 0x00),
    (0x24, 0x26),
    (0x2B, 0xA9),
    (0x2C, 0x03),
    (0x2D, 0xE8),
    (0x15, 0x40),
    (0x11, 0x3D),
)
"""Speed, width of pulses, a timer of 25 ms, modulation, preset of the checksum."""
HIGHEST_GAIN = 0x70
TIMER_IRQ, IDLE_IRQ, RX_IRQ = 0x01, 0x10, 0x20
COLLISION, BROKEN, NOT_VALID = 0x08, 0x13, 0x20
"""Bits of ErrorReg (broken: protocol, parity, overflow) and CollReg."""
CRYPTO, POWER_DOWN, ANTENNA = 0x08, 0x10, 0x03
KNOWN = (0x15, 0x90, 0x91, 0x92, 0x88, 0x12, 0xB2, 0x82)
"""Versions: the WS1850S, NXP's own, and copies of it."""
RESET_TIME, ANSWER_TIME, STEP = 0.1, 0.06, 0.002
"""Seconds: for the oscillator, for an answer or the chip's own timer, and between two looks."""


@options
class Options(I2COptions, CardOptions):
    """Where the reader is, and what is read."""

    address: int = option(default=0x28, help="address of the reader on the bus", min=0x08, max=0x77)

    def __post_init__(self) -> None:
        """What both refuse."""
        I2COptions.__post_init__(self)
        CardOptions.__post_init__(self)


class Ws1850s(TagDriver[Options]):
    """Frames by registers; the cards are the business of Cards."""

    options_type = Options
    manufacturer = "M5Stack"
    model = "Unit RFID2"

    _chip: I2CDevice
    _cards: Cards

    @classmethod
    def extra_channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """The content of blocks, where it is wanted."""
        return card_channels(options)

    def open(self) -> None:
        """See that it is such a chip, and set it up."""
        o = self.options
        self._chip = self.i2c(o.bus, o.address, mux=o.mux, mux_channel=o.mux_channel)
        self._set_up()

    def read(self) -> Result:
        """The cards that are there."""
        if self._get(TIMER_MODE) != TIMER_SET:  # its power was away for a moment
            self._set_up()
        return self._cards.read()

    def write(self, channel: str, value: Settable) -> None:  # noqa: ARG002 (there is one that can be written)
        """What the card that lies there is to hold."""
        if self._get(TIMER_MODE) != TIMER_SET:
            self._set_up()
        self._cards.write(value)

    def _set_up(self) -> None:
        version = self._get(VERSION)
        if version not in KNOWN:
            hint = "is something else at this address? a BNO055 has 0x28 as well"
            raise DeviceUnavailable(f"no WS1850S or MFRC522: its version reads {version:#04x}", hint=hint)
        self._put(COMMAND, SOFT_RESET)
        if not self._wait_until(lambda: not self._get(COMMAND) & POWER_DOWN, RESET_TIME):
            raise DeviceUnavailable("the WS1850S does not come out of its reset", hint="power it off and on")
        for register, value in SET_UP:
            self._put(register, value)
        self._put(RF_CONFIG, self._get(RF_CONFIG) | HIGHEST_GAIN)
        self._put(TIMER_MODE, TIMER_SET)
        self._cards = Cards(self, self.options, self.wait)

    # What Cards wants of an antenna ----------------------------------------------------------------------------------

    def exchange(self, data: bytes, *, last_bits: int = 0, align: int = 0) -> Answer | None:
        """See :class:`gateway.iso14443.Antenna`."""
        self._begin(data)
        self._put(BIT_FRAMING, align << 4 | last_bits)
        self._put(COMMAND, TRANSCEIVE)
        self._put(BIT_FRAMING, 0x80 | align << 4 | last_bits)
        came = self._wait_until(lambda: self._get(COM_IRQ) & (RX_IRQ | TIMER_IRQ), ANSWER_TIME)
        self._put(BIT_FRAMING, 0)
        if not came & RX_IRQ:
            return None
        error = self._get(ERROR)
        collision = self._get(COLL) if error & COLLISION else 0
        if error & BROKEN or collision & NOT_VALID:
            return None
        received = self._chip.read_register(FIFO, size) if (size := self._get(FIFO_LEVEL)) else b""
        place = (collision & 0x1F or 32) if error & COLLISION else 0
        return Answer(received, self._get(CONTROL) & 0x07, place) if received else None

    def field(self, *, on: bool) -> None:
        """See :class:`gateway.iso14443.Antenna`."""
        now = self._get(TX_CONTROL)
        self._put(TX_CONTROL, now | ANTENNA if on else now & ~ANTENNA)

    def authenticate(self, command: int, block: int, key: bytes, uid: bytes) -> bool:
        """See :class:`gateway.iso14443.Antenna`."""
        self._begin(bytes([command, block]) + key + uid)
        self._put(COMMAND, AUTHENT)
        self._wait_until(lambda: self._get(COM_IRQ) & (IDLE_IRQ | TIMER_IRQ), ANSWER_TIME)
        return bool(self._get(STATUS2) & CRYPTO)

    def end_session(self) -> None:
        """See :class:`gateway.iso14443.Antenna`."""
        self._put(STATUS2, self._get(STATUS2) & ~CRYPTO)

    # Registers, which have the same numbers as on SPI, but as they are -----------------------------------------------

    def _begin(self, data: bytes) -> None:
        self._put(COMMAND, IDLE)
        self._put(COM_IRQ, 0x7F)
        self._put(FIFO_LEVEL, 0x80)
        self._chip.write_register(FIFO, data)

    def _get(self, register: int) -> int:
        return self._chip.read_register(register)[0]

    def _put(self, register: int, value: int) -> None:
        self._chip.write_register(register, value)

    def _wait_until(self, condition: Callable[[], int], limit: float) -> int:
        """What the condition says once it is true, or at last."""
        deadline = self.elapsed() + limit
        while not (found := condition()) and self.elapsed() < deadline:
            self.wait(STEP)
        return found
