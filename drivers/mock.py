"""A simulated device: signals of many shapes, every reading repeatable, and every kind of trouble on request.

Wiring: none. Without ``signals`` it makes some that suit its ``kind``.

Sample:

    [devices.fake]
    driver = "mock"
    interval = "200ms"
    signals = { temperature = { min = 15, max = 25, unit = "°C" }, door = { shape = "square", period = "5s" } }
    faults = [{ kind = "hang", in = "read", at = "5s", for = "10s" }]

Traps: sine, ramp and square follow the time since the device's first start, the others the number of the reading. A
``square`` without min and max is a boolean. An event device makes an event with each poll. ``hang``, ``slow`` and
``busy`` really block their thread, ``exit`` and ``segfault`` really end the process.
"""

from __future__ import annotations

import builtins
import csv
import ctypes
import functools
import itertools
import math
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from gateway.driver import (
    BadReading,
    Channel,
    DeviceUnavailable,
    Driver,
    Duration,
    Kind,
    Misconfigured,
    Result,
    Scalar,
    Settable,
    option,
    options,
)

OF_VALUES = ("nan", "huge", "none", "bad_type", "flood")
"""Faults of what is read; the others happen in open and close as well."""
SPOILT: dict[str, dict[type, Any]] = {"nan": {float: math.nan}, "huge": {float: 10**400, str: "x" * 10**6}}
"""What becomes of the values of a type."""


@options
class Signal:
    """One channel and how its value moves."""

    shape: Literal["constant", "sine", "ramp", "square", "walk", "counter", "choice", "csv"] = option(
        default="sine", help="how the value moves"
    )
    unit: str | None = option(default=None, help="its unit")
    device_class: str | None = option(default=None, help="its device class in Home Assistant")
    min: float = option(default=0.0, help="the lowest value")
    max: float | None = option(default=None, help="the highest value; default: 1 above min")
    period: Duration = option(default=60.0, min=0.001, help="sine, ramp, square: the time of one round")
    step: float = option(default=1.0, help="walk: the longest step; counter: what each reading adds")
    value: float | bool | str = option(default=0.0, help="constant: the value; counter: the first value")
    values: tuple[float | bool | str, ...] = option(default=(), help="choice, constant: what to choose from")
    writable: bool = option(default=False, help="constant: a command can set it; a text to one of `values`")
    file: str = option(default="", help="csv: a file with a header line; each reading takes the next row, in a circle")


@options
class Fault:
    """One kind of trouble and when it comes."""

    kind: Literal[
        "hang", "slow", "raise", "nan", "huge", "none", "bad_type", "flood", "unplug", "exit", "segfault", "busy"
    ] = option(help="what goes wrong")
    where: Literal["read", "open", "close"] = option(default="read", key="in", help="in which call")
    at: Duration = option(default=0.0, help="when it begins, since the device's first start in this run")
    lasts: Duration | None = option(default=None, key="for", help="how long it lasts; default: for ever")
    error: str = option(default="unavailable", help="raise: unavailable, bad_reading, misconfigured or a built-in one")
    delay: Duration | None = option(default=None, help="slow, busy: how long a call takes; default: 1s, busy: `for`")
    rate: float = option(default=1000.0, min=1, help="flood: readings a second")

    def left(self, where: str, now: float) -> float:
        """Seconds that it still lasts; 0 before and after its time, and in other calls."""
        here = where == self.where or (self.kind, where) == ("unplug", "open")  # what is unplugged cannot be opened
        end = math.inf if self.lasts is None else self.at + self.lasts
        return max(0.0, end - now) if here and self.at <= now else 0.0


@options
class Options:
    """What to simulate."""

    seed: int = option(default=1, help="the same seed gives the same values, another seed others")
    kind: Literal["sampled", "state", "event"] = option(default="sampled", help="the kind of device")
    signals: dict[str, Signal] = option(default_factory=dict, help="channel by channel; default: some that suit `kind`")
    faults: tuple[Fault, ...] = option(default=(), help="trouble to make")


