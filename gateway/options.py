"""How a driver declares its options; drivers import all of it from :mod:`gateway.driver`."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, dataclass_transform

from gateway.config.duration import parse_duration
from gateway.iso14443 import holds_keys

Duration = Annotated[float, "duration"]
"""The type of an option that is a length of time: seconds for the driver, ``"500ms"`` or ``"1h30m"`` for the user."""

Size = Annotated[int, "size"]
"""The type of an option that is an amount of data: bytes for the driver, ``"64MB"`` for the user."""

OptionsT = TypeVar("OptionsT")
_DURATION = re.compile(r"\bDuration\b|, 'duration'\]")
"""An annotation that is or holds :data:`Duration`, as written or evaluated."""


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    min: float | None = None,
    max: float | None = None,
    pattern: str | None = None,
    key: str | None = None,
    default_factory: Callable[[], Any] | None = None,
) -> Any:
    """Declare one option of a driver; without a default the user must set it.

    ``help`` is one line for people (it becomes the comment in the sample configuration). ``min`` and ``max`` bound a
    number, ``pattern`` is a regular expression that a whole text must match. ``key`` is the option's name in the
    configuration where that cannot be a name in Python, such as ``in``.
    """
    facts = {"help": help, "min": min, "max": max, "pattern": pattern, "key": key}
    metadata = {key: value for key, value in facts.items() if value is not None}
    if default_factory is not None:
        return dataclasses.field(default_factory=default_factory, metadata=metadata)
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option, dataclasses.field))
def options(cls: type[OptionsT]) -> type[OptionsT]:
    """Make a class a driver's options: a frozen, keyword-only dataclass whose types are the validation.

    Types that are understood: ``int``, ``float``, ``bool``, ``str``, ``Duration``, ``Size``, ``Literal[...]``,
    ``X | None``, ``tuple[X, ...]``, ``dict[str, X]`` and further option classes. The default of a ``Duration`` may be
    written as the user would, ``"60s"``. A class made with ``@dataclass(frozen=True)`` serves as well.
    """
    _parse_durations(cls)
    return dataclass(frozen=True, kw_only=True, slots=True)(cls)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option, dataclasses.field))
def _mixin(cls: type[OptionsT]) -> type[OptionsT]:
    """The same without slots, for options that are inherited beside others: of two bases with slots Python has none."""
    _parse_durations(cls)
    return dataclass(frozen=True, kw_only=True)(cls)


def _parse_durations(cls: type[Any]) -> None:
    for name, annotation in inspect.get_annotations(cls).items():
        field = cls.__dict__.get(name)
        if (
            isinstance(field, dataclasses.Field)
            and isinstance(field.default, str)
            and _DURATION.search(str(annotation))
        ):
            field.default = parse_duration(field.default)


@options
class NoOptions:
    """The options of a driver that has none."""


@options
class PortOptions:
    """The option of a device whose line settings are always the same."""

    port: str = option(help="the serial port, best by its name in /dev/serial/by-id; or socket://HOST:PORT")


@options
class SerialOptions(PortOptions):
    """The options of a device whose line settings the user chooses. A driver declares anew what it knows better."""

    baudrate: int = option(default=9600, min=50, max=4_000_000, help="bits a second")
    bytesize: Literal[5, 6, 7, 8] = option(default=8, help="data bits")
    parity: Literal["N", "E", "O"] = option(default="N", help="none, even or odd")
    stopbits: Literal[1, 2] = option(default=1, help="stop bits")


@options
class SPIOptions:
    """The options of every SPI device."""

    bus: int = option(0, help="number of the SPI bus: 0 is on pins 19, 21 and 23 of a Raspberry Pi", min=0)
    device: int = option(0, help="chip select on that bus: on bus 0, 0 is pin 24 and 1 is pin 26", min=0)


@options
class GPIOOptions:
    """The option of every device on a pin."""

    pin: int = option(help="number of the GPIO (BCM): 17 is GPIO17, which is pin 11 of the header", min=0, max=53)


@options
class I2COptions:
    """The options of every I2C device. A driver declares ``address`` anew, with its chip's default and range."""

    bus: int = option(1, help="number of the I2C bus: 1 is on pins 3 and 5 of a Raspberry Pi", min=0)
    address: int = option(help="address of the device on the bus", min=0x08, max=0x77)
    mux: int | None = option(None, help="address of the TCA9548A that the device is behind", min=0x70, max=0x77)
    mux_channel: int | None = option(None, help="channel of that TCA9548A", min=0, max=7)

    def __post_init__(self) -> None:
        """Refuse one without the other."""
        if (self.mux is None) != (self.mux_channel is None):
            raise ValueError("mux and mux_channel belong together: set both or neither")


@options
class SecretSource:
    """``{ file = "..." }`` and the like: where a secret is; exactly one of them."""

    file: str | None = option(None, help="A file that holds nothing else.")
    env: str | None = option(None, help="The name of an environment variable.")
    credential: str | None = option(None, help="The name of a systemd credential (LoadCredential=).")


@_mixin
class TagOptions:
    """The options of every reader of tags; what they say is done by the gateway. See docs/rfid.md."""

    gone_after: Duration = option(
        "500ms", help="a tag that was not seen for so long, and in two reads running, has left", min=0.05, max=3600
    )
    tag_list: str | None = option(
        None, help="a TOML file of the tags that you know, from the configuration's folder unless absolute"
    )
    hash_salt: str | SecretSource | None = option(
        None, help='publish a keyed hash of each tag in its place; the key: `{ file = "..." }`, env or credential'
    )


@_mixin
class CardOptions(TagOptions):
    """The options of a reader of 13.56 MHz cards that can read what is stored on them."""

    blocks: tuple[int, ...] = option(
        (), help="blocks (of an NTAG: pages) whose content comes with the arrival, such as `[8, 9, 10]`"
    )
    blocks_as: Literal["hex", "text"] = option("hex", help="how their content is published")
    block_key: str = option("FFFFFFFFFFFF", help="the key of their sectors, 12 digits", pattern="[0-9A-Fa-f]{12}")
    block_key_type: Literal["A", "B"] = option("A", help="which of a sector's two keys that is")
    block_write: bool = option(
        default=False, help="let a command write `blocks` of a MIFARE Classic: `set` of the channel `data`"
    )

    def __post_init__(self) -> None:
        """Refuse what no card has, and what would spoil one."""
        if any(not 0 <= block <= 255 for block in self.blocks):
            raise ValueError("blocks: a card has them from 0 to 255 at most")
        if not self.block_write:
            return
        if not self.blocks:
            raise ValueError("block_write: name the blocks that may be written, such as blocks = [8, 9, 10]")
        for block in self.blocks:
            if block == 0:
                raise ValueError(
                    "block_write: block 0 holds the card's number and is never written; take it out of blocks"
                )
            if holds_keys(block):
                raise ValueError(
                    f"block_write: block {block} holds its sector's keys and is never written; take it out of blocks"
                )
            if self.blocks.count(block) > 1:
                raise ValueError(f"block_write: block {block} is in blocks more than once")
