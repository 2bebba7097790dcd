"""What can go wrong between a driver and its device, on request of a test. The same seed, the same trouble."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Faults:
    """The trouble of one model: set what should go wrong, set it back when it should be over.

    Which of them matter depends on how the device is connected; docs/simulation.md has a table.
    """

    dice: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 (repeatable is the point)
    silent: bool = False
    """It does not answer: on I2C nobody acknowledges, on a line nothing comes, on SPI all bytes are 00."""
    stuck: int | None = None
    """Every byte that is read is this one: 0x00 or 0xFF."""
    flips: float = 0.0
    """How likely one bit of a byte is turned over, 0 to 1."""
    corrupt: int = 0
    """So many of the next answers have one wrong bit: a checksum finds it."""
    garbage: bool = False
    """Bytes that mean nothing in place of the right ones, as at a wrong speed."""
    halves: int = 0
    """So many of the next frames end in their middle."""
    glue: int = 0
    """So many of the next frames are held back and come together with the one that follows."""
    dribble: float = 0.0
    """Seconds from one byte to the next."""
    locked: bool = False
    """The bus does not move: calls on it fail after their time, for every device on it."""
    gone: bool = False
    """It is unplugged; see :meth:`gateway.simulation.model.Model.unplug`."""

    _held: bytearray = field(default_factory=bytearray)

    @property
    def dead(self) -> bool:
        """Whether nothing comes of it."""
        return self.gone or self.silent

    def spoil(self, data: bytes) -> bytes:
        """What is read in place of ``data``, as many bytes."""
        if self.stuck is not None:
            return bytes([self.stuck]) * len(data)
        if self.garbage:
            return self.dice.randbytes(len(data))
        spoilt = bytearray(data)
        if self.corrupt and spoilt:
            self.corrupt -= 1
            spoilt[len(spoilt) // 2] ^= 1 << self.dice.randrange(8)
        if self.flips:
            for place in range(len(spoilt)):
                if self.dice.random() < self.flips:
                    spoilt[place] ^= 1 << self.dice.randrange(8)
        return bytes(spoilt)

    def pieces(self, frame: bytes) -> list[tuple[float, bytes]]:
        """How a frame arrives on a line: pieces, each with the seconds after which it does."""
        if self.dead:
            return []
        data = self.spoil(frame)
        if self.halves:
            self.halves -= 1
            data = data[: len(data) // 2]
        if self.glue:
            self.glue -= 1
            self._held += data
            return []
        data = bytes(self._held) + data
        self._held.clear()
        if self.dribble:
            return [(self.dribble * place, data[place : place + 1]) for place in range(len(data))]
        return [(0.0, data)]
