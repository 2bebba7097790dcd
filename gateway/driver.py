"""Everything that a driver needs, and the only module of ours that a driver imports.

A driver is one file with one :class:`Driver` subclass. It says what it is (kind, channels, options, default interval
and timeouts) and does three things: ``open``, ``read`` and, seldom, ``close``. Time stamps, schedules, retries, topics,
logging of failures and the MQTT side belong to the runtime. ``docs/writing-a-driver.md`` shows one from start to end.

All three methods of one driver object are called from one thread and never at the same time: a driver needs no locks.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from gateway.hardware.protocols import (
    ChildProcess,
    Edge,
    GPIOInput,
    GPIOOutput,
    Hardware,
    I2CDevice,
    Pull,
    SerialPort,
    SPIDevice,
    Sysfs,
)
from gateway.options import (
    Duration,
    GPIOOptions,
    I2COptions,
    NoOptions,
    PortOptions,
    SerialOptions,
    Size,
    SPIOptions,
    option,
    options,
)
from gateway.seam import Seam
from gateway.units import check_pair, check_state_class

__all__ = [
    "BadReading",
    "Channel",
    "ChildProcess",
    "DeviceUnavailable",
    "Driver",
    "DriverError",
    "Duration",
    "Edge",
    "GPIOInput",
    "GPIOOptions",
    "GPIOOutput",
    "I2CDevice",
    "I2COptions",
    "Kind",
    "Misconfigured",
    "NoOptions",
    "PortOptions",
    "Pull",
    "Result",
    "SPIDevice",
    "SPIOptions",
    "Scalar",
    "SerialOptions",
    "SerialPort",
    "Size",
    "Sysfs",
    "Values",
    "option",
    "options",
]

Scalar = float | int | bool | str | None
"""What one channel can hold. ``None`` says that the hardware itself reported a bad value."""

Values = Mapping[str, Scalar]
"""One reading: channel name to value."""

Result = Values | Sequence[Values] | None
"""What ``read`` returns: one reading, several in order of time, or ``None`` when there is nothing."""

RESERVED_KEYS = frozenset({"time", "run", "seq", "clock", "device", "topic"})
EVENT_KEYS = frozenset({"event", "tag", "dwell_s"})
ICON = re.compile(r"mdi:[a-z0-9]+(-[a-z0-9]+)*")
"""How Home Assistant's icons are named."""


class Kind(StrEnum):
    """What one reading of a device means."""

    SAMPLED = "sampled"
    """A value at a time, such as a temperature."""
    STATE = "state"
    """A condition that lasts, such as a door: published on change and every ``heartbeat``."""
    EVENT = "event"
    """Something that happens once, such as a tag scan."""


class DriverError(Exception):
    """The base of the three errors; each names what the runtime does next. ``hint`` says what a person can do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class DeviceUnavailable(DriverError):
    """The device cannot be reached: close it, wait, open it again. Any ``OSError`` counts as this."""


class BadReading(DriverError):
    """The device answered, but not with something to publish: count it and poll again."""


class Misconfigured(DriverError):
    """Trying again cannot help before the configuration changes: stop this device."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity that a driver reports.

    ``unit`` and ``device_class`` must be a pair that Home Assistant accepts; a wrong pair raises ``ValueError`` while
    the driver is imported, naming the units that are allowed. ``min`` and ``max`` are the range in which the hardware's
    value can be right, in ``unit``: anything outside is published as null. ``precision`` is the number of decimals
    worth showing to a person; the published value is not rounded by it.

    ``state_class`` tells Home Assistant what statistics to keep of a number: ``measurement``, ``total``,
    ``total_increasing``, or ``none`` for no statistics; where it is not given, what the device class nearly always is.
    ``choices`` are all texts that a text channel can hold. ``entity_category="diagnostic"`` puts a channel aside that
    tells of the device rather than of the world, ``enabled_by_default=False`` hides one that few want.
    """

    name: str
    unit: str | None = None
    device_class: str | None = None
    _: dataclasses.KW_ONLY
    type: type[float] | type[bool] | type[str] = float
    state_class: str | None = None
    precision: int | None = None
    min: float | None = None
    max: float | None = None
    help: str = ""
    choices: tuple[str, ...] = ()
    entity_category: str | None = None
    icon: str | None = None
    enabled_by_default: bool = True

    def __post_init__(self) -> None:
        """Refuse what could never be published, while the author is still looking."""
        if not (self.name.isidentifier() and self.name == self.name.lower() and self.name.isascii()):
            raise ValueError(
                f"channel name {self.name!r}: use lower-case letters, digits and _, starting with a letter"
            )
        if self.name in RESERVED_KEYS:
            raise ValueError(f"channel name {self.name!r} is reserved for the gateway")
        if self.type not in (float, bool, str):
            raise ValueError(f"channel {self.name!r}: type is float (any number), bool or str, not {self.type!r}")
        check_pair(self.name, self.type, self.unit, self.device_class)
        check_state_class(self.name, self.type, self.device_class, self.state_class)
        if self.choices and self.type is not str:
            raise ValueError(f"channel {self.name!r}: only text has choices")
        if self.device_class == "enum" and not self.choices:
            raise ValueError(f"channel {self.name!r}: the device class enum needs choices, all texts that it can hold")
        if self.entity_category not in (None, "diagnostic"):
            raise ValueError(f"channel {self.name!r}: entity_category is 'diagnostic' or not given")
        if self.icon is not None and not ICON.fullmatch(self.icon):
            raise ValueError(f"channel {self.name!r}: an icon is a name such as 'mdi:gauge', not {self.icon!r}")


OptionsT = TypeVar("OptionsT")


class Runtime(Protocol):
    """What the runtime hands to a driver object. A driver uses it through the methods of :class:`Driver`."""

    device: str
    hardware: Hardware

    def elapsed(self) -> float:
        """Seconds since the device's first start in this run of the gateway."""

    def wait(self, seconds: float) -> None:
        """Wait on the runtime's clock, at most until the device is asked to stop."""


