"""PN532 readers of 13.56 MHz cards (MIFARE, NTAG, DESFire) on a serial port: which card lies on the reader.

Wiring: set the board's switches to HSU (both 0), then 5 V or 3.3 V as the board says, GND, TXD (often also SDA) to RXD
of the header (GPIO15, pin 10) and RXD (SCL) to TXD (GPIO14, pin 8). ``enable_uart=1`` in /boot/firmware/config.txt
and the serial console off; or a USB adapter. The port is 115200 baud.

Sample:

    [devices.door]
    driver = "pn532"
    port = "/dev/serial0"

Traps: a board that is set to I2C or SPI does not answer here. Telephones and some passports make up another number
each time (four bytes that begin with 08). Of several cards at once it reports one. On a Raspberry Pi 3 or Zero W the
header's port is the mini UART, whose speed changes with the core's clock unless ``enable_uart=1`` is set.

Sources: NXP's user manual UM0701-02 (frames, commands 02, 14 and 4A); frames of the tests of nfcpy/nfcpy.
"""

from __future__ import annotations

from gateway.driver import (
    BadReading,
    DeviceUnavailable,
    PortOptions,
    Result,
    SerialPort,
    TagDriver,
    TagOptions,
    options,
)

BAUDRATE = 115_200
WAKE_UP = b"\x55\x55" + bytes(14)
ACK = bytes.fromhex("0000ff00ff00")
START = b"\x00\xff"
TO_CHIP, FROM_CHIP, ERROR = 0xD4, 0xD5, 0x7F

GET_FIRMWARE = b"\x02"
SAM_NORMAL = b"\x14\x01\x00\x00"
"""SAMConfiguration: no security module, which also ends the mode for a low battery."""
FIND_ONE = b"\x4a\x01\x00"
"""InListPassiveTarget: one card of ISO 14443 A, at 106 kbit/s. Answered when there is one."""

ACK_TIME = 0.1
"""Seconds until a command is acknowledged; the manual has 15 ms."""
ANSWER_TIME = 0.5
"""Seconds until it is answered, where the answer does not wait for a card."""
CARD_TIME = 0.25
"""Seconds that one ``read`` waits for a card; those with a processor take more than 0.1."""
MOST_UNREAD = 512
"""Bytes that are looked through for a frame."""


@options
class Options(PortOptions, TagOptions):
    """The port, and what is done with the tags."""


class Pn532(TagDriver[Options]):
    """Asks for a card, and takes the question back when there is none."""

    options_type = Options
    manufacturer = "NXP"
    model = "PN532"
    interval = "300ms"

    _port: SerialPort

    def open(self) -> None:
        """Wake the chip, and see that it is one."""
        self._port = self.serial(self.options.port, BAUDRATE, timeout=ACK_TIME)
        self._port.write(WAKE_UP)
        firmware = self._ask(GET_FIRMWARE, ANSWER_TIME)
        if firmware is None or len(firmware) < 4:
            raise DeviceUnavailable("the PN532 does not say its version", hint="power it off and on")
        if firmware[0] != 0x32:
            raise DeviceUnavailable(f"this is no PN532: the chip calls itself {firmware[0]:#04x}")
        if self._ask(SAM_NORMAL, ANSWER_TIME) is None:
            raise DeviceUnavailable("the PN532 does not wake up", hint="power it off and on")

    def read(self) -> Result:
        """The card on the reader, if there is one."""
        answer = self._ask(FIND_ONE, CARD_TIME)
        return None if answer is None else [{"tag": uid.hex()} for _, _, uid in cards(answer)] or None

    def _ask(self, command: bytes, patience: float) -> bytes | None:
        """The answer to a command, without its first two bytes; ``None`` and the command is over when none comes."""
        self._port.reset_input_buffer()
        self._port.write(frame(bytes([TO_CHIP]) + command))
        acknowledged, unread = self._next(b"", ACK_TIME)
        if acknowledged is None:
            hint = "is it set to HSU, and are TXD and RXD crossed?"
            raise DeviceUnavailable(f"no PN532 answers on {self.options.port}", hint=hint)
        if acknowledged:
            raise BadReading("the PN532 answers before it acknowledges: an answer of before")
        answer, _ = self._next(unread, patience)
        if answer is None:
            self._port.write(ACK)
            return None
        if answer[:2] != bytes([FROM_CHIP, command[0] + 1]):
            raise BadReading(f"the PN532 answers something else: {answer[:8].hex()}")
        return answer[2:]

    def _next(self, unread: bytes, patience: float) -> tuple[bytes | None, bytes]:
        """The content of the next frame, ``None`` when none comes in time; and what came after it."""
        deadline = self.elapsed() + patience
        while True:
            content, unread = take(unread)
            left = deadline - self.elapsed()
            if content is not None or left <= 0:
                return content, unread
            self._port.timeout = left
            unread += self._port.read(max(1, min(self._port.in_waiting, MOST_UNREAD)))


def frame(content: bytes) -> bytes:
    """A frame around what the host says, at most 255 bytes."""
    size = len(content)
    return b"\x00\x00\xff" + bytes([size, -size % 256]) + content + bytes([-sum(content) % 256, 0])


def take(data: bytes) -> tuple[bytes | None, bytes]:
    """The content of the first frame and what follows it; ``b""`` for an ACK, ``None`` when no frame is complete.

    What comes before a frame is dropped. Raises ``BadReading`` for a broken frame, a NAK, and the chip's complaint.
    """
    start = data.find(START)
    if start < 0:
        return None, data[-1:]
    head = data[start + 2 :]
    if head[:2] == b"\x00\xff":
        return b"", head[2:]
    place = _place(head)
    if place is None or len(head) <= place.stop:
        return None, data[start:]
    content, rest = head[place], head[place.stop + 1 :]
    if (sum(content) + head[place.stop]) % 256:
        raise BadReading("a frame with a wrong checksum", hint="check the wiring")
    if content[:1] == bytes([ERROR]):
        raise BadReading("the PN532 complains about a command", hint="is it a PN532 with its own firmware?")
    return content, rest


def _place(head: bytes) -> slice | None:
    """Where the content is in what follows the start of a frame; ``None`` when its length has not come yet."""
    if head[:2] == b"\xff\x00":
        raise BadReading("the PN532 says NAK: it did not understand a frame")
    extended = head[:2] == b"\xff\xff"
    lengths = head[2:5] if extended else head[:2]
    if len(lengths) < (3 if extended else 2):
        return None
    if sum(lengths) % 256:
        raise BadReading("a broken frame: its length and the length's checksum do not fit", hint="check the wiring")
    begin = 5 if extended else 2
    return slice(begin, begin + int.from_bytes(lengths[:-1], "big"))


def cards(answer: bytes) -> list[tuple[bytes, int, bytes]]:
    """SENS_RES, SEL_RES and number of each card in the answer to InListPassiveTarget. Raises ``BadReading``."""
    found = []
    rest = answer[1:]
    for _ in range(answer[0] if answer else 0):
        size = rest[4] if len(rest) > 4 else 0
        uid = rest[5 : 5 + size]
        if size not in (4, 7, 10) or len(uid) < size:
            raise BadReading(f"the PN532 tells of a card with a number of {size} bytes")
        found.append((rest[1:3], rest[3], uid))
        rest = rest[5 + size :]
        if found[-1][1] & 0x20 and rest:  # what a card of ISO 14443-4 says of itself; its first byte is its length
            rest = rest[rest[0] :]
    return found
