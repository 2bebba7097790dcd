"""gateway/testing/fake_spi.py: the made-up chip answers as one on the real seam does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.spi_wire import Select

from gateway.driver import DeviceUnavailable
from gateway.hardware.machine import Machine
from gateway.hardware.protocols import Hardware
from gateway.hardware.real import RealHardware
from gateway.hardware.spi import make_buses
from gateway.testing import FakeHardware, FakeSPI


def echo(data: bytes) -> bytes:
    """A chip that says what it hears, turned around."""
    return bytes(byte ^ 0xFF for byte in data)


def fake() -> Hardware:
    """Hardware with a made-up chip at chip select 0.1."""
    return FakeHardware(spi={(0, 1): FakeSPI(echo)})


def real() -> Hardware:
    """The real seam, with a chip of the same kind on the wire."""
    return RealHardware("tags", Machine(spi=make_buses(Select(echo).open)))


@pytest.mark.parametrize("make", [fake, real])
def test_transfers(make: Callable[[], Hardware]) -> None:
    """The same calls bring the same, here and on the real seam."""
    chip = make().spi(0, 1)
    with chip.transaction():
        assert chip.transfer(b"\x00\x01") == b"\xff\xfe"
    assert chip.transfer(bytes(4096)) == b"\xff" * 4096
    chip.cancel_wait()
    assert not chip.waiting
    for wrong in (b"", bytes(4097)):
        with pytest.raises(ValueError, match="1 to 4096 bytes"):
            chip.transfer(wrong)
    chip.close()
    chip.close()
    with pytest.raises(DeviceUnavailable, match="closed"):
        chip.transfer(b"x")


@pytest.mark.parametrize("make", [fake, real])
def test_nothing_at_that_chip_select(make: Callable[[], Hardware]) -> None:
    """The device file is missing."""
    with pytest.raises(DeviceUnavailable, match=r"there is no /dev/spidev1\.0"):
        make().spi(1, 0)


def test_what_the_driver_did() -> None:
    """It can be asked for."""
    chip = FakeSPI(b"\x01\x02")
    it = FakeHardware(spi={(0, 0): chip}).spi(0, 0, max_speed_hz=500_000, mode=3)
    assert it.transfer(b"ab") == b"\x01\x02"
    assert chip.sent == [b"ab"]
    assert str(chip.settings) == "SPISettings(max_speed_hz=500000, mode=3)"
    with pytest.raises(AssertionError, match="has 2 bytes in place of 1"):
        it.transfer(b"a")


def test_a_chip_that_is_gone_is_no_error() -> None:
    """Its line stays at one level; a bus that is gone is one."""
    chip = FakeSPI(echo)
    hardware = FakeHardware(spi={(0, 0): chip})
    it = hardware.spi(0, 0)
    chip.unplug()
    assert it.transfer(b"ab") == b"\x00\x00"
    chip.unplug(0xFF)
    assert it.transfer(b"ab") == b"\xff\xff"
    chip.fail()
    with pytest.raises(DeviceUnavailable, match="gone"):
        it.transfer(b"ab")
    with pytest.raises(DeviceUnavailable, match="there is no"):
        hardware.spi(0, 0)
    chip.plug_in()
    assert it.transfer(b"\x00") == b"\xff"
    assert hardware.still_open() == ["/dev/spidev0.0"]
