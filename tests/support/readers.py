"""For tests of readers and their supervisor: tiny drivers, and a bench that steps a reader through virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from gateway.config.settings import ChannelSettings, DeviceSettings
from gateway.delivery.queue import DeviceQueue, Inbox
from gateway.driver import Channel, Driver, Kind, NoOptions
from gateway.reading.memory import DeviceMemory
from gateway.reading.reader import Reader
from gateway.reading.reading import Reading, Sample
from gateway.status.board import DeviceBoard, DeviceStatus
from gateway.status.ledger import LedgerSnapshot
from support.clock import FakeClock

TEMPERATURE = Channel("temperature", "°C", "temperature")
DOOR = Channel("door", type=bool)
LABEL = Channel("label", type=str)


def _none(*args: Any, **settings: Any) -> Any:
    raise AssertionError("no hardware in this test")


class NoHardware:
    """For drivers that use none."""

    serial = i2c = spi = gpio = gpio_output = process = sysfs = staticmethod(_none)


def driver(
    read: Callable[[Any], Any],
    *,
    open: Callable[[Any], None] | None = None,
    close: Callable[[Any], None] | None = None,
    channels: Iterable[Channel] = (TEMPERATURE,),
    kind: Kind = Kind.SAMPLED,
) -> type[Driver[Any]]:
    """A driver class made of functions that take the driver object."""
    members: dict[str, Any] = {"read": _method(read), "channels": tuple(channels), "kind": kind}
    if open is not None:
        members["open"] = _method(open)
    if close is not None:
        members["close"] = _method(close)
    return type("Tiny", (Driver,), members)


def _method(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Any callable, made one that a class binds."""

    def method(self: Any) -> Any:
        return function(self)

    return method


def returning(*results: Any) -> Callable[[Any], Any]:
    """A ``read`` that returns one after the other, then the last for ever; an exception among them is raised."""
    left = list(results)

    def read(_: Any) -> Any:
        result = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(result, BaseException):
            raise result
        return result

    return read


def channel(of: Channel, **settings: Any) -> ChannelSettings:
    """A channel's settings, as the loader makes them."""
    given = {"key": of.name, "name": of.name, "unit": of.unit, "min": of.min, "max": of.max, **settings}
    return ChannelSettings(channel=of, **given)


def device(name: str, driver_type: type[Driver[Any]], **settings: Any) -> DeviceSettings:
    """A device's settings, as the loader makes them."""
    given: dict[str, Any] = {
        "name": name,
        "driver": "tiny",
        "driver_type": driver_type,
        "options": NoOptions(),
        "kind": driver_type.kind,
        "channels": tuple(channel(one) for one in driver_type.channels),
        **settings,
    }
    return DeviceSettings(device=name, **given)


class Line:
    """What belongs to one device for the whole run: queue, board, memory."""

    def __init__(self, name: str, clock: Any, inbox: Inbox | None = None) -> None:
        self.queue = DeviceQueue(name, "testrun1", 100_000, inbox or Inbox())
        self.changes = 0
        self.board = DeviceBoard(name, self.queue.ledger, clock, self._changed)
        self.memory = DeviceMemory(name, clock)

    def _changed(self, _: str) -> None:
        self.changes += 1

    @property
    def status(self) -> DeviceStatus:
        """What the board says."""
        return self.board.snapshot()

    @property
    def ledger(self) -> LedgerSnapshot:
        """What was counted."""
        return self.queue.ledger.snapshot()

    def readings(self) -> list[Reading]:
        """All that have come since the last time."""
        found: list[Reading] = []
        while helping := self.queue.take():
            found += helping
        return found

    def samples(self) -> list[Sample]:
        """The samples of ``readings``."""
        return [reading.sample for reading in self.readings()]

    def values(self) -> list[dict[str, Any]]:
        """What was published, reading by reading."""
        return [dict(sample.values) for sample in self.samples()]


class Bench(Line):
    """One device and its reader, stepped through virtual time without a thread."""

    def __init__(
        self,
        driver_type: type[Driver[Any]],
        *,
        clock: FakeClock | None = None,
        trust: Callable[[], str | None] = lambda: None,
        **settings: Any,
    ) -> None:
        self.clock = clock or FakeClock()
        super().__init__("office", self.clock)
        self.settings = device("office", driver_type, **settings)
        self._trust = trust
        self.reader = self.new_reader()
        self.due = self.reader.step()  # nothing is done yet: the first start is put off by up to 0.2 s

    def new_reader(self) -> Reader:
        """The next generation."""
        return Reader(
            self.settings,
            queue=self.queue,
            board=self.board,
            hardware=NoHardware(),
            clock=self.clock,
            trust=self._trust,
            rng=random.Random(1),
            memory=self.memory,
        )

    def step(self) -> None:
        """Sleep until the reader has something to do, and let it do it."""
        assert self.due is not None, "the reader is done"
        self.clock.advance(max(0.0, (self.due - self.clock.boot_ns()) / 1e9))
        self.due = self.reader.step()

    def steps(self, number: int) -> None:
        """``step`` so many times, or until the reader is done."""
        for _ in range(number):
            if self.due is not None:
                self.step()

    def run_for(self, seconds: float) -> None:
        """All that happens in the next ``seconds``."""
        end = self.clock.boot_ns() + round(seconds * 1e9)
        while self.due is not None and self.due <= end:
            self.step()
        self.clock.advance((end - self.clock.boot_ns()) / 1e9)