class Driver(Seam, Generic[OptionsT]):
    """One device. Subclass it, name the options class, list the channels, and write ``read``.

    ``__init__`` is inherited and touches no hardware, so that a driver can be built to check a configuration.
    """

    kind: ClassVar[Kind] = Kind.SAMPLED
    channels: ClassVar[tuple[Channel, ...]] = ()
    options_type: ClassVar[type[Any]] = NoOptions
    interval: ClassVar[str | None] = "10s"
    """The default time from one poll to the next. ``None``: the driver streams, ``read`` waits up to 1 s for news
    itself and is called again at once."""
    timeout: ClassVar[str] = "5s"
    """How long ``read`` may take before the device counts as hung."""
    open_timeout: ClassVar[str] = "10s"
    manufacturer: ClassVar[str] = ""
    """Who makes the device, for people; as little as is known."""
    model: ClassVar[str] = ""
    """What the maker calls it; the driver's name where there is none."""

    def __init__(self, options: OptionsT, runtime: Runtime) -> None:
        super().__init__(runtime)
        self.options = options
        self._runtime = runtime

    @classmethod
    def kind_for(cls, options: OptionsT) -> Kind:  # noqa: ARG003 (for those who override it)
        """The kind of device, for the few drivers where an option decides it."""
        return cls.kind

    @classmethod
    def channels_for(cls, options: OptionsT) -> tuple[Channel, ...]:  # noqa: ARG003 (for those who override it)
        """The channels, for the few drivers where the options decide them. Raise ``Misconfigured`` for a bad set."""
        return cls.channels

    def open(self) -> None:
        """Get hold of the hardware, always with a finite timeout. Called again after a failure, with nothing held."""

    def read(self) -> Result:
        """Take one reading within ``timeout``. No retries, no long sleeps, no time stamps, no logging of failures."""
        raise TypeError(f"{type(self).__name__} has no read method")

    def close(self) -> None:
        """Say good-bye to the device if it wants that. What ``self.serial(...)`` opened closes by itself."""

    def reset(self) -> None:
        """Bring back a device that does not answer: its reset pin, a reset command, the power of its port.

        Write it only where there is such a way. Called with nothing open, within ``open_timeout``, before every fifth
        attempt to open a device that brings nothing. What it opens is closed before ``open`` is called.
        """

    # What a driver may use, besides the hardware of :class:`gateway.seam.Seam` ----------------------------------------

    @property
    def device(self) -> str:
        """The device's name in the configuration."""
        return self._runtime.device

    def elapsed(self) -> float:
        """Seconds since this device's first start in this run, across reopening and replacement."""
        return self._runtime.elapsed()

    def wait(self, seconds: float) -> None:
        """A short wait, such as for a conversion. Ends early when the device is asked to stop."""
        self._runtime.wait(seconds)

    # Called by the runtime -------------------------------------------------------------------------------------------

    def release(self) -> None:
        """Close the device and everything it opened. Safe at any time, also twice and after a half-failed ``open``."""
        try:
            self.close()
        finally:
            self.close_hardware()
