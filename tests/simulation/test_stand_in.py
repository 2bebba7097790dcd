"""gateway/simulation/stand_in.py: plausible values where there is no model."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.load import loads
from gateway.config.settings import DeviceSettings
from gateway.driver import Channel
from gateway.simulation.stand_in import EVERY, PERIOD, plausible, stand_in
from gateway.testing import DriverHarness, FakeHardware


def device(text: str) -> DeviceSettings:
    """One device of a configuration."""
    return loads(f"[devices.x]\n{text}").devices[0]


def harness(settings: DeviceSettings) -> DriverHarness:
    """Its stand-in, without any hardware."""
    made = stand_in(settings)
    assert made.driver_type is not None
    it = DriverHarness(made.driver_type, hardware=FakeHardware(), **dict(settings.written))
    it.open()
    return it


@pytest.mark.parametrize(
    ("channel", "low", "high"),
    [
        (Channel("a", "°C", "temperature"), 18, 24),
        (Channel("a", "°F", "temperature"), 64.4, 75.2),
        (Channel("a", "°C", "temperature", min=100, max=200), 140, 160),
        (Channel("a"), 0, 100),
        (Channel("a", min=0.0, max=1.0), 0.4, 0.6),
        (Channel("a", min=200), 200, 201),
        (Channel("a", max=-5), -6, -5),
        (Channel("a", "%", "humidity", precision=0), 40, 55),
    ],
    ids=str,
)
def test_numbers_are_where_they_usually_are(channel: Channel, low: float, high: float) -> None:
    """And move, within what the channel can have."""
    values: list[Any] = [plausible(channel, second) for second in range(0, int(PERIOD), 10)]
    assert low <= min(values) < max(values) <= high
    if channel.precision == 0:
        assert values == [round(value) for value in values]


def test_switches_and_texts() -> None:
    """A switch is on and off, a text is a text."""
    assert {plausible(Channel("a", type=bool), second) for second in range(0, int(PERIOD), 10)} == {True, False}
    assert plausible(Channel("a", type=str), 0) == "simulated"
    some = Channel("a", type=str, choices=("pressed", "released"))
    assert [plausible(some, second) for second in (0, EVERY, 2 * EVERY)] == ["pressed", "released", "pressed"]


def test_a_sampled_device() -> None:
    """Every channel has a value, in a thread, whatever was asked for."""
    settings = device('driver = "bme280"\nisolation = "process"')
    it = harness(settings)
    values = it.read()
    assert isinstance(values, dict)
    assert set(values) == {one.channel.name for one in settings.channels}
    assert stand_in(settings).isolation == "thread"


def test_a_channel_that_was_set() -> None:
    """It stays so; the others move on."""
    it = harness(device('driver = "bme280"'))
    it.driver.write("humidity", 12.0)
    values = it.read()
    assert isinstance(values, dict)
    assert values["humidity"] == 12.0


def test_a_streaming_device() -> None:
    """One value a second."""
    it = harness(device('driver = "serial_line"\nport = "/dev/x"\nfields = [{name = "t"}]'))
    assert it.read() != it.read()
    assert it.time.now == 2.0


def test_a_reader_of_tags() -> None:
    """A tag lies there for a while, again and again."""
    it = harness(device('driver = "rdm6300"\nport = "/dev/x"'))
    seen = []
    for _ in range(int(2 * EVERY)):
        seen.append(it.read() is not None)
        if it.driver.interval is not None:
            it.wait(1)
    assert seen[:4] == [True] * 3 + seen[3:4]
    assert True in seen[10:]
    assert False in seen[4:10]


def test_events() -> None:
    """One every ten seconds."""
    settings = device('driver = "mock"\nkind = "event"')
    it = harness(settings)
    happened = []
    for _ in range(30):
        happened.append(it.read() is not None)
        it.wait(1)
    assert happened.count(True) == 2
