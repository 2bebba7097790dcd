"""What a driver reports: its channels, and the kinds of device; drivers import all of it from :mod:`gateway.driver`."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from enum import StrEnum

from gateway.units import check_pair, check_state_class

Scalar = float | int | bool | str | None
"""What one channel can hold. ``None`` says that the hardware itself reported a bad value."""

Settable = float | bool | str
"""What a writable channel can be set to."""

RESERVED_KEYS = frozenset({"time", "run", "seq", "clock", "device", "topic"})
EVENT_KEYS = frozenset({"event", "tag", "dwell_s"})
MOST_DECIMALS = 15
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

    ``writable``: the driver's ``write`` can set it. A number then has ``min`` and ``max``, a text ``choices``, or
    ``max_length``, the most bytes that it has in UTF-8, and perhaps ``pattern``, a regular expression that all of it
    matches: nothing else ever reaches the driver, and no control character.
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
    writable: bool = False
    max_length: int | None = None
    pattern: str | None = None

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
        if self.precision is not None and not 0 <= self.precision <= MOST_DECIMALS:
            raise ValueError(
                f"channel {self.name!r}: precision is the decimals, 0 to {MOST_DECIMALS}, not {self.precision!r}"
            )
        if self.choices and self.type is not str:
            raise ValueError(f"channel {self.name!r}: only text has choices")
        if self.device_class == "enum" and not self.choices:
            raise ValueError(f"channel {self.name!r}: the device class enum needs choices, all texts that it can hold")
        if self.entity_category not in (None, "diagnostic"):
            raise ValueError(f"channel {self.name!r}: entity_category is 'diagnostic' or not given")
        if self.icon is not None and not ICON.fullmatch(self.icon):
            raise ValueError(f"channel {self.name!r}: an icon is a name such as 'mdi:gauge', not {self.icon!r}")
        if self.writable and self.type is float and (self.min is None or self.max is None):
            raise ValueError(f"channel {self.name!r}: a writable number needs min and max")
        self._check_text()

    def _check_text(self) -> None:
        free = self.max_length is not None
        if self.writable and self.type is str and free == bool(self.choices):
            raise ValueError(
                f"channel {self.name!r}: a writable text needs choices, all texts that it can be set to, or max_length"
            )
        if free and not (self.writable and self.type is str):
            raise ValueError(f"channel {self.name!r}: max_length is for a text that is writable")
        if self.max_length is not None and self.max_length < 1:
            raise ValueError(f"channel {self.name!r}: max_length is at least 1, not {self.max_length}")
        if self.pattern is not None:
            if not free:
                raise ValueError(f"channel {self.name!r}: pattern goes with max_length")
            re.compile(self.pattern)  # re.error is a ValueError of its own words


TAG_CHANNELS = (
    Channel("event", type=str, choices=("arrived", "left"), help="arrived or left"),
    Channel("tag", type=str, help="the tag's number in lower-case hexadecimal digits, or its hash"),
    Channel("dwell_s", "s", "duration", help="left: from when it was first seen to when it was last seen"),
    Channel("at_start", type=bool, help="arrived: it lay there already when the gateway started"),
)
LIST_CHANNELS = (
    Channel("known", type=bool, help="whether it is in `tag_list`"),
    Channel("label", type=str, help="whose it is, where `tag_list` says so"),
    Channel("allowed", type=bool, help="whether `tag_list` lets it in; false for an unknown one"),
)
