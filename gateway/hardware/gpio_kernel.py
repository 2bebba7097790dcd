"""Pins, as the kernel's GPIO character device knows them (uAPI 2, Linux 5.10 and later).

Without a library, because each would do less. The kernel takes the time of every edge, keeps edges while nobody waits,
counts those that it had to drop, debounces, and gives a line to one user at a time. lgpio reads the edges in a thread
of its own from its import on, writes its pipe into the working directory, and has no wheels for the newer Pythons;
gpiozero stands on it. So there is nothing to install, and a device's own thread waits for its pin.

The layout of the structures is that of linux/gpio.h; they are the same on 32 and 64 bits.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]

DEV = Path("/dev")

CHIP_INFO = 0x8044B401
LINE_INFO = 0xC100B405
GET_LINE = 0xC250B407
GET_VALUES = 0xC010B40E
SET_VALUES = 0xC010B40F

ACTIVE_LOW, INPUT, OUTPUT = 1 << 1, 1 << 2, 1 << 3
BOTH_EDGES = 1 << 4 | 1 << 5
BIAS = {"up": 1 << 8, "down": 1 << 9, "none": 1 << 10}
OUTPUT_VALUES, DEBOUNCE = 2, 3

_CHIP = struct.Struct("=32s32sI")
_INFO = struct.Struct("=32s32sI188x")
_REQUEST = struct.Struct("=I252x32sQI20xIIQQ216xII20xi")
"""Offset, consumer, flags, number of attributes, the one attribute (id, padding, value, mask), lines, buffer, fd."""
_VALUES = struct.Struct("=QQ")
_EVENT = struct.Struct("=QIIII24x")

KEPT = 1024
"""Edges that the kernel keeps while nobody reads them; more than that it does not offer."""


class Event(NamedTuple):
    """An edge."""

    ns: int
    """When, on the kernel's monotonic clock."""
    rising: bool
    number: int
    """Of this line's edges, from 1: a gap says that some were dropped."""


class Line:
    """A line that was requested; it is free again once its descriptor is closed."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def get(self) -> bool:
        """Whether it is active."""
        buffer = bytearray(_VALUES.pack(0, 1))
        fcntl.ioctl(self.descriptor, GET_VALUES, buffer)
        return bool(_VALUES.unpack(buffer)[0] & 1)

    def set(self, value: bool) -> None:  # noqa: FBT001 (that is all there is to say)
        """Make it active or not."""
        fcntl.ioctl(self.descriptor, SET_VALUES, bytearray(_VALUES.pack(value, 1)))

    def events(self) -> list[Event]:
        """Some of the edges that are waiting; blocks where there are none."""
        data = os.read(self.descriptor, 64 * _EVENT.size)
        return [
            Event(ns, kind == 1, number) for ns, kind, _, _, number in _EVENT.iter_unpack(data[: len(data) // 48 * 48])
        ]


class Chip(NamedTuple):
    """A GPIO chip."""

    path: str
    label: str
    lines: int

    @property
    def is_header(self) -> bool:
        """Whether the 40-pin header is connected to it: then its lines have the numbers that people know (BCM)."""
        return self.label == "pinctrl-rp1" or self.label.startswith("pinctrl-bcm")


def chips() -> list[Chip]:
    """The chips of this machine, each once, however many links lead to it. ``OSError`` when one may not be opened."""
    paths = sorted({os.path.realpath(path) for path in DEV.glob("gpiochip*")})
    found = []
    for path in paths:
        with _opened(path) as descriptor:
            buffer = bytearray(_CHIP.size)
            fcntl.ioctl(descriptor, CHIP_INFO, buffer)
        _, label, lines = _CHIP.unpack(buffer)
        found.append(Chip(path, _text(label), lines))
    return found


def request(chip: Chip, pin: int, consumer: str, flags: int, *, value: bool = False, debounce_us: int = 0) -> Line:
    """Ask for a line. ``OSError`` when it is not to be had; ``EBUSY`` when somebody has it."""
    attribute, worth = (OUTPUT_VALUES, int(value)) if flags & OUTPUT else (DEBOUNCE, debounce_us)
    attributes = 1 if flags & OUTPUT or debounce_us else 0
    buffer = bytearray(
        _REQUEST.pack(
            pin,
            consumer.encode()[:31],
            flags,
            attributes,
            attribute if attributes else 0,
            0,
            worth if attributes else 0,
            attributes,  # the mask: this request's first and only line
            1,
            KEPT if flags & INPUT else 0,
            0,
        )
    )
    with _opened(chip.path) as descriptor:
        fcntl.ioctl(descriptor, GET_LINE, buffer)
    line = Line(_REQUEST.unpack(buffer)[-1])
    os.set_inheritable(line.descriptor, False)
    return line


def user_of(chip: Chip, pin: int) -> str:
    """Who has a line, by the name that they gave themselves; empty when that is not known."""
    try:
        with _opened(chip.path) as descriptor:
            buffer = bytearray(_INFO.pack(b"", b"", pin))
            fcntl.ioctl(descriptor, LINE_INFO, buffer)
    except OSError:
        return ""
    return _text(_INFO.unpack(buffer)[1])


@contextmanager
def _opened(path: str) -> Iterator[int]:
    if fcntl is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode(errors="replace")
