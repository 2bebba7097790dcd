"""gateway/hardware/spi.py: transfers, turns, and what the kernel says in words."""

from __future__ import annotations

import errno
import re
import sys
import threading
from pathlib import Path

import pytest
from support.spi_wire import Select

from gateway.driver import DeviceUnavailable, Misconfigured
from gateway.hardware import spi
from gateway.hardware.machine import Machine
from gateway.hardware.real import RealHardware
from gateway.hardware.spi import make_buses


@pytest.fixture
def select() -> Select:
    """A chip that says what it hears."""
    return Select(lambda data: data)


@pytest.fixture
def hardware(select: Select) -> RealHardware:
    """The machine's hardware, with that chip."""
    return RealHardware("tags", Machine(spi=make_buses(select.open, wait=0.1)))


def test_speed_and_mode_are_set_once_a_turn(select: Select, hardware: RealHardware) -> None:
    """A transaction opens the device once, and so costs less than as many transfers by themselves."""
    chip = hardware.spi(0, 1, max_speed_hz=500_000, mode=3)
    before = select.opened
    with chip.transaction():
        chip.transfer(b"a")
        chip.transfer(b"b")
    chip.transfer(b"c")
    assert select.opened - before == 2
    assert select.manners == [(500_000, 3)] * 3
    assert select.closed == select.opened


@pytest.mark.parametrize(("speed", "mode"), [(0, 0), (200_000_000, 0), (1000, 4), (1000, -1)])
def test_what_no_device_can_have(hardware: RealHardware, speed: int, mode: int) -> None:
    """Trying again would not help."""
    with pytest.raises(Misconfigured, match="SPI"):
        hardware.spi(0, 1, max_speed_hz=speed, mode=mode)


@pytest.mark.parametrize(
    ("number", "says", "hint"),
    [
        (errno.ENOENT, "there is no /dev/spidev0.1", "dtparam=spi=on"),
        (errno.EACCES, "no permission to use /dev/spidev0.1", "usermod -aG spi"),
        (errno.EMFILE, "/dev/spidev0.1 cannot be opened: Too many open files", ""),
    ],
)
def test_a_device_that_cannot_be_opened(
    select: Select, hardware: RealHardware, number: int, says: str, hint: str
) -> None:
    """Where, what, and what to do."""
    select.error = number
    with pytest.raises(DeviceUnavailable, match=re.escape(says)) as caught:
        hardware.spi(0, 1)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EIO, "/dev/spidev0.1: Input/output error"),
        (errno.ENODEV, "/dev/spidev0.1 is gone"),
        (errno.EINVAL, "/dev/spidev0.1 refuses the speed or the mode"),
    ],
)
def test_a_transfer_that_fails(select: Select, hardware: RealHardware, number: int, says: str) -> None:
    """The bus is to blame, and it may come back."""
    chip = hardware.spi(0, 1)
    with chip.transaction():
        chip.transfer(b"a")
        select.error = number
        with pytest.raises(DeviceUnavailable, match=re.escape(says)):
            chip.transfer(b"b")


def test_the_devices_here_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, select: Select, hardware: RealHardware
) -> None:
    """Where there are some."""
    monkeypatch.setattr(spi, "DEV", tmp_path)
    (tmp_path / "spidev0.0").touch()
    (tmp_path / "spidev1.0").touch()
    select.error = errno.ENOENT
    with pytest.raises(DeviceUnavailable) as caught:
        hardware.spi(0, 1)
    assert caught.value.hint.startswith("SPI here: 0.0, 1.0; enable it")


def test_a_hanging_transfer_is_left_behind(select: Select, hardware: RealHardware) -> None:
    """What its thread holds is taken: the next has a handle of its own, and the old one gets nothing."""
    chip = hardware.spi(0, 1)
    select.gate = threading.Event()
    select.entered.clear()
    errors: list[DeviceUnavailable] = []

    def hang() -> None:
        try:
            chip.transfer(b"a")
        except DeviceUnavailable as error:
            errors.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    assert select.entered.wait(20)
    hardware.abandon()
    gate, select.gate = select.gate, None
    assert hardware.spi(0, 1).transfer(b"b") == b"b"
    gate.set()
    thread.join()
    assert "was taken" in str(errors[0])
    assert select.closed == select.opened


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how to install it, and where."""
    monkeypatch.setitem(sys.modules, "spidev", None)
    with pytest.raises(Misconfigured, match="needs spidev") as caught:
        RealHardware("tags", Machine(spi=make_buses())).spi(0, 0)
    assert caught.value.hint == f"install it where this program runs: {sys.executable} -m pip install spidev"
