"""A driver of tags with its reader, on made-up hardware and in virtual time: what comes out are events."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

from gateway.catalog import Catalog
from gateway.config.devices import device_settings
from gateway.config.report import Report
from gateway.driver import Settable
from gateway.reading.reader import Reader
from gateway.reading.writing import Write
from gateway.simulation import SimulatedHardware, World
from gateway.testing import FakeHardware, FakeTime
from support.clock import FakeClock
from support.readers import Line


class OwnClock(FakeClock):
    """Virtual time that passes when somebody waits: there is one thread only."""

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Let it pass."""
        self.advance(seconds or 0.0)
        return event.is_set()


class ClockTime(FakeTime):
    """The time of made-up hardware, taken from the clock of a reader."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._began_ns = clock.boot_ns()

    @property
    def now(self) -> float:  # type: ignore[override]  # it is the clock that sets it
        """Seconds."""
        return (self._clock.boot_ns() - self._began_ns) / 1e9

    def wait(self, seconds: float) -> bool:
        """Let time pass, and never less than the clock can show: some waiting would never end."""
        self._clock.advance(max(1e-9, seconds))
        return False

    def waiter(self) -> ClockTime:
        """See :class:`gateway.simulation.clockwork.Time`: there is one thread."""
        return self

    def cancel(self) -> None:
        """Nobody waits for real."""


class TagBench(Line):
    """One device of the configuration: ``TagBench("rdm6300", hardware, port="/dev/x")``.

    Without hardware it is on the model of its device, ``model``, as soon as it has run.
    """

    def __init__(
        self, driver: str, hardware: FakeHardware | None = None, *, clock: FakeClock | None = None, **table: Any
    ) -> None:
        self.clock = clock or OwnClock()
        super().__init__("door", self.clock)
        report = Report({"devices": {"door": table}})
        settings = device_settings(
            "door",
            {"driver": driver, **table},
            {"interval": None} | dict.fromkeys(COMMON),
            Catalog(),
            report,
            folder=Path(),
            environ={},
            strict=True,
        )
        assert settings is not None, report.mistakes
        self.settings = settings
        time = ClockTime(self.clock)
        self.hardware: Any = hardware or SimulatedHardware("door", World(time))
        if hardware is not None:
            hardware.use_time(time)
        self.reader = self.new_reader()
        self.due = self.reader.step()

    @property
    def model(self) -> Any:
        """The model of the device."""
        return self.hardware.model

    def new_reader(self) -> Reader:
        """The next generation."""
        return Reader(
            self.settings,
            queue=self.queue,
            board=self.board,
            hardware=self.hardware,
            clock=self.clock,
            trust=lambda: None,
            rng=random.Random(1),
            memory=self.memory,
        )

    def run_for(self, seconds: float) -> list[dict[str, Any]]:
        """All that happens in the next ``seconds``: the events."""
        end = self.clock.boot_ns() + round(seconds * 1e9)
        while self.due is not None and self.due <= end and self.clock.boot_ns() < end:
            self.clock.advance(max(0.0, (self.due - self.clock.boot_ns()) / 1e9))
            self.due = self.reader.step()
        self.clock.advance(max(0.0, (end - self.clock.boot_ns()) / 1e9))
        return self.values()

    def write(self, value: Settable) -> str | None:
        """Set the channel ``data`` now; the error, empty for none, ``None`` for no outcome."""
        write = Write("data", value)
        self.reader.writes.put(write)
        self.due = self.reader.step()
        return write.wait(0)

    def release(self) -> None:
        """Close the device."""
        self.reader._release()


COMMON = (
    "area",
    "tags",
    "align",
    "offset",
    "timeout",
    "open_timeout",
    "enabled",
    "retain",
    "isolation",
    "max_rate",
    "durability",
    "batch",
)
