"""MFRC522 (RC522) readers of 13.56 MHz cards on SPI: which cards lie on the reader, by the library mfrc522-python.

Wiring: 3.3 V (5 V destroys it), GND, SDA to CE0 (GPIO8, pin 24), SCK to GPIO11 (pin 23), MOSI to GPIO10 (pin 19), MISO
to GPIO9 (pin 21), RST to 3.3 V, or to a GPIO that ``reset_pin`` names. IRQ stays open. SPI on: ``sudo raspi-config
nonint do_spi 0``. A second reader: the same, but SDA to CE1 (GPIO7, pin 26) and ``device = 1``. Needs mfrc522-python,
without what it asks for: ``pip install --no-deps mfrc522-python==0.0.9``; it is GPL-3.0-only, see docs/rfid.md.

Sample:

    [devices.front-door]
    driver = "mfrc522"
    bus = 0
    device = 0

Traps: many boards are copies; the version that the chip tells is in the log when it is none of NXP's. Cheap ones keep
MISO busy also while another reader is meant, and need a bus of their own. The library's GPIO and spidev are replaced,
so that it runs on every Raspberry Pi, the 5 included; the other package called mfrc522 is not this library. Telephones
make up another number each time. Blocks of a MIFARE Classic need their key; with a wrong one the event has ``data``
null and the reason, and a bad reading is counted. With ``block_write`` a command can write
them, see docs/rfid.md; nothing else on a card is ever written.

Sources: NXP's MFRC522 data sheet; mfrc522-python 0.0.9; miguelbalboa/rfid for the versions of copies.
"""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace
from typing import Any

from gateway.driver import (
    Answer,
    CardOptions,
    Cards,
    Channel,
    DeviceUnavailable,
    Misconfigured,
    Result,
    Settable,
    SPIDevice,
    SPIOptions,
    TagDriver,
    card_channels,
    option,
    options,
    private_library,
)

INSTALL = f"{sys.executable} -m pip install --no-deps mfrc522-python==0.0.9"
VERSION, TIMER_MODE, TIMER_SET = 0x37, 0x2A, 0x8D
"""TModeReg holds 8D as long as the chip has not lost what the library has set."""
GENUINE = {0x90: "MFRC522 version 0", 0x91: "MFRC522 version 1", 0x92: "MFRC522 version 2"}
COPIES = {0x88: "FM17522", 0x15: "WS1850S or a copy", 0x12: "counterfeit", 0xB2: "copy", 0x82: "copy"}
NOBODY = (0x00, 0xFF)
COLLISION, NOT_VALID = 0x08, 0x20
"""Bits of ErrorReg and CollReg."""
CRYPTO = 0x08
"""In Status2Reg: the card has taken the key. What ``Authenticate`` returns does not say it."""


@options
class Options(SPIOptions, CardOptions):
    """Where the reader is, and what is read."""

    reset_pin: int | None = option(
        default=None, help="the GPIO that RST is connected to; without it, 3.3 V", min=0, max=53
    )
    max_speed_hz: int = option(
        default=1_000_000, help="the bus's speed; less for long wires", min=10_000, max=10_000_000
    )


