"""gateway/hardware/gpio.py and gpio_kernel.py: pins, on what stands for the kernel."""

from __future__ import annotations

import errno
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gpio_wire import Kernel
from support.waiting import wait_until

from gateway.driver import DeviceUnavailable, Edge, Misconfigured
from gateway.hardware.gpio import RealGPIOInput
from gateway.hardware.real import RealHardware


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """A Pi 5 as its older kernels numbered it: the header is not the first chip."""
    made = Kernel(tmp_path, "gpio-brcmstb@107d508500", "pinctrl-rp1")
    (tmp_path / "gpiochip4").symlink_to(tmp_path / "gpiochip1")
    made.install(monkeypatch)
    yield made
    made.close()


@pytest.fixture
def hardware() -> RealHardware:
    """What a device is given."""
    return RealHardware("door")


def line_of(pin: RealGPIOInput) -> int:
    """The descriptor of its line."""
    return pin._line.descriptor


def test_an_input_as_the_kernel_is_asked_for_it(kernel: Kernel, hardware: RealHardware) -> None:
    """Both edges, the resistor, what low means, the kernel's own debouncing, and a name that others can see."""
    pin = hardware.gpio(17, pull="up", active_low=True, debounce=0.05)
    assert kernel.requests == [
        {
            "pin": 17,
            "consumer": "sensorpost door",
            "flags": 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 8,
            "attribute": (3, 0, 50_000, 1),
            "lines": 1,
            "kept": 1024,
        }
    ]
    kernel.active = True
    assert pin.value
    pin.close()
    pin.close()
    with pytest.raises(DeviceUnavailable, match="GPIO 17 is closed"):
        _ = pin.value


def test_an_output(kernel: Kernel, hardware: RealHardware) -> None:
    """It begins with its first level, so that there is no wrong one in between."""
    pin = hardware.gpio_output(23, initial=True, active_low=True)
    asked = kernel.requests[0]
    assert (asked["flags"], asked["attribute"], asked["kept"]) == (1 << 1 | 1 << 3, (2, 0, 1, 1), 0)
    pin.write(True)
    assert kernel.active
    pin.write(False)
    assert not kernel.active
    pin.cancel_wait()
    assert not pin.waiting
    pin.close()


def test_edges(kernel: Kernel, hardware: RealHardware) -> None:
    """In order, with the kernel's times, also those of the time when nobody waited; what it dropped is counted."""
    pin = hardware.gpio(17)
    assert kernel.requests[0]["attribute"] is None
    kernel.edge(line_of(pin), 1_500_000_000, rising=True)
    kernel.edge(line_of(pin), 1_600_000_000, rising=False)
    kernel.edge(line_of(pin), 2_000_000_000, rising=True, skip=3)
    assert [pin.wait_for_edge(0), pin.wait_for_edge(5), pin.wait_for_edge(5)] == [
        Edge(value=True, time=1.5),
        Edge(value=False, time=1.6),
        Edge(value=True, time=2.0),
    ]
    assert (pin.lost, pin.wait_for_edge(0.01)) == (3, None)
    with pytest.raises(ValueError, match="finite"):
        pin.wait_for_edge(float("inf"))
    pin.close()


def test_a_wait_can_be_ended(kernel: Kernel, hardware: RealHardware) -> None:
    """By another thread, at once."""
    pin = hardware.gpio(17)
    got: list[Edge | None] = []
    thread = threading.Thread(target=lambda: got.append(pin.wait_for_edge(30)))
    thread.start()
    wait_until(lambda: (pin.cancel_wait(), thread.join(0.01), not thread.is_alive())[2])
    assert got == [None]
    pin.close()
    pin.cancel_wait()


def test_a_pin_is_taken_from_a_thread_that_hangs(kernel: Kernel, hardware: RealHardware) -> None:
    """Its wait ends, what it does fails, and the descriptor stays its own until it closes it."""
    pin = hardware.gpio(17)
    errors: list[DeviceUnavailable] = []

    def wait() -> None:
        try:
            pin.wait_for_edge(30)
        except DeviceUnavailable as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    hardware.abandon()
    thread.join(10)
    assert not thread.is_alive()
    for use in (lambda: pin.value, lambda: pin.wait_for_edge(0)):
        try:
            use()
        except DeviceUnavailable as error:
            errors.append(error)
    assert len(errors) >= 2
    again = hardware.gpio(17)
    pin.close()
    assert again.value is False
    again.close()
    hardware.abandon()


