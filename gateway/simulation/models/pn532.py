"""A PN532 on which cards come and go. It sleeps at power on, and says nothing as long as there is no card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gateway.simulation.serial_model import SerialModel
from gateway.simulation.visitors import Visitors
from gateway.simulation.world import World

CARDS = ("deadbeef", "04a23b5c6d7e80", "0416c6c2d73881")
ACK, ERROR = bytes.fromhex("0000ff00ff00"), bytes.fromhex("0000ff01ff7f8100")
LOOK = 0.02
"""Seconds from one look for a card to the next, while it is asked for one."""


class Reader(SerialModel):
    """One card at most is told."""

    baudrate = 115_200
    chip = 0x32

    awake: bool
    configured: bool
    searching: bool

    def __init__(self, visitors: Callable[[float], Sequence[str]]) -> None:
        super().__init__()
        self._visitors: Callable[[float], Sequence[str]] | None = visitors
        self._cards: list[str] = []
        self._questions = 0
        self.aborted = 0
        """How often a question was taken back."""

    def power_on(self) -> None:
        """It sleeps."""
        super().power_on()
        self.awake = self.configured = self.searching = False

    def lay(self, *cards: str) -> None:
        """These lie on it from now on."""
        self._visitors = None
        self._cards = list(cards)

    def received(self, data: bytes) -> None:
        """See :class:`gateway.simulation.serial_model.SerialModel`: what a driver writes at once is one frame."""
        if data.startswith(b"\x55"):
            self.awake, data = True, data.lstrip(b"\x55").lstrip(b"\0")
        start = data.find(b"\0\xff")
        if not self.awake or start < 0:
            return
        if data[start : start + 4] == b"\0\xff\0\xff":
            self.aborted += self.searching
            self.searching = False
            return
        size = data[start + 2]
        content = data[start + 4 : start + 4 + size]
        if (size + data[start + 3]) % 256 or sum(data[start + 4 : start + 5 + size]) % 256:
            return  # it waits for a frame that is whole
        self.searching = False
        self.send(ACK, 0.001)
        self.command(content)

    def command(self, content: bytes) -> None:
        """Do what it is told."""
        if content == b"\xd4\x02":
            self.send(framed(bytes([0xD5, 0x03, self.chip, 1, 6, 7])), 0.002)
        elif content[:2] == b"\xd4\x14":
            self.configured = True
            self.send(framed(b"\xd5\x15"), 0.002)
        elif content[:2] == b"\xd4\x4a" and self.configured:
            self.searching = True
            self._questions += 1
            self._look_later(self._questions)
        else:
            self.send(ERROR, 0.002)

    def _look_later(self, question: int) -> None:
        self.call(LOOK, lambda: self._look(question))

    def _look(self, question: int) -> None:
        if not self.searching or question != self._questions:
            return
        if self._visitors is not None:
            self._cards = list(self._visitors(self.now))
        if not self._cards:
            self._look_later(question)
            return
        self.searching = False
        uid = bytes.fromhex(self._cards[0])
        self.send(framed(b"\xd5\x4b\x01\x01\x00\x44\x00" + bytes([len(uid)]) + uid))


def framed(content: bytes) -> bytes:
    """A frame around what it says."""
    size = len(content)
    return b"\0\0\xff" + bytes([size, -size % 256]) + content + bytes([-sum(content) % 256, 0])


def attach(world: World, options: Any) -> Reader:
    """A reader; ``lay("04a23b5c6d7e80")`` puts a card on it."""
    reader = Reader(Visitors(world.dice(f"cards {options.port}"), *CARDS))
    world.connect(reader, options)
    return reader
