"""RDM6300, RDM630, ID-12LA and ID-20LA readers of 125 kHz tags (EM4100): which tag lies on the reader.

Wiring: RDM6300: 5 V, GND, its coil to ANT1 and ANT2, TX to RXD of the header (GPIO15, pin 10) through two resistors
(1 kΩ from TX, 2 kΩ to GND), since it sends 5 V and the header takes 3.3 V. ID-12LA: 3.3 V to VCC and RES, GND to GND
and FORM (that chooses ASCII), D0 to RXD. ``enable_uart=1`` in /boot/firmware/config.txt and the serial console off;
or a USB adapter. The port is 9600 baud.

Sample:

    [devices.gate]
    driver = "rdm6300"
    port = "/dev/serial0"
    number = "dec10"                    # also publish the number as it is printed on the card: 0008844356

Traps: ``tag`` is all five bytes in hexadecimal digits; cards have part of them printed, in other forms: see ``number``.
An RDM6300 repeats its frame every 65 ms while a tag lies there, so a tag is gone after 300 ms of silence; an ID-12LA or
ID-20LA says it once, so that there is an ``arrived`` each time and never a ``left``. Two tags at once are mostly not
read at all. A reader without power or without its coil is as silent as one without a tag: that cannot be seen. Some
copies send checksums that are wrong: such a frame is a bad reading, never a tag.

Sources: the RDM630 specification and its example (62E3086CED, checksum 08); ID-Innovations' ID-12LA data sheet; frames
in forum.seeedstudio.com topic 16324; repetition from arduino12/rdm6300.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Literal

from gateway.driver import (
    BadReading,
    Channel,
    Duration,
    Misconfigured,
    PortOptions,
    Result,
    SerialPort,
    TagDriver,
    TagOptions,
    Values,
    option,
    options,
)

WAIT = 0.15
"""Seconds that one ``read`` waits for a frame: twice that in silence, and the tag of an RDM6300 has gone."""
START = b"\x02"
FRAME = re.compile(rb"\x02([^\x02\x03]{12})(?:\r\n)?\x03", re.DOTALL)
"""RDM6300; with CR LF the ID-12LA: ten digits and two of the checksum in both."""
LONGEST = 16
"""Bytes of a frame."""
Number = Literal[
    "none", "hex", "hex8", "hex_reversed", "dec10", "dec10_reversed", "dec13", "3+5", "5+5", "5", "wiegand26"
]

NUMBERS: dict[str, Callable[[bytes], str]] = {
    "hex": lambda tag: tag.hex().upper(),
    "hex8": lambda tag: tag[1:].hex().upper(),
    "hex_reversed": lambda tag: tag[::-1].hex().upper(),
    "dec10": lambda tag: f"{int.from_bytes(tag[1:], 'big'):010}",
    "dec10_reversed": lambda tag: f"{int.from_bytes(tag[1:], 'little'):010}",
    "dec13": lambda tag: f"{int.from_bytes(tag, 'big'):013}",
    "3+5": lambda tag: f"{tag[2]:03},{int.from_bytes(tag[3:], 'big'):05}",
    "5+5": lambda tag: f"{int.from_bytes(tag[1:3], 'big'):05},{int.from_bytes(tag[3:], 'big'):05}",
    "5": lambda tag: f"{int.from_bytes(tag[3:], 'big'):05}",
    "wiegand26": lambda tag: f"{int.from_bytes(tag[2:], 'big'):08}",
}
"""How people and other systems write the five bytes of a tag."""


@options
class Options(PortOptions, TagOptions):
    """The reader, and how its cards are printed."""

    model: Literal["rdm6300", "id12la", "id20la"] = option(
        default="rdm6300", help="rdm6300 (also RDM630) repeats a tag while it lies there, the others say it once"
    )
    number: Number = option(
        default="none",
        help="publish it in this form, too; of 100086F444: hex 100086F444, hex8 0086F444, hex_reversed 44F4860010, "
        "dec10 0008844356, dec10_reversed 1156875776, dec13 0068728321092, 3+5 134,62532, 5+5 00134,62532, 5 62532, "
        "wiegand26 08844356",
    )
    gone_after: Duration = option(
        default="300ms",
        help="a tag that was not heard for so long, and in two reads running, has left",
        min=0.2,
        max=60,
    )

    def __post_init__(self) -> None:
        """Refuse a number beside a hash: it would give away what the hash hides."""
        if self.number != "none" and self.hash_salt is not None:
            raise Misconfigured("number would show the tag that hash_salt hides", hint="leave one of them out")


class Rdm6300(TagDriver[Options]):
    """Finds frames in what comes."""

    options_type = Options
    interval = None

    _port: SerialPort
    _buffer: bytes
    _problems: list[BadReading]
    """Bad frames that are still to be reported."""

    @classmethod
    def extra_channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """The number, where it is wanted."""
        if options.number == "none":
            return ()
        return (Channel("number", type=str, help=f"the tag in the form {options.number}"),)

    @classmethod
    def holds_for(cls, options: Options) -> bool:
        """Only the RDM6300 repeats itself."""
        return options.model == "rdm6300"

    def open(self) -> None:
        """Open the port and forget what an earlier connection left."""
        self._port = self.serial(self.options.port, 9600, timeout=WAIT)
        self._buffer = b""
        self._problems = []

    def read(self) -> Result:
        """The tags whose frames have come; waits a moment for the first. A bad frame is reported after the good."""
        if self._problems:
            raise self._problems.pop(0)
        fresh = self._port.read(max(1, self._port.in_waiting))
        if fresh and not FRAME.search(self._buffer + fresh):  # the rest of a frame is on its way
            fresh += self._port.read(LONGEST - 2 - min(len(fresh), LONGEST - 3))
        frames, self._buffer = cut(self._buffer + fresh)
        tags = []
        for frame in frames:
            try:
                tags.append(decode(frame))
            except BadReading as problem:
                self._problems = [problem]  # the last of them is enough
        if not tags and self._problems:
            raise self._problems.pop()
        return [self._values(tag) for tag in dict.fromkeys(tags)] or None

    def _values(self, tag: bytes) -> Values:
        number = NUMBERS.get(self.options.number)
        return {"tag": tag.hex()} if number is None else {"tag": tag.hex(), "number": number(tag)}


def cut(data: bytes) -> tuple[list[bytes], bytes]:
    """What stands in the whole frames of a stream, and the rest, in which one may have begun.

    What is between frames is dropped, and so is a frame in which another one begins: that is how a stream is found
    again in which bytes were lost.
    """
    end = 0
    frames = []
    for match in FRAME.finditer(data):
        frames.append(match[1])
        end = match.end()
    start = data.rfind(START, end)
    return frames, data[start:] if 0 <= start > len(data) - LONGEST else b""


def decode(digits: bytes) -> bytes:
    """The five bytes of a tag from its ten digits and two of a checksum. Raises ``BadReading``."""
    try:
        *tag, checksum = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        tag, checksum = [], 0
    if len(tag) != 5:  # fromhex takes white space. What came is not shown: it is nearly a tag, which may be hashed
        raise BadReading("a frame with other than hexadecimal digits", hint="hold the tag still; check the wiring")
    if reduce(xor, tag) != checksum:
        raise BadReading("a frame with a wrong checksum", hint="hold the tag still; keep the coil away from metal")
    return bytes(tag)
