"""gateway/testing/fake_i2c.py: the made-up chip answers as one on the real seam does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.i2c_wire import Chip, Wire

from gateway.driver import DeviceUnavailable
from gateway.hardware.i2c import make_buses
from gateway.hardware.machine import Machine
from gateway.hardware.protocols import Hardware, I2CDevice
from gateway.hardware.real import RealHardware
from gateway.testing import FakeHardware, FakeI2C


def fake() -> Hardware:
    """Hardware with a made-up chip at 0x76."""
    return FakeHardware(i2c={(1, 0x76): FakeI2C(dict.fromkeys(range(256), 0) | {0xD0: 0x60})})


def real() -> Hardware:
    """The real seam, with a chip of the same kind on the wire."""
    return RealHardware("office", Machine(i2c=make_buses(Wire({0x76: Chip({0xD0: 0x60})}).open)))


@pytest.mark.parametrize("make", [fake, real])
def test_registers(make: Callable[[], Hardware]) -> None:
    """The same calls bring the same, here and on the real seam."""
    chip: I2CDevice = make().i2c(1, 0x76)
    with chip.transaction():
        assert chip.read_register(0xD0) == b"\x60"
        chip.write_register(0xF4, 0x27)
        chip.write_register(0xFF, b"\x01\x02")
    assert chip.read_register(0xFE, 3) == b"\x00\x01\x02"
    assert chip.write_read(b"\xf3", 2) == b"\x00\x27"
    chip.write(b"\xd0")
    assert chip.read(1) == b"\x60"
    chip.cancel_wait()
    assert not chip.waiting
    chip.close()
    chip.close()
    with pytest.raises(DeviceUnavailable, match="closed"):
        chip.read(1)


@pytest.mark.parametrize("make", [fake, real])
def test_nobody_there(make: Callable[[], Hardware]) -> None:
    """It opens, as an address on a real bus does, and does not answer."""
    chip = make().i2c(1, 0x77)
    with pytest.raises(DeviceUnavailable, match="nothing answers at 0x77 on I2C bus 1"):
        chip.read(1)


def test_no_bus() -> None:
    """A bus with nothing on it is none."""
    with pytest.raises(DeviceUnavailable, match="there is no I2C bus 3"):
        fake().i2c(3, 0x76)


def test_bytes_fill_registers() -> None:
    """What nobody has set reads as ff, what the driver wrote is recorded."""
    model = FakeI2C({0x10: b"abc"})
    chip = FakeHardware(i2c={(1, 0x40): model}).i2c(1, 0x40)
    assert chip.read_register(0x0F, 5) == b"\xffabc\xff"
    model.registers[0x11] = 0
    assert chip.read_register(0x10, 3) == b"a\x00c"
    chip.write_register(0x20, 7)
    assert model.sent == [b"\x0f", b"\x10", b"\x20\x07"]


def test_unplugged_and_plugged_in_again() -> None:
    """It forgets what was set, as a chip does that was without power."""
    model = FakeI2C({0x01: 5})
    chip = FakeHardware(i2c={(1, 0x40): model}).i2c(1, 0x40)
    chip.write_register(0x01, 6)
    model.unplug()
    with pytest.raises(DeviceUnavailable, match="nothing answers at 0x40"):
        chip.read_register(0x01)
    model.plug_in()
    assert chip.read_register(0x01) == b"\x05"


def test_behind_a_multiplexer() -> None:
    """The place tells chips of one address apart."""
    hardware = FakeHardware(i2c={(1, 0x28, 0x70, n): FakeI2C({0: n}) for n in range(2)})
    assert [hardware.i2c(1, 0x28, mux=0x70, mux_channel=n).read_register(0) for n in range(2)] == [b"\x00", b"\x01"]
    assert hardware.still_open() == ["0x28 on I2C bus 1", "0x28 on I2C bus 1"]


def test_a_chip_without_registers() -> None:
    """A function makes what a command brings; an answer of the wrong length is the test's mistake."""
    asked: list[tuple[bytes, int]] = []

    def answer(written: bytes, size: int) -> bytes:
        asked.append((written, size))
        return b"\xbe\xef\x92"[:size]

    chip = FakeHardware(i2c={(1, 0x44): FakeI2C(answer=answer)}).i2c(1, 0x44)
    chip.write(b"\x24\x00")
    assert chip.read(3) == b"\xbe\xef\x92"
    assert chip.write_read(b"\xfd", 1) == b"\xbe"
    assert asked == [(b"\x24\x00", 0), (b"", 3), (b"\xfd", 1)]
    with pytest.raises(AssertionError, match="has 3 bytes, but 6 were asked for"):
        chip.read(6)
