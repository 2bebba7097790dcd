"""Thermometers on a 1-Wire bus, as the kernel's w1_therm shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gateway.simulation.files import Content
from gateway.simulation.tree import FileModel
from gateway.simulation.world import World

DEVICES = "/sys/bus/w1/devices"
BULK = f"{DEVICES}/w1_bus_master1/therm_bulk_read"
CONVERSION = 0.75
"""Seconds at 12 bits."""


class Thermometers(FileModel):
    """Set ``temperatures`` by id; one that is not there swings. ``unmeasured``: they say what they do at power-on."""

    def __init__(self, ids: list[str]) -> None:
        self._ids = ids
        self.temperatures: dict[str, float] = {}
        self.unmeasured = False
        super().__init__()

    _bulk_until: float | None = None
    """When the conversion of all has ended; ``None``: each converts when it is read."""

    def contents(self) -> Mapping[str, Content]:
        """See :class:`gateway.simulation.tree.FileModel`."""
        files: dict[str, Content] = {f"{DEVICES}/{one}/w1_slave": partial(self._slave, one) for one in self._ids}
        if len(self._ids) > 1:
            files |= {BULK: self._status}
            files |= {f"{DEVICES}/w1_bus_master1/{one}/w1_slave": "" for one in self._ids}
        return files

    def takes(self) -> Mapping[str, Callable[[str], object]]:
        """See :class:`gateway.simulation.tree.FileModel`."""
        return {BULK: self._convert_all}

    def _convert_all(self, _: str) -> None:
        self._bulk_until = self.now + CONVERSION
        if self.root is not None:
            self.root.files[BULK] = self._status

    def _status(self) -> str:
        if self._bulk_until is None:
            return "0"
        return "-1" if self.now < self._bulk_until else "1"

    def _slave(self, one: str) -> str:
        if self._bulk_until is None:
            self.time.waiter().wait(CONVERSION)
        if self.faults.dead:
            return ""
        celsius = self.temperatures.get(one, round(self.swing(18, 24) * 16) / 16)
        raw = round(celsius * 16)
        pad = raw.to_bytes(2, "little", signed=True) + bytes.fromhex("4b 46 7f ff") + bytes([16 - raw % 16, 0x10])
        if self.unmeasured:
            raw, pad = 85 * 16, bytes.fromhex("50 05 4b 46 7f ff 0c 10")
        pad = self.faults.spoil(pad + bytes([crc(pad)]))
        verdict = "YES" if crc(pad) == 0 else "NO"
        hexes = pad.hex(" ")
        return f"{hexes} : crc={pad[8]:02x} {verdict}\n{hexes} t={raw * 1000 // 16}\n"


def crc(data: bytes) -> int:
    """CRC-8 of Maxim; 0 of a whole scratchpad."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0x8C if value & 1 else value >> 1
    return value


def attach(world: World, options: Any) -> Thermometers:
    """The thermometers that the options name, or one."""
    ids = list(options.sensors.values()) or [options.id or "28-0123456789ab"]
    model = Thermometers(ids)
    world.connect_files(model)
    return model
