"""gateway/config/buses.py: who shares a bus with whom, and what that means for where a driver may run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from support.workshop import Workshop

from gateway.config.buses import bus_of
from gateway.driver import NoOptions

THREE = """
[devices.a]
driver = "meter"
port = "/dev/one"
isolation = {a}
[devices.b]
driver = "meter"
port = "{port}"
enabled = {enabled}
[devices.c]
driver = "stream"
"""


@pytest.mark.parametrize(
    ("options", "bus"),
    [
        ({"port": "/dev/serial0"}, "port /dev/serial0"),
        ({"port": "/dev/serial0", "unit": 3}, "port /dev/serial0"),
        ({"port": 1883}, None),
        ({"bus": 1, "address": 0x76}, "I2C bus 1"),
        ({"bus": 0, "device": 1}, "SPI bus 0"),
        ({"bus": 2}, "bus 2"),
        ({"bus": None}, None),
        ({"pin": 4}, None),
    ],
    ids=str,
)
def test_bus(options: dict[str, Any], bus: str | None) -> None:
    """By the names that options have in all drivers."""
    assert bus_of(SimpleNamespace(**options)) == bus


def test_no_options_no_bus() -> None:
    """As in the system driver."""
    assert bus_of(NoOptions()) is None
    assert bus_of(None) is None


@pytest.mark.parametrize(
    ("a", "port", "enabled", "expected"),
    [
        ('"auto"', "/dev/two", True, ["auto", "auto", "auto"]),
        ('"auto"', "/dev/one", True, ["thread", "thread", "auto"]),
        ('"auto"', "/dev/one", False, ["auto", "auto", "auto"]),
        ('"process"', "/dev/two", True, ["process", "auto", "auto"]),
        ('"process"', "/dev/one", False, ["process", "auto", "auto"]),
        ('"thread"', "/dev/one", True, ["thread", "thread", "auto"]),
    ],
)
def test_where_a_driver_may_run(workshop: Workshop, a: str, port: str, *, enabled: bool, expected: list[str]) -> None:
    """Auto is thread where the bus is shared; devices that are not read share nothing."""
    settings = workshop.load(THREE.format(a=a, port=port, enabled=str(enabled).lower()))
    assert [device.isolation for device in settings.devices] == expected


def test_options_are_kept_as_they_were_written(workshop: Workshop) -> None:
    """For the process that makes its own of them; what is not set stays away, and the environment is filled in."""
    settings = workshop.load('[devices.a]\ndriver = "meter"\nport = "${PORT}"\nwarm_up = "3s"\n', {"PORT": "/dev/x"})
    assert settings.devices[0].written == {"port": "/dev/x", "warm_up": "3s"}