DEFAULTS: dict[str, dict[str, Signal]] = {
    "sampled": {
        "temperature": Signal(unit="°C", device_class="temperature", min=15, max=25),
        "humidity": Signal(shape="walk", unit="%", device_class="humidity", min=30, max=60),
    },
    "state": {"open": Signal(shape="square", device_class="opening", period=10)},
    "event": {
        "event": Signal(shape="constant", value="arrived"),
        "tag": Signal(shape="choice", values=("04a23b5c6d7e80", "deadbeef", "0102030405060708090a")),
    },
}


class Mock(Driver[Options]):
    """Makes readings up, and trouble."""

    options_type = Options
    interval = "1s"

    @classmethod
    def kind_for(cls, options: Options) -> Kind:
        """As the option says."""
        return Kind(options.kind)

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """One for each signal."""
        for number, fault in enumerate(options.faults, 1):
            if fault.kind in OF_VALUES and fault.where != "read":
                raise Misconfigured(f"faults, number {number}: {fault.kind} happens in read only, not in {fault.where}")
            make_error(fault.error)
        return tuple(channel(name, signal) for name, signal in signals(options).items())

    def __init__(self, options: Options, runtime: Any) -> None:
        super().__init__(options, runtime)
        self._index = itertools.count()
        self._kept: dict[str, Any] = {}  # by channel: where a walk is, and what was written
        self._tables: dict[str, list[float | None]] = {}
        self._flooded_until: float | None = None
        self._bad = itertools.cycle(bad_results(next(iter(signals(options)))))

    def open(self) -> None:
        """Load the files, unless a fault is due."""
        self._trouble("open")
        self._tables = {name: load_csv(name, one) for name, one in signals(self.options).items() if one.shape == "csv"}

    def read(self) -> Result:
        """The next reading, or what the faults make of it."""
        self._trouble("read")
        due = {fault.kind: fault for fault, _ in self._due("read")}
        if "none" in due:
            return None
        if "flood" in due:
            return self._flood(due["flood"].rate)
        values = self._next()
        if "bad_type" in due:
            return next(self._bad)  # type: ignore[no-any-return]  # that it is no Result is the point
        for kind in due.keys() & SPOILT:
            values = {name: SPOILT[kind].get(type(value), value) for name, value in values.items()}
        return values

    def write(self, channel: str, value: Settable) -> None:
        """It has that value until the driver is made anew."""
        self._kept[channel] = value

    def close(self) -> None:
        """Nothing to close, but a fault may be due."""
        self._trouble("close")

    def _next(self) -> dict[str, Scalar]:
        now, index = self.elapsed(), next(self._index)
        return {name: self._value(name, signal, now, index) for name, signal in signals(self.options).items()}

    def _value(self, name: str, signal: Signal, now: float, index: int) -> Scalar:
        low, high = limits(signal)
        phase = now / signal.period % 1.0
        dice = functools.partial(random.Random, f"{self.options.seed}/{name}/{index}")  # repeatable is the point
        value: Scalar = self._kept.get(name, signal.value)
        match signal.shape:
            case "sine":
                value = low + (high - low) * (1 + math.sin(2 * math.pi * phase)) / 2
            case "ramp":
                value = low + (high - low) * phase
            case "square":
                value = phase < 0.5 if is_switch(signal) else low if phase < 0.5 else high
            case "counter":
                value = float(signal.value) + signal.step * index
            case "choice":
                value = dice().choice(signal.values)
            case "walk":
                before = self._kept.get(name, (low + high) / 2)
                value = self._kept[name] = min(high, max(low, before + dice().uniform(-signal.step, signal.step)))
            case "csv":
                value = self._tables[name][index % len(self._tables[name])]
        return value

    def _flood(self, rate: float) -> list[dict[str, Scalar]]:
        """As many readings as are due since the last call, at least 1 and at most 100,000."""
        before, self._flooded_until = self._flooded_until, self.elapsed()
        since = 0.1 if before is None else self._flooded_until - before
        return [self._next() for _ in range(min(100_000, max(1, round(rate * since))))]

    def _due(self, where: str) -> list[tuple[Fault, float]]:
        return [(f, left) for f in self.options.faults if (left := f.left(where, self.elapsed())) > 0]

    def _trouble(self, where: str) -> None:
        for fault, left in self._due(where):
            match fault.kind:
                case "hang":  # a lock waits outside Python, where nothing can wake the thread
                    threading.Semaphore(0).acquire(timeout=None if left == math.inf else left)
                case "slow":
                    time.sleep(1.0 if fault.delay is None else fault.delay)
                case "busy":  # keeps the interpreter to itself as far as Python code can
                    end = time.monotonic() + (left if fault.delay is None else fault.delay)
                    while time.monotonic() < end:
                        sum(range(1000))
                case "raise":
                    raise make_error(fault.error)
                case "unplug":
                    raise DeviceUnavailable("unplugged (simulated)", hint="this fault is in the device's configuration")
                case "exit":
                    os._exit(1)
                case "segfault":
                    ctypes.string_at(0)


