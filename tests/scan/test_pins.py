"""What a scan says of GPIO."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from gateway.hardware.gpio_kernel import Chip
from gateway.scan import pins


def refuse(number: int) -> Any:
    """As a user without rights, or a kernel without uAPI, finds out."""
    raise OSError(number, "refused")


def test_which_is_the_header(machine: Any) -> None:
    """By its label: its number is not always the same."""
    machine.file("/dev/gpiochip0")
    chips = [Chip("/dev/gpiochip0", "raspberrypi-exp-gpio", 8), Chip("/dev/gpiochip4", "pinctrl-rp1", 54)]
    other, header = pins.look(machine.tree, lambda: chips)
    assert (other.where, other.what, other.note) == (
        "/dev/gpiochip0",
        "raspberrypi-exp-gpio, 8 lines",
        "not the 40-pin header",
    )
    assert header.what == "the 40-pin header (pinctrl-rp1, 54 lines)"
    assert header.candidates[0].driver == "gpio"
    assert "sensorpost drivers gpio" in header.note


@pytest.mark.parametrize(("number", "note"), [(errno.EACCES, "no permission: "), (errno.ENOTTY, "")])
def test_why_there_is_nothing(machine: Any, number: int, note: str) -> None:
    """No chip, no rights, or a reason of the kernel's."""
    (found,) = pins.look(machine.tree, lambda: refuse(number))
    assert (found.found, found.note) == (False, "this machine is no Raspberry Pi")
    machine.file("/dev/gpiochip0")
    (found,) = pins.look(machine.tree, lambda: refuse(number))
    assert found.what.startswith("not looked at")
    assert found.note.startswith(note)