def test_a_chip_that_is_gone(kernel: Kernel, hardware: RealHardware) -> None:
    """An expander that is pulled out."""
    pin = hardware.gpio(17)
    kernel.unplug(line_of(pin))
    with pytest.raises(DeviceUnavailable, match="GPIO 17 is gone"):
        pin.wait_for_edge(5)
    kernel.error = errno.ENODEV
    with pytest.raises(DeviceUnavailable, match="GPIO 17 is gone: No such device"):
        _ = pin.value
    pin.close()


@pytest.mark.parametrize(
    ("user", "says"),
    [("w1@4", "GPIO 4 is in use by w1@4"), ("sensorpost bell", "GPIO 4 is in use by sensorpost bell")],
)
def test_a_pin_that_is_in_use(kernel: Kernel, hardware: RealHardware, user: str, says: str) -> None:
    """Errno 16 in words, with the name of who has it."""
    kernel.users[4] = user
    with pytest.raises(DeviceUnavailable, match=re.escape(says)) as caught:
        hardware.gpio(4)
    assert "take another pin" in caught.value.hint


@pytest.mark.parametrize(
    ("number", "says", "hint"),
    [
        (errno.EACCES, "no permission to use", "gpio"),
        (errno.EIO, "GPIO cannot be used: Input/output error", ""),
    ],
)
def test_a_chip_that_may_not_be_used(  # noqa: PLR0917
    kernel: Kernel, hardware: RealHardware, monkeypatch: pytest.MonkeyPatch, number: int, says: str, hint: str
) -> None:
    """The device file's group, or the kernel's own words."""
    monkeypatch.setattr("gateway.hardware.plugged.PATIENCE", 0.0)
    kernel.error = number
    with pytest.raises(DeviceUnavailable, match=says) as caught:
        hardware.gpio(4)
    assert hint in caught.value.hint or "plugged in a moment ago" in caught.value.hint


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.EINVAL, "GPIO 4 is refused by pinctrl-rp1"), (errno.ENOMEM, "GPIO 4 cannot be used: Cannot allocate")],
)
def test_a_request_that_fails(
    kernel: Kernel, hardware: RealHardware, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    """The chip can be opened, and does not give the line."""

    def fail(*_: object) -> None:
        raise OSError(number, "")

    monkeypatch.setattr(kernel, "_request", fail)
    with pytest.raises(DeviceUnavailable, match=says):
        hardware.gpio_output(4)


@pytest.mark.parametrize(
    ("labels", "says", "hint"),
    [
        ((), "no 40-pin header", "is this a Raspberry Pi"),
        (("INT3450:00",), "no 40-pin header", "GPIO chips here: INT3450:00"),
    ],
)
def test_no_raspberry_pi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: tuple[str, ...], says: str, hint: str
) -> None:
    """A chip with a number that happens to fit is not the header."""
    Kernel(tmp_path, *labels).install(monkeypatch)
    with pytest.raises(DeviceUnavailable, match=says) as caught:
        RealHardware("door").gpio(4)
    assert hint in caught.value.hint


@pytest.mark.parametrize("label", ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
def test_every_pi_has_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, label: str) -> None:
    """Found by the label, whatever its number."""
    kernel = Kernel(tmp_path, "raspberrypi-exp-gpio", "other", label)
    kernel.install(monkeypatch)
    RealHardware("door").gpio(4).close()
    kernel.close()


def test_a_board_like_a_pi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its only pin controller is meant; where there are several, none is taken for the header."""
    kernel = Kernel(tmp_path, "pinctrl-other")
    kernel.install(monkeypatch)
    RealHardware("door").gpio(4).close()
    kernel.close()
    two = tmp_path / "two"
    two.mkdir()
    Kernel(two, "pinctrl-one", "pinctrl-two").install(monkeypatch)
    with pytest.raises(DeviceUnavailable, match="no 40-pin header"):
        RealHardware("door").gpio(4)


def test_what_no_pin_can_have(kernel: Kernel, hardware: RealHardware) -> None:
    """Trying again would not help."""
    with pytest.raises(Misconfigured, match="no pull 'sideways'"):
        hardware.gpio(4, pull="sideways")  # type: ignore[arg-type]
    with pytest.raises(Misconfigured, match="no debounce of 2 s"):
        hardware.gpio(4, debounce=2)
    with pytest.raises(Misconfigured, match="no GPIO 54"):
        hardware.gpio(54)
