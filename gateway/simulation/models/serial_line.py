"""A device that sends a line of text every second, with a value for each field that the driver is told of."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from gateway.simulation.serial_model import StreamingSerial
from gateway.simulation.world import World

SWING = 60.0
"""Seconds in which the numbers go up and down once."""


class Sender(StreamingSerial):
    """Set ``values`` by field, or let numbers swing between 20 and 25."""

    def __init__(self, options: Any) -> None:
        super().__init__()
        self._options = options
        self.values: dict[str, Any] = {}
        """What to send, by the key or name of the field; a field that is not named swings."""

    def frame(self) -> bytes:
        """See :class:`gateway.simulation.serial_model.StreamingSerial`."""
        o = self._options
        values = {field.key: self._value(field) for field in o.fields}
        if o.format == "json":
            text = json.dumps(values)
        elif o.format == "keyvalue":
            text = " ".join(f"{key}={_text(value)}" for key, value in values.items())
        elif o.format == "csv":
            text = o.delimiter.join(_text(value) for value in values.values())
        else:
            text = fill(o.pattern, {key: _text(value) for key, value in values.items()})
        return bytes((text + o.terminator).encode(o.encoding))

    def _value(self, field: Any) -> Any:
        if field.key in self.values:
            return self.values[field.key]
        swing = math.sin(2 * math.pi * self.now / SWING)
        if field.type == "number":
            return round(22.5 + 2.5 * swing, 2)
        return swing > 0 if field.type == "boolean" else "simulated"


def fill(pattern: str, values: dict[str, str]) -> str:
    """A text that a simple pattern matches: its named groups replaced by values, white space and escapes by themselves.

    For a pattern that says more than that nothing can be made up: then the values follow each other, with spaces.
    """
    text = re.sub(r"\(\?P<(\w+)>(?:[^()\\]|\\.)*\)", lambda group: values.get(group[1], ""), pattern.strip("^$"))
    text = re.sub(r"\\s[*+?]?", " ", text)
    text = re.sub(r"\\([^A-Za-z0-9])", r"\1", text)
    return text if re.search(pattern, text) else " ".join(values.values())


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def attach(world: World, options: Any) -> Sender:
    """A line every second, in the format that the options ask for."""
    sender = Sender(options)
    world.connect(sender, options)
    return sender
