"""drivers/gpio.py: what is on a pin, and when it changes."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.gpio import Gpio
from gateway.driver import DeviceUnavailable, Kind, Misconfigured
from gateway.testing import DriverHarness, FakeGPIO, FakeHardware


def driver(pin: FakeGPIO, /, **options: Any) -> DriverHarness:
    """The driver with this on pin 17."""
    return DriverHarness(Gpio, hardware=FakeHardware(gpio={17: pin}), pin=17, **options)


@pytest.mark.parametrize(
    ("options", "pull", "channel", "device_class", "when_low"),
    [
        ({"profile": "contact"}, "up", "open", "opening", False),
        ({"profile": "contact", "device_class": "door"}, "up", "open", "door", False),
        ({"profile": "button"}, "up", "pressed", None, True),
        ({"profile": "motion", "warm_up": "0s"}, "down", "motion", "motion", False),
        ({}, "none", "active", None, False),
        ({"pull": "up", "active_low": True, "device_class": "smoke"}, "up", "active", "smoke", True),
    ],
)
def test_profiles(
    options: dict[str, Any], pull: str, channel: str, device_class: str | None, *, when_low: bool
) -> None:
    """Each has its resistor, its channel and its sense; options change them."""
    pin = FakeGPIO(level=False)
    with driver(pin, **options) as it:
        assert it.kind is Kind.STATE
        assert pin.pull == pull
        assert it.channels[0].device_class == device_class
        assert it.read() == {channel: when_low}
        pin.set(True)
        it.wait(0.03)
        assert it.read() == [{channel: not when_low}]


def test_every_change() -> None:
    """How it is, then every change in its order, then nothing for less than a second."""
    pin = FakeGPIO()
    with driver(pin) as it:
        assert it.read() == {"active": False}
        for at, level in ((0.1, True), (0.2, False), (0.3, True)):
            pin.set(level, after=at)
        assert it.read() == [{"active": True}]
        it.wait(1)
        assert it.read() == [{"active": False}, {"active": True}]
        before = it.time.now
        assert it.read() is None
        assert it.time.now - before < 1


def test_bouncing() -> None:
    """A contact that bounces for some ms has changed once; a spike has not changed at all."""
    pin = FakeGPIO()
    with driver(pin, debounce="20ms") as it:
        it.read()
        for at, level in ((0.1, True), (0.103, False), (0.105, True), (0.5, False), (0.51, True)):
            pin.set(level, after=at)
        assert it.read() == [{"active": True}]
        assert it.read() is None


def test_warm_up_of_a_motion_sensor() -> None:
    """For a minute after the start nothing counts; not again when the pin is opened anew."""
    pin = FakeGPIO()
    with driver(pin, profile="motion") as it:
        for at, level in ((5, True), (6, False), (7, True), (58, False)):
            pin.set(level, after=at)
        while it.time.now < 60:
            before = it.time.now
            assert it.read() is None
            assert 0 < it.time.now - before < 1
        assert it.read() == {"motion": False}
        it.reopen()
        assert it.read() == {"motion": False}
        pin.set(True)
        it.wait(0.1)
        assert it.read() == [{"motion": True}]


def test_a_flood_of_edges() -> None:
    """Where the kernel lost some, how it is now is told at the end."""
    pin = FakeGPIO()
    with driver(pin, debounce="0s") as it:
        it.read()
        for n in range(1501):
            pin.set(n % 2 == 0, after=n / 10_000)
        it.wait(1)
        first = it.read()
        rest = it.read()
    assert isinstance(first, list)
    assert len(first) == 1025
    assert pin.lost == 1501 - 1024
    assert first[-1] == {"active": True}
    assert rest is None


def test_a_button_with_events() -> None:
    """A press and a release are an event each, with how long it was held; what was before the start is none."""
    pin = FakeGPIO(level=False)
    with driver(pin, profile="button", events=True) as it:
        assert it.kind is Kind.EVENT
        pin.set(True, after=0.1)
        assert it.read() == [{"event": "released", "held": None}]
        pin.set(False, after=0.1)
        pin.set(True, after=0.6)
        assert it.read() == [{"event": "pressed"}]
        assert it.read() == [{"event": "released", "held": 0.5}]
        assert it.read() is None


@pytest.mark.parametrize(
    "options", [{"events": True}, {"profile": "contact", "events": True}, {"device_class": "temperature"}]
)
def test_refused(options: dict[str, Any]) -> None:
    """Events are for buttons, and a device class is one of true and false."""
    with pytest.raises(Misconfigured):
        driver(FakeGPIO(), **options)


def test_a_pin_that_is_taken() -> None:
    """By another program, and free again later."""
    pin = FakeGPIO(level=True)
    with driver(pin) as it:
        pin.unplug()
        with pytest.raises(DeviceUnavailable):
            it.read()
        with pytest.raises(DeviceUnavailable):
            it.reopen()
        pin.plug_in()
        it.open()
        assert it.read() == {"active": True}
