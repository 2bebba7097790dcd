"""Units and digits of the values, and what is a number."""

from __future__ import annotations

from gateway.cli.quantity import Quantity, is_number, quantities_of
from gateway.config.load import loads


def test_quantities_of_a_device() -> None:
    """By payload key, in the published unit, with the digits of the configuration; disabled channels are left out."""
    device = loads(
        '[devices.a]\ndriver = "mock"\nchannels.humidity.enabled = false\n'
        'channels.temperature = { key = "room", unit = "°F", digits = 2 }\n'
    ).devices[0]
    assert quantities_of(device) == {"room": Quantity("room", "°F", "temperature", 2)}


def test_is_number() -> None:
    """True and false are none."""
    assert [is_number(value) for value in (1, 1.5, True, "1", None)] == [True, True, False, False, False]