def signals(options: Options) -> dict[str, Signal]:
    """The signals of the configuration, or those that suit the kind."""
    return options.signals or DEFAULTS[options.kind]


def limits(signal: Signal) -> tuple[float, float]:
    """The lowest and the highest value."""
    return signal.min, signal.min + 1.0 if signal.max is None else signal.max


def is_switch(signal: Signal) -> bool:
    """Whether it is a square that is on and off, not two numbers."""
    return signal.shape == "square" and signal.max is None and not signal.min


def channel(name: str, one: Signal) -> Channel:
    """The channel that a signal feeds. ``Misconfigured`` when the signal makes no sense."""
    values = {"choice": one.values, "constant": (one.value, *one.values)}.get(one.shape, (is_switch(one) or 0.0,))
    types: set[Any] = {type(value) if isinstance(value, bool | str) else float for value in values}
    low, high = limits(one)
    problems = {
        "shape choice needs values = [...]": not values,
        "values are all numbers, all texts or all true and false": len(types) > 1,
        'shape csv needs file = "..."': one.shape == "csv" and not one.file,
        "a counter begins at a number": one.shape == "counter" and isinstance(one.value, str | bool),
        "only a constant is writable": one.writable and one.shape != "constant",
        f"min is {low:g}, above max, {high:g}": low > high,
    }
    if problem := next((text for text, is_so in problems.items() if is_so), None):
        raise Misconfigured(f"signals.{name}: {problem}")
    try:
        texts = tuple(str(value) for value in dict.fromkeys(values)) if types == {str} else ()
        more: dict[str, Any] = {"min": low, "max": high} if one.writable and float in types else {}
        return Channel(name, one.unit, one.device_class, type=types.pop(), choices=texts, writable=one.writable, **more)
    except ValueError as error:
        raise Misconfigured(f"signals.{name}: {error}") from error


def load_csv(name: str, signal: Signal) -> list[float | None]:
    """The column with the signal's name, or the only one; an empty cell is null."""
    try:
        with Path(signal.file).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            column = columns[0] if len(columns) == 1 else name
            if column not in columns:
                raise Misconfigured(f"signals.{name}.file: {signal.file} has no column {name!r}, but {columns}")
            return [float(row[column]) if row[column] else None for row in reader] or [None]
    except (OSError, ValueError, csv.Error) as error:
        raise Misconfigured(f"signals.{name}.file: {signal.file}: {error}") from error


def make_error(name: str) -> BaseException:
    """The exception of that name; ``Misconfigured`` when there is none that can be made from a text."""
    ours = {"unavailable": DeviceUnavailable, "bad_reading": BadReading, "misconfigured": Misconfigured}
    kind = ours.get(name) or getattr(builtins, name, None)
    with suppress(TypeError):  # such as that of UnicodeDecodeError, which wants five things
        if isinstance(kind, type) and issubclass(kind, BaseException):
            return kind("made by the mock driver")
    raise Misconfigured(f"faults: error {name!r} is no built-in exception and none of {', '.join(ours)}")


def bad_results(name: str) -> Iterator[Any]:
    """What no driver may return."""
    loop: list[Any] = []
    loop.append(loop)
    deep = functools.reduce(lambda inner, _: [inner], range(1000), loop)
    yield from ({name: value} for value in (b"\xff", {1, 2}, object(), 1j, "\ud800", "x" * 10_000_000, loop, deep))
    yield from ({1: 2.0}, {"no_such_channel": 1.0}, "text", 42, [{}, None], (1 / 0 for _ in "x"))
