"""What a driver author builds on."""

from __future__ import annotations

import pytest

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    DriverError,
    I2COptions,
    Kind,
    Misconfigured,
    TagDriver,
    TagOptions,
    options,
)
from gateway.testing import DriverHarness, FakeHardware, FakeI2C


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


def test_a_device_on_a_bus_closes_by_itself() -> None:
    """With the options that every I2C device has."""

    @options
    class Where(I2COptions):
        """Its options."""

    class Mine(Driver[Where]):
        """A driver."""

        options_type = Where
        channels = (Channel("a"),)

        def open(self) -> None:
            where = self.options
            self.chip = self.i2c(where.bus, where.address, mux=where.mux, mux_channel=where.mux_channel)

        def read(self) -> dict[str, float]:
            return {"a": self.chip.read_register(1)[0]}

    direct, behind = FakeI2C({1: 10}), FakeI2C({1: 20})
    hardware = FakeHardware(i2c={(1, 0x40): direct, (1, 0x40, 0x70, 3): behind})
    with DriverHarness(Mine, hardware=hardware, address=0x40) as it:
        assert it.read() == {"a": 10}
        assert direct.is_open
    with DriverHarness(Mine, hardware=hardware, address=0x40, mux=0x70, mux_channel=3) as it:
        assert it.read() == {"a": 20}
    assert hardware.still_open() == []


class Tags(TagDriver[TagOptions]):
    """A reader that adds nothing."""

    def read(self) -> dict[str, str]:
        """One tag."""
        return {"tag": "04a2"}


def test_a_reader_of_tags_declares_its_events() -> None:
    """What the runtime adds is there for a configuration to rename, what a list adds only where there is one."""
    with DriverHarness(Tags, gone_after="1s") as it:
        assert (it.kind, it.read()) == (Kind.EVENT, {"tag": "04a2"})
        assert [channel.name for channel in it.channels] == ["event", "tag", "dwell_s", "at_start"]
    listed = DriverHarness(Tags, tag_list="tags.toml").channels
    assert [channel.name for channel in listed[4:]] == ["known", "label", "allowed"]
    assert Tags.holds_for(TagOptions())
