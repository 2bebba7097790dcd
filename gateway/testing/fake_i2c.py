"""An I2C device that a test makes up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from gateway.driver import DeviceUnavailable

NOTHING = 0xFF
"""What a register holds that nobody has set."""


class FakeI2C:
    """A chip on a bus.

    ``registers`` makes it a chip with registers: ``FakeI2C({0xD0: 0x60, 0xF7: b"abc"})``, where bytes fill a register
    and those after it. The first byte that the driver writes says which register is meant, further bytes go
    into it and those after it, and reading goes on from there. Change ``registers`` as the chip would.

    ``answer`` makes it a chip of another kind: a function that is given what the driver writes, and how many bytes it
    then wants to read, and returns them. A ``write`` alone wants 0, a ``read`` alone writes ``b""``.

    ``sent`` is what the driver wrote. ``unplug`` and ``plug_in`` do what they say; registers are then as at the start.
    """

    waiting = False
    """A test has the bus for itself."""

    def __init__(
        self,
        registers: Mapping[int, int | bytes] | None = None,
        *,
        answer: Callable[[bytes, int], bytes] | None = None,
    ) -> None:
        self.registers: dict[int, int] = {}
        self.sent: list[bytes] = []
        self.is_open = False
        self.plugged_in = True
        self._at_power_on = dict(registers or {})
        self._answer = answer or self._by_register
        self._pointer = 0
        self._where = ""
        self.plug_in()

    # The device's side ------------------------------------------------------------------------------------------------

    def unplug(self) -> None:
        """It answers no more."""
        self.plugged_in = False

    def plug_in(self) -> None:
        """It answers again, and has forgotten what the driver had set."""
        self.plugged_in = True
        self._pointer = 0
        self.registers.clear()
        for register, value in self._at_power_on.items():
            self._put(register, bytes([value]) if isinstance(value, int) else value)

    # The driver's side, see gateway.hardware.protocols.I2CDevice ------------------------------------------------------

    def open(self, where: str) -> None:
        """What :class:`FakeHardware` does for the driver."""
        self._where, self.is_open = where, True

    def write(self, data: bytes) -> None:
        """Send ``data``."""
        self._transfer(data, 0)

    def read(self, size: int) -> bytes:
        """Receive ``size`` bytes."""
        return self._transfer(b"", size)

    def write_read(self, data: bytes, size: int) -> bytes:
        """Send ``data``, then receive ``size`` bytes."""
        return self._transfer(data, size)

    def read_register(self, register: int, size: int = 1) -> bytes:
        """``size`` bytes from a register and those after it."""
        return self._transfer(bytes([register]), size)

    def write_register(self, register: int, value: int | bytes) -> None:
        """Put one byte, or several, into a register and those after it."""
        self._transfer(bytes([register]) + (bytes([value]) if isinstance(value, int) else value), 0)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Several calls without another device in between."""
        self._check()
        yield

    def cancel_wait(self) -> None:
        """Nobody waits here."""

    def close(self) -> None:
        """Let go of the device. Safe to call twice."""
        self.is_open = False

    def _check(self) -> None:
        if not self.is_open:
            raise DeviceUnavailable("the I2C device is closed")

    def _transfer(self, data: bytes, size: int) -> bytes:
        self._check()
        if not self.plugged_in:
            raise DeviceUnavailable(f"nothing answers at {self._where}", hint="check address, wiring and power")
        if data:
            self.sent.append(bytes(data))
        reply = self._answer(bytes(data), size)
        if len(reply) != size:
            raise AssertionError(f"the test's answer to {data!r} has {len(reply)} bytes, but {size} were asked for")
        return reply

    def _by_register(self, data: bytes, size: int) -> bytes:
        if data:
            self._pointer = data[0]
            self._put(data[0], data[1:])
        reply = bytes(self.registers.get((self._pointer + step) % 256, NOTHING) for step in range(size))
        self._pointer = (self._pointer + size) % 256
        return reply

    def _put(self, register: int, data: bytes) -> None:
        for step, byte in enumerate(data):
            self.registers[(register + step) % 256] = byte
