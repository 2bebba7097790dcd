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
from gateway.testing import DriverHarness, FakeGPIO, FakeHardware, FakeI2C, FakeProcess, FakeSerial, FakeSPI


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


def test_everything_that_a_driver_can_ask_for() -> None:
    """It gets what it asked for, and all of it is closed with the driver."""

    class Mine(Driver[object]):
        """A driver."""

        channels = (Channel("a"),)
        shares_port = True

        def open(self) -> None:
            self.port = self.serial("/dev/x", 2400, parity="E", timeout=0.5)
            self.select = self.spi(0, 1, max_speed_hz=500_000, mode=3)
            self.pin = self.gpio(17, pull="up", active_low=True, debounce=0.01)
            self.out = self.gpio_output(27, True, active_low=True)
            self.program = self.process(["radio", "-v"], env={"A": "1"})

        def read(self) -> dict[str, float]:
            return {"a": float(self.sysfs().read("/sys/a"))}

    port, chip, pin, out, program = FakeSerial(), FakeSPI(), FakeGPIO(), FakeGPIO(), FakeProcess()
    hardware = FakeHardware(
        ports={"/dev/x": port},
        spi={(0, 1): chip},
        gpio={17: pin, 27: out},
        processes={"radio": program},
        sysfs={"/sys/a": "4"},
    )
    with DriverHarness(Mine, hardware=hardware) as it:
        assert it.read() == {"a": 4.0}
        assert (str(port.settings), port.shared, port.timeout) == ("2400 baud, 8E1", True, 0.5)
        assert str(chip.settings) == "SPISettings(max_speed_hz=500000, mode=3)"
        assert (pin.pull, it.driver.pin.value) == ("up", True)
        assert out.written == [(0.0, False)]
        assert (program.command, program.env) == (["radio", "-v"], {"A": "1"})
        assert len(hardware.still_open()) == 5
        with pytest.raises(TypeError, match="a command is a list of words"):
            it.driver.process("radio -v")
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
