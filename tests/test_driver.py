"""What a driver author builds on."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.driver import BadReading, Channel, DeviceUnavailable, Driver, DriverError, Misconfigured, option, options
from gateway.testing import DriverHarness


def test_options_are_frozen_and_by_name() -> None:
    """Made by the decorator, with help for each."""

    @options
    class Mine:
        port: str = option(help="the port")
        baudrate: int = option(9600, help="bits per second", min=50)

    mine = Mine(port="x")
    assert (mine.port, mine.baudrate) == ("x", 9600)
    assert {field.name: field.metadata["help"] for field in dataclasses.fields(Mine)} == {  # type: ignore[arg-type]
        "port": "the port",
        "baudrate": "bits per second",
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        mine.port = "y"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["Temperature", "2nd", "a-b", "", "ä", "time", "seq", "device"])
def test_channel_names(name: str) -> None:
    """Lower case, an identifier, none of ours."""
    with pytest.raises(ValueError, match="channel name"):
        Channel(name)


def test_a_wrong_pair_names_the_right_units() -> None:
    """While the driver is imported."""
    with pytest.raises(ValueError, match="°C"):
        Channel("t", "C", "temperature")


@pytest.mark.parametrize("kind", [DeviceUnavailable, BadReading, Misconfigured])
def test_the_three_errors_carry_a_hint(kind: type[DriverError]) -> None:
    """Each is a reaction of the runtime."""
    assert kind("x", hint="do that").hint == "do that"


def test_release_closes_what_was_opened_also_twice() -> None:
    """And what ``close`` raises keeps nothing open."""
    closed: list[str] = []

    class Mine(Driver[object]):
        """A driver."""

        channels = (Channel("a"),)

        def open(self) -> None:
            self._stack.callback(closed.append, "port")

        def read(self) -> dict[str, float]:
            return {"a": 1.0}

        def close(self) -> None:
            raise OSError("gone")

    harness = DriverHarness(Mine)
    harness.open()
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            harness.driver.release()
    assert closed == ["port"]
