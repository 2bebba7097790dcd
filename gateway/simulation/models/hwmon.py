"""A chip that the kernel's hwmon shows as files."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial
from typing import Any

from gateway.simulation.files import Content
from gateway.simulation.tree import FileModel
from gateway.simulation.world import World

DEVICES = "/sys/class/hwmon"
USUAL: dict[str, tuple[float, float]] = {
    "temp1": (18_000, 24_000),
    "humidity1": (40_000, 55_000),
    "in1": (11_800, 12_600),
    "curr1": (100, 500),
    "power1": (1e6, 5e6),
}
"""Between what they swing, in the kernel's units. Every simulated chip has these."""


class Chip(FileModel):
    """Set ``values`` by input, in the kernel's units (m°C, m%, mV, mA, µW); what is not there swings."""

    def __init__(self, folder: str, options: Any) -> None:
        self._folder = folder
        self._options = options
        self.values: dict[str, float] = {}
        super().__init__()

    def contents(self) -> Mapping[str, Content]:
        """See :class:`gateway.simulation.tree.FileModel`."""
        o = self._options
        files: dict[str, Content] = {"name": o.chip}
        for number, source in enumerate(dict.fromkeys((*USUAL, *o.inputs.values())), 10):
            kind, colon, label = source.partition(":")
            place = f"{kind}{number}" if colon else source  # one with a label has any number
            files[f"{place}_input"] = partial(self._value, source)
            files |= {f"{place}_label": label} if colon else {}
        places = [self._folder] + ([f"{o.path}/hwmon/{self._folder.rpartition('/')[2]}"] if o.path else [])
        return {f"{place}/{name}": content for place in places for name, content in files.items()}

    def _value(self, source: str) -> str:
        if self.faults.dead:
            return ""
        kind = source.partition(":")[0].rstrip("0123456789")
        return f"{self.values.get(source, self.swing(*USUAL.get(f'{kind}1', (1000, 1100)))):.0f}"


def attach(world: World, options: Any) -> Chip:
    """The first number that is free, with every usual input and those of the options."""
    places = (f"{DEVICES}/hwmon{number}" for number in itertools.count())
    chip = Chip(next(place for place in places if not world.files.exists(place)), options)
    world.connect_files(chip)
    return chip
