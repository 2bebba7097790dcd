"""An SPI device that a test makes up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.driver import DeviceUnavailable

LONGEST = 4096


@dataclass(frozen=True, slots=True)
class SPISettings:
    """How a driver opened a device."""

    max_speed_hz: int
    mode: int


class FakeSPI:
    """A chip behind its chip select: ``FakeSPI(answer=chip)``.

    ``answer`` is a function that is given the bytes of one transfer and returns as many: what the chip says meanwhile.
    Bytes in place of a function are said in every transfer. ``sent`` is what the driver wrote, a transfer each.
    ``unplug`` takes the chip away: then all bytes are 00, or FF with ``unplug(0xFF)``; SPI does not call that an error.
    ``fail`` makes the bus itself break, as an adapter that is pulled out.
    """

    waiting = False
    """A test has the bus for itself."""

    def __init__(self, answer: Callable[[bytes], bytes] | bytes = b"") -> None:
        self.sent: list[bytes] = []
        self.settings: SPISettings | None = None
        self.is_open = False
        self._answer = answer
        self._level: int | None = None
        self._broken = False
        self._where = ""

    # The device's side ------------------------------------------------------------------------------------------------

    def unplug(self, level: int = 0x00) -> None:
        """Take the chip away: the line stays at ``level``, 00 or FF."""
        self._level = level

    def fail(self) -> None:
        """Every transfer fails from now on, and opening the device as well."""
        self._broken = True

    def plug_in(self) -> None:
        """All is well again."""
        self._level = None
        self._broken = False

    # The driver's side, see gateway.hardware.protocols.SPIDevice ------------------------------------------------------

    def open(self, where: str, settings: SPISettings) -> None:
        """What :class:`FakeHardware` does for the driver."""
        if self._broken:
            raise DeviceUnavailable(f"there is no {where}")
        self._where, self.settings, self.is_open = where, settings, True

    def transfer(self, data: bytes) -> bytes:
        """Send ``data`` under one chip select and return what came meanwhile, as many bytes. At most 4096."""
        self._check()
        if not 0 < len(data) <= LONGEST:
            raise ValueError(f"an SPI transfer has 1 to {LONGEST} bytes, not {len(data)}")
        self.sent.append(bytes(data))
        if self._level is not None:
            return bytes([self._level]) * len(data)
        reply = self._answer(bytes(data)) if callable(self._answer) else self._answer
        if len(reply) != len(data):
            raise AssertionError(f"the test's answer to {data!r} has {len(reply)} bytes in place of {len(data)}")
        return bytes(reply)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Several transfers without another thread in between."""
        self._check()
        yield

    def cancel_wait(self) -> None:
        """Nobody waits here."""

    def close(self) -> None:
        """Let go of the device. Safe to call twice."""
        self.is_open = False

    def _check(self) -> None:
        if not self.is_open:
            raise DeviceUnavailable("the SPI device is closed")
        if self._broken:
            raise DeviceUnavailable(f"{self._where} is gone: Input/output error")
