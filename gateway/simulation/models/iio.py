"""A chip that the kernel's IIO shows as files."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial
from typing import Any

from gateway.simulation.files import Content
from gateway.simulation.tree import FileModel
from gateway.simulation.world import World

DEVICES = "/sys/bus/iio/devices"
USUAL: dict[str, tuple[float, float]] = {
    "temp": (18_000, 24_000),
    "temp_object": (20_000, 30_000),
    "humidityrelative": (40_000, 55_000),
    "pressure": (100.5, 102.0),
    "illuminance": (50, 400),
    "concentration_co2": (0.042, 0.09),
    "voltage": (1000, 3000),
    "current": (100, 500),
    "power": (500, 2000),
    "distance": (0.5, 1.2),
}
"""Between what they swing, by quantity and in the kernel's units. Of these every simulated chip has one."""


class Chip(FileModel):
    """Set ``values`` by input, in the kernel's units (m°C, m%, kPa, mV); what is not there swings."""

    def __init__(self, folder: str, options: Any) -> None:
        self._folder = folder
        self._options = options
        self.values: dict[str, float] = {}
        super().__init__()

    def contents(self) -> Mapping[str, Content]:
        """See :class:`gateway.simulation.tree.FileModel`."""
        o = self._options
        files: dict[str, Content] = {"name": o.chip} | ({"label": o.label} if o.label else {})
        files |= {f"in_{one}_input": partial(self._value, one) for one in dict.fromkeys((*USUAL, *o.inputs.values()))}
        places = [self._folder] + ([f"{o.path}/{self._folder.rpartition('/')[2]}"] if o.path else [])
        return {f"{place}/{name}": content for place in places for name, content in files.items()}

    def _value(self, source: str) -> str:
        if self.faults.dead:
            return ""
        quantity = next((name for name in sorted(USUAL, key=len, reverse=True) if source.startswith(name)), "")
        low, high = USUAL.get(quantity, (0, 100))
        value = self.values.get(source, self.swing(low, high))
        return f"{value:.0f}" if high >= 1000 else f"{value:.6g}"  # in thousandths, it has whole ones


def attach(world: World, options: Any) -> Chip:
    """The first number that is free, with every usual input and those of the options."""
    places = (f"{DEVICES}/iio:device{number}" for number in itertools.count())
    chip = Chip(next(place for place in places if not world.files.exists(place)), options)
    world.connect_files(chip)
    return chip
