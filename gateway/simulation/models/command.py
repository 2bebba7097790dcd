"""A program that prints a line of JSON every few seconds: with the fields of the configuration, or as rtl_433 does."""

from __future__ import annotations

import json
import math
from typing import Any

from gateway.simulation.program import Program
from gateway.simulation.world import World

SWING = 300.0
"""Seconds in which the numbers go up and down once."""


class Printer(Program):
    """Set ``values`` to what the lines hold; what is not in it swings between 20 and 25."""

    interval = 5.0

    def __init__(self, options: Any) -> None:
        super().__init__()
        self._options = options
        self.values: dict[str, Any] = {}

    def line(self) -> bytes:
        """See :class:`gateway.simulation.program.Program`."""
        number = round(22.5 + 2.5 * math.sin(2 * math.pi * self.time.now / SWING), 2)
        line: dict[str, Any] = dict(self._options.match)
        if self._options.profile == "rtl_433":
            line = {"model": "Simulated", "id": 1, "temperature_C": number, "humidity": 45} | line
        for field in self._options.fields:
            made_up = {"number": number, "text": "simulated", "boolean": number > 22.5}[field.type]
            place = line
            *above, last = (field.source or field.name).split(".")
            for key in above:
                place = place.setdefault(key, {})
            place[last] = made_up
        return json.dumps(line | self.values).encode()


def attach(world: World, options: Any) -> Printer:
    """Under the whole command that the driver starts, since several devices may use one interpreter."""
    printer = Printer(options)
    world.add_program(" ".join(options.command) or options.profile, printer)
    return printer
