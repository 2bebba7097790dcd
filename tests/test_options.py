"""gateway/options.py: how drivers declare what users may set."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.driver import Driver, I2COptions, TagOptions, option, options
from gateway.testing import build_options


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


@options
class Where(I2COptions):
    """A chip that can have two addresses."""

    address: int = option(0x76, help="0x76, or 0x77 with SDO high", min=0x76, max=0x77)
    mode: str = option("normal", help="how")


class Chip(Driver[Where]):
    """Has these options."""

    options_type = Where


def test_every_i2c_device_has_the_same_options() -> None:
    """And a driver's own address takes the place of the one that stands for all."""
    assert [field.name for field in dataclasses.fields(Where)] == ["bus", "address", "mux", "mux_channel", "mode"]  # type: ignore[arg-type]
    assert build_options(Chip, {}) == Where(bus=1, address=0x76, mux=None, mux_channel=None, mode="normal")
    assert build_options(Chip, {"mux": 0x71, "mux_channel": 0}).mux == 0x71


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({"address": 0x75}, "address"),
        ({"bus": -1}, "bus"),
        ({"mux": 0x70}, "mux and mux_channel belong together"),
        ({"mux_channel": 2}, "mux and mux_channel belong together"),
        ({"mux": 0x40, "mux_channel": 2}, "mux"),
        ({"mux": 0x70, "mux_channel": 8}, "mux_channel"),
    ],
    ids=str,
)
def test_what_no_device_can_have(given: dict[str, int], mistake: str) -> None:
    """Found when the configuration is checked."""
    with pytest.raises(ValueError, match=mistake):
        build_options(Chip, given)


def test_a_reader_of_tags_on_a_bus_has_the_options_of_both() -> None:
    """Two classes of options can be inherited when one of them is for that."""

    @options
    class Both(I2COptions, TagOptions):
        """Of a reader on I2C."""

        address: int = option(0x28, help="where")

    both = Both(gone_after=1.0)
    assert (both.address, both.bus, both.gone_after, both.tag_list) == (0x28, 1, 1.0, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        both.address = 3  # type: ignore[misc]
