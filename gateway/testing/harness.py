"""Runs one driver object as the runtime does, but without threads and in virtual time."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateway.catalog import Catalog
from gateway.config.report import Report, dotted
from gateway.config.structure import INVALID, build
from gateway.driver import Channel, Driver, Kind, Result, Settable
from gateway.hardware.protocols import Hardware, Preparable
from gateway.simulation.clockwork import VirtualTime
from gateway.simulation.find import find_model
from gateway.simulation.hardware import SimulatedHardware
from gateway.simulation.world import World
from gateway.testing.checks import check_result
from gateway.testing.fake_time import FakeTime
from gateway.testing.fakes import FakeHardware


class DriverHarness:
    """One driver, its options (as in the configuration: ``interval="5s"``, lists, dictionaries) and its hardware.

    As a context manager it opens the driver and releases it at the end::

        with DriverHarness(SerialLine, hardware=hardware, port="/dev/x", fields=[{"name": "temperature"}]) as it:
            assert it.read() == {"temperature": 21.5}

    Options that the configuration would refuse raise ``ValueError`` with the same words.
    """

    def __init__(self, driver: type[Driver[Any]], /, *, hardware: Hardware | None = None, **options: Any) -> None:
        self.device = "test"
        self.hardware: Hardware = FakeHardware() if hardware is None else hardware
        self.time: VirtualTime = FakeTime()
        if isinstance(self.hardware, FakeHardware):
            self.hardware.use_time(self.time)
        elif isinstance(self.hardware, SimulatedHardware) and isinstance(self.hardware.world.time, VirtualTime):
            self.time = self.hardware.world.time
        self.options = build_options(driver, options)
        if isinstance(self.hardware, Preparable):
            self.hardware.prepare(driver, self.options)
        self.kind: Kind = driver.kind_for(self.options)
        self.channels: tuple[Channel, ...] = driver.channels_for(self.options)
        self.driver: Driver[Any] = driver(self.options, self)

    # What the runtime gives to a driver -------------------------------------------------------------------------------

    def elapsed(self) -> float:
        """Seconds since the start, in virtual time."""
        return self.time.now

    def wait(self, seconds: float) -> None:
        """Let virtual time pass: for the driver, and for the test between two reads."""
        self.time.wait(seconds)

    # What the runtime does with a driver ------------------------------------------------------------------------------

    def open(self) -> None:
        """Open; what fails is released and raised, as in the runtime."""
        try:
            self.driver.open()
        except BaseException:
            self.driver.release()
            raise

    def read(self) -> Result:
        """One ``read``. ``AssertionError`` when the driver returns what it may not."""
        result = self.driver.read()
        check_result(result, self.channels, self.kind)
        return result

    def write(self, channel: str, value: Settable) -> None:
        """Set a channel. ``AssertionError`` for one that is not declared writable: the runtime would refuse it."""
        assert any(one.name == channel and one.writable for one in self.channels), f"{channel} is not writable"
        self.driver.write(channel, value)

    def reset(self) -> None:
        """What comes before every fifth attempt to open a device that brings nothing."""
        try:
            self.driver.reset()
        finally:
            self.driver.release()

    def close(self) -> None:
        """Close the driver and everything it opened."""
        self.driver.release()

    def reopen(self) -> None:
        """Close and open again, as after ``DeviceUnavailable``."""
        self.close()
        self.open()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Simulated(DriverHarness):
    """A driver on the model of its device, which is found by the driver's name, in virtual time.

    ::

        with Simulated(MhZ19, port="/dev/serial0") as it:
            it.model.co2 = 800
            assert it.read() == {"co2": 800}

    ``it.model.faults`` makes trouble. ``world``: for several devices in one; ``seed`` decides what is left to chance.
    """

    def __init__(
        self, driver: type[Driver[Any]], /, *, world: World | None = None, seed: int = 1, **options: Any
    ) -> None:
        self.world = world or World(VirtualTime(), seed)
        hardware = SimulatedHardware("test", self.world)
        super().__init__(driver, hardware=hardware, **options)
        if find_model(driver) is None:
            raise LookupError(f"there is no model of {driver.__name__}; docs/simulation.md shows how to write one")
        self.model: Any = hardware.model


def build_options(driver: type[Driver[Any]], values: dict[str, Any]) -> Any:
    """The driver's options from values as in the configuration. ``ValueError`` lists every mistake."""
    report = Report(values)
    options = build(driver.options_type, values, (), report)
    if report.mistakes or options is INVALID:
        lines = [
            f"{dotted(note.path)}: {note.message}" + (f"; {note.hint}" if note.hint else "") for note in report.mistakes
        ]
        raise ValueError("\n".join(lines))
    return options


def load_driver(file: str | Path) -> type[Driver[Any]]:
    """The driver in a file, found as the gateway finds it. ``AssertionError`` says why there is none."""
    path = Path(file).resolve()
    found = Catalog(path.parent).find(path.stem)
    if found is None or found.driver is None:
        raise AssertionError(found.error if found else f"there is no driver {path}; is its name lower case with _?")
    return found.driver
