"""gateway/channel.py: what can never be published is refused while the driver is imported."""

from __future__ import annotations

import pytest

from gateway.channel import Channel


@pytest.mark.parametrize("name", ["Temperature", "2nd", "a-b", "", "ä", "time", "seq", "device"])
def test_channel_names(name: str) -> None:
    """Lower case, an identifier, none of ours."""
    with pytest.raises(ValueError, match="channel name"):
        Channel(name)


def test_a_wrong_pair_names_the_right_units() -> None:
    """While the driver is imported."""
    with pytest.raises(ValueError, match="°C"):
        Channel("t", "C", "temperature")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"unit": "kWh", "device_class": "energy", "state_class": "measurement"}, "none, total, total_increasing"),
        ({"state_class": "rising"}, "measurement, none, total, total_increasing"),
        ({"type": str, "state_class": "measurement"}, "only numbers"),
        ({"choices": ("a", "b")}, "only text"),
        ({"type": str, "device_class": "enum"}, "needs choices"),
        ({"entity_category": "config"}, "diagnostic"),
        ({"icon": "gauge"}, "mdi:gauge"),
        ({"precision": -1}, "0 to 15"),
        ({"writable": True, "min": 0}, "needs min and max"),
        ({"type": str, "writable": True}, "needs choices"),
        ({"type": str, "writable": True, "choices": ("a",), "max_length": 3}, "needs choices, .* or max_length"),
        ({"type": str, "max_length": 3}, "a text that is writable"),
        ({"writable": True, "min": 0, "max": 1, "max_length": 3}, "a text that is writable"),
        ({"type": str, "writable": True, "max_length": 0}, "at least 1"),
        ({"type": str, "writable": True, "choices": ("a",), "pattern": "a"}, "goes with max_length"),
    ],
)
def test_what_nobody_could_use(wrong: dict[str, object], words: str) -> None:
    """Is refused while the driver is imported, with what is accepted."""
    with pytest.raises(ValueError, match=words):
        Channel("x", **wrong)  # type: ignore[arg-type]
