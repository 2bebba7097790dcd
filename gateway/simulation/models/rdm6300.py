"""An RDM6300 or ID-12LA on which tags come and go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import xor
from typing import Any

from gateway.simulation.serial_model import StreamingSerial
from gateway.simulation.visitors import Visitors
from gateway.simulation.world import World

TAGS = ("62e3086ced", "100086f444", "01000734e0")


class Reader(StreamingSerial):
    """Says which tag lies on it: every 65 ms, or ``once``."""

    baudrate = 9600
    interval = 0.065

    def __init__(self, visitors: Callable[[float], Sequence[str]], *, once: bool) -> None:
        super().__init__()
        self._visitors: Callable[[float], Sequence[str]] | None = visitors
        self._once = once
        self._tags: list[str] = []
        self._told: list[str] = []

    def lay(self, *tags: str) -> None:
        """These lie on it from now on; of several it says none."""
        self._visitors = None
        self._tags = list(tags)

    def frame(self) -> bytes:
        """See :class:`gateway.simulation.serial_model.StreamingSerial`."""
        if self._visitors is not None:
            self._tags = list(self._visitors(self.now))
        told, self._told = self._told, list(self._tags)
        if len(self._tags) != 1 or (self._once and told == self._tags):
            return b""
        return framed(bytes.fromhex(self._tags[0]), end=b"\r\n\x03" if self._once else b"\x03")


def framed(tag: bytes, end: bytes = b"\x03") -> bytes:
    """What a reader says of a tag."""
    return b"\x02" + (tag + bytes([reduce(xor, tag)])).hex().upper().encode() + end


def attach(world: World, options: Any) -> Reader:
    """A reader; ``lay("62e3086ced")`` puts a tag on it."""
    reader = Reader(Visitors(world.dice(f"tags {options.port}"), *TAGS), once=options.model != "rdm6300")
    world.connect(reader, options)
    return reader