class Mfrc522(TagDriver[Options]):
    """The library, on our bus; what it leaves out is done with its primitives."""

    options_type = Options
    manufacturer = "NXP"
    model = "MFRC522"

    _spi: SPIDevice
    _chip: Any
    """The library's MFRC522."""
    _cards: Cards | None = None

    @classmethod
    def extra_channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """The content of blocks, where it is wanted."""
        return card_channels(options)

    def open(self) -> None:
        """See that there is a chip, and let the library set it up."""
        o = self.options
        self._cards = None
        if o.reset_pin is not None:
            self.gpio_output(o.reset_pin, initial=True)
            self.wait(0.05)  # its oscillator starts
        self._spi = self.spi(o.bus, o.device, max_speed_hz=o.max_speed_hz)
        with self._spi.transaction():
            version = self._spi.transfer(bytes([0x80 | VERSION << 1, 0]))[1]
            if version in NOBODY:
                raise absent(version)
            if version not in GENUINE:
                name = COPIES.get(version, "unknown")
                logging.getLogger(__name__).warning(
                    "%s: the chip is none of NXP's (version %#04x: %s); it may read badly", self.device, version, name
                )
            self._chip = library(self._spi, self.wait)()
            self._cards = Cards(self, o, self.wait)

    def read(self) -> Result:
        """The cards that are there."""
        with self._spi.transaction():
            return self._alive().read()

    def write(self, channel: str, value: Settable) -> None:  # noqa: ARG002 (there is one that can be written)
        """What the card that lies there is to hold."""
        with self._spi.transaction():
            self._alive().write(value)

    def _alive(self) -> Cards:
        """The cards in front of a chip that is there and set up."""
        version = self._chip.ReadReg(VERSION)
        if version in NOBODY:
            raise absent(version)
        if self._chip.ReadReg(TIMER_MODE) != TIMER_SET:  # its power was away for a moment
            self._chip.Init()
            self._cards = Cards(self, self.options, self.wait)
        assert self._cards is not None
        return self._cards

    def reset(self) -> None:
        """Pull RST, where it is connected."""
        if self.options.reset_pin is not None:
            pin = self.gpio_output(self.options.reset_pin, initial=False)
            self.wait(0.01)
            pin.write(True)

    # What Cards wants of an antenna ----------------------------------------------------------------------------------

    def exchange(self, data: bytes, *, last_bits: int = 0, align: int = 0) -> Answer | None:
        """See :class:`gateway.iso14443.Antenna`."""
        chip = self._chip
        chip.WriteReg(chip.BitFramingReg, align << 4 | last_bits)
        status, received, bits = chip.MFRC522_ToCard(chip.PCD_TRANSCEIVE, list(data))
        if status == chip.MI_OK and bits:
            size = -(-bits // 8)
            more = [chip.ReadReg(chip.FIFODataReg) for _ in range(size - len(received))]  # it stops at 16 bytes
            return Answer(bytes(received[:size] + more), bits % 8)
        if status != chip.MI_ERR or not self._error() & COLLISION:
            return None
        place = chip.ReadReg(chip.CollReg)
        if place & NOT_VALID:
            return None
        received = [chip.ReadReg(chip.FIFODataReg) for _ in range(chip.ReadReg(chip.FIFOLevelReg))]
        return Answer(bytes(received), 0, place & 0x1F or 32)

    def _error(self) -> int:
        """What went wrong. A chip that has gone in the middle takes 2 s for each call, and says nothing of it."""
        if (version := self._chip.ReadReg(VERSION)) in NOBODY:
            raise absent(version)
        return int(self._chip.ReadReg(self._chip.ErrorReg))

    def field(self, *, on: bool) -> None:
        """See :class:`gateway.iso14443.Antenna`."""
        (self._chip.AntennaOn if on else self._chip.AntennaOff)()

    def authenticate(self, command: int, block: int, key: bytes, uid: bytes) -> bool:
        """See :class:`gateway.iso14443.Antenna`."""
        self._chip.Authenticate(command, block, list(key), list(uid))
        self._error()
        return bool(self._chip.ReadReg(self._chip.Status2Reg) & CRYPTO)

    def end_session(self) -> None:
        """See :class:`gateway.iso14443.Antenna`."""
        self._chip.StopCrypto1()


def absent(version: int) -> DeviceUnavailable:
    """Nobody drives MISO."""
    hint = "check 3.3 V, GND, SCK, MISO, MOSI and SDA, that RST is at 3.3 V, and which chip select it is at"
    return DeviceUnavailable(f"no MFRC522 answers: its version reads {version:#04x}", hint=hint)


def library(spi: SPIDevice, wait: Any) -> Any:
    """The library's class MFRC522 as it is, on this device. Raises ``Misconfigured`` when it is not installed.

    Its modules are a copy of this reader's own: what they call spidev, RPi.GPIO, logging and time is made here. So it
    takes no pin, adds no handler to the process's log, waits no longer than the device is wanted, and several readers
    have nothing in common.
    """
    try:
        found = private_library("mfrc522", stand_ins(spi, wait))
    except ImportError as error:
        raise Misconfigured(f"mfrc522-python is not installed ({error})", hint=f"install it: {INSTALL}") from None
    if not hasattr(found, "BasicMFRC522"):
        hint = f"remove it: {sys.executable} -m pip uninstall mfrc522; then {INSTALL} --force-reinstall"
        raise Misconfigured("the installed package mfrc522 is another library than mfrc522-python", hint=hint)
    return found.MFRC522


def stand_ins(spi: SPIDevice, wait: Any) -> dict[str, object]:
    """What the library gets in place of what it imports."""
    return {
        "spidev": SimpleNamespace(SpiDev=lambda: SpiDev(spi)),
        "RPi.GPIO": SimpleNamespace(OUT=0, getmode=lambda: 11, setup=_nothing, output=_nothing),
        "logging": SimpleNamespace(getLogger=lambda _: QUIET, StreamHandler=logging.NullHandler, getLevelName=str),
        "time": SimpleNamespace(sleep=wait),
    }


def _nothing(*_: object) -> None:
    """Whatever the library wants of a pin or a log."""


QUIET = SimpleNamespace(addHandler=_nothing, setLevel=_nothing, debug=_nothing, error=_nothing)
"""What the library logs: it says what it returns as well, or what it does not know."""


class SpiDev:
    """What the library needs of spidev."""

    max_speed_hz = 0
    """Set by the library; the driver has set it already."""

    def __init__(self, spi: SPIDevice) -> None:
        self._spi = spi

    def open(self, bus: int, device: int) -> None:
        """It is open."""

    def xfer2(self, values: list[int]) -> list[int]:
        """Send and receive."""
        return list(self._spi.transfer(bytes(values)))
