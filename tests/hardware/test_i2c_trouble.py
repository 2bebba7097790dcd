"""gateway/hardware/i2c_trouble.py: every message with something to do about it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gateway.hardware import i2c_trouble
from gateway.hardware.i2c_trouble import explain_open, explain_use


def failed(number: int) -> OSError:
    """What the kernel says."""
    return OSError(number, os.strerror(number))


def test_a_missing_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How to enable it, and which there are."""
    monkeypatch.setattr(i2c_trouble, "DEV", tmp_path)
    error = explain_open(1, failed(errno.ENOENT))
    assert str(error) == f"there is no I2C bus 1 ({tmp_path}/i2c-1)"
    assert error.hint.startswith("enable it: sudo raspi-config nonint do_i2c 0")
    for name in ("i2c-20", "i2c-3", "i2c-x"):
        (tmp_path / name).touch()
    assert explain_open(1, failed(errno.ENOENT)).hint.startswith("I2C buses here: 3, 20; enable it: ")


@pytest.mark.parametrize(
    ("number", "message", "hint"),
    [
        (errno.EACCES, "no permission to use /dev/i2c-77", "sudo usermod -aG i2c $USER, then log in again"),
        (errno.ENOTTY, "/dev/i2c-77 is not an I2C bus", ""),
        (errno.EMFILE, "I2C bus 77 cannot be opened: Too many open files", ""),
    ],
)
def test_a_bus_that_does_not_open(number: int, message: str, hint: str) -> None:
    """Who may not, and what is something else."""
    error = explain_open(77, failed(number))
    assert str(error) == message
    assert error.hint == hint or not hint


@pytest.mark.parametrize(
    ("number", "message", "hint"),
    [
        (errno.EREMOTEIO, "nothing answers at 0x76 on I2C bus 1", "i2cdetect -y 1"),
        (errno.ENXIO, "nothing answers at 0x76 on I2C bus 1", "i2cdetect -y 1"),
        (errno.ETIMEDOUT, "0x76 on I2C bus 1: the bus does not move", "switch the power off and on"),
        (errno.EBUSY, "0x76 on I2C bus 1 is in use by the kernel", "overlay"),
        (errno.ENODEV, "I2C bus 1 is gone", "unplugged"),
        (errno.EOPNOTSUPP, "0x76 on I2C bus 1: the bus cannot do this", "SMBus commands only"),
        (errno.EIO, "0x76 on I2C bus 1: Input/output error", "check wiring"),
    ],
)
def test_a_device_that_fails(number: int, message: str, hint: str) -> None:
    """In words, and with what to look at."""
    error = explain_use(1, 0x76, failed(number), is_mux=False)
    assert str(error) == message
    assert hint in error.hint


def test_a_multiplexer_that_fails() -> None:
    """It is not taken for the device behind it."""
    silent, slow = (explain_use(1, 0x70, failed(number), is_mux=True) for number in (errno.EREMOTEIO, errno.ETIMEDOUT))
    assert str(silent) == "no multiplexer answers at 0x70 on I2C bus 1"
    assert str(slow) == "the multiplexer at 0x70 on I2C bus 1: the bus does not move"


def test_an_error_without_a_number() -> None:
    """Some libraries raise such."""
    assert str(explain_use(1, 0x76, OSError("no idea"), is_mux=False)) == "0x76 on I2C bus 1: no idea"
