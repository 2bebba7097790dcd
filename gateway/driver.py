"""Everything that a driver needs, and the only module of ours that a driver imports.

A driver is one file with one :class:`Driver` subclass. It says what it is (kind, channels, options, default interval
and timeouts) and does three things: ``open``, ``read`` and, seldom, ``close``. Time stamps, schedules, retries, topics,
logging of failures and the MQTT side belong to the runtime. ``docs/writing-a-driver.md`` shows one from start to end.

All methods of one driver object are called from one thread and never at the same time: a driver needs no locks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from gateway.card_blocks import card_channels
from gateway.cards import Cards
from gateway.channel import LIST_CHANNELS, TAG_CHANNELS, Channel, Kind, Scalar, Settable
from gateway.errors import BadReading, DeviceUnavailable, DriverError, Misconfigured
from gateway.hardware.private_library import private_library
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
from gateway.iso14443 import Answer
from gateway.options import (
    CardOptions,
    Duration,
    GPIOOptions,
    I2COptions,
    NoOptions,
    PortOptions,
    SecretSource,
    SerialOptions,
    Size,
    SPIOptions,
    TagOptions,
    option,
    options,
)
from gateway.seam import Seam

__all__ = [
    "Answer",
    "BadReading",
    "CardOptions",
    "Cards",
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
    "SecretSource",
    "SerialOptions",
    "SerialPort",
    "Settable",
    "Size",
    "Sysfs",
    "TagDriver",
    "TagOptions",
    "Values",
    "card_channels",
    "option",
    "options",
    "private_library",
]

Values = Mapping[str, Scalar]
"""One reading: channel name to value."""

Result = Values | Sequence[Values] | None
"""What ``read`` returns: one reading, several in order of time, or ``None`` when there is nothing."""


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

    def write(self, channel: str, value: Settable) -> None:  # noqa: ARG002 (for those who override it)
        """Set a channel that is declared ``writable``, within ``timeout``. Called between two reads, with it open.

        ``value`` is of the channel's type, in the driver's unit, within its limits and one of its choices. Raise
        ``BadReading`` when the device does not take it; ``read`` is called next and says what it has made of it.
        """
        raise TypeError(f"{type(self).__name__} has no write method")

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


TagOptionsT = TypeVar("TagOptionsT", bound=TagOptions)


class TagDriver(Driver[TagOptionsT]):
    """A reader of tags. ``read`` says which tags are there at this moment, and the runtime makes the events.

    It returns ``{"tag": "04a23b5c6d7e80"}``, a list of such for several, or ``None`` for none; of what it adds, values
    of ``extra_channels_for``, the first time counts. A tag that is missing in one read and there in the next has not
    left, so a driver needs no memory of what it saw before.
    """

    kind = Kind.EVENT
    options_type: ClassVar[type[Any]] = TagOptions
    interval: ClassVar[str | None] = "200ms"

    @classmethod
    def channels_for(cls, options: TagOptionsT) -> tuple[Channel, ...]:
        """Those of every reader, and what this one adds."""
        listed = LIST_CHANNELS if options.tag_list is not None else ()
        return (*TAG_CHANNELS, *listed, *cls.extra_channels_for(options))

    @classmethod
    def extra_channels_for(cls, options: TagOptionsT) -> tuple[Channel, ...]:  # noqa: ARG003 (for those who override it)
        """What this reader says of a tag beside its number."""
        return ()

    @classmethod
    def holds_for(cls, options: TagOptionsT) -> bool:  # noqa: ARG003 (for those who override it)
        """Whether it reports a tag as long as it lies there. One that reports a tag once cannot say that it left."""
        return True
