"""Models of devices on a serial line: those that talk by themselves, and those that answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.simulation.model import Model

if TYPE_CHECKING:
    from gateway.simulation.line import SimulatedLine


class SerialModel(Model):
    """A device on a line. ``send`` is what it says, ``received`` what it hears."""

    baudrate: int | None = None
    """Its speed. With another one neither side understands the other; ``None``: whatever the driver wants."""

    line: SimulatedLine | None = None

    def opened(self) -> None:
        """A driver has opened the port. What was sent before is lost."""

    def received(self, data: bytes) -> None:
        """The driver has written ``data``."""

    def send(self, data: bytes, after: float = 0.0) -> None:
        """Say something, now or ``after`` so many seconds."""
        if self.line is not None:
            self.line.send(self, data, after)

    def call(self, after: float, function: Callable[[], object]) -> None:
        """Call a function ``after`` so many seconds, as long as somebody has the port open."""
        if self.line is not None:
            self.line.call(after, function)


class StreamingSerial(SerialModel):
    """A device that sends a ``frame`` every ``interval`` seconds, without being asked."""

    interval = 1.0

    def frame(self) -> bytes:
        """The next one; empty when it has nothing to say this time."""
        return b""

    def opened(self) -> None:
        """See :class:`SerialModel`."""
        self.call(self.interval, self._go_on)

    def _go_on(self) -> None:
        if frame := self.frame():
            self.send(frame)
        self.call(self.interval, self._go_on)


class AnsweringSerial(SerialModel):
    """A device that answers requests, ``delay`` seconds after each."""

    delay = 0.01

    _heard: bytearray

    def power_on(self) -> None:
        """What was half heard is forgotten."""
        super().power_on()
        self._heard = bytearray()

    def request_in(self, heard: bytearray) -> bytes | None:
        """The first whole request in what was heard, taken out of it; ``None`` when there is none yet.

        As it is here, whatever is written in one piece is one request. A protocol with frames does better.
        """
        request = bytes(heard)
        heard.clear()
        return request or None

    def answer(self, request: bytes) -> bytes | None:
        """What it says to a request; ``None`` for nothing, as when it is meant for another one on the line."""
        del request
        return None

    def opened(self) -> None:
        """See :class:`SerialModel`."""
        self._heard.clear()

    def received(self, data: bytes) -> None:
        """See :class:`SerialModel`."""
        self._heard += data
        while (request := self.request_in(self._heard)) is not None:
            if answer := self.answer(request):
                self.send(answer, self.delay)
