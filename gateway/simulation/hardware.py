"""What a device is given in a simulation: everything as on a machine, but for what is below the libraries."""

from __future__ import annotations

from typing import Any

from gateway.hardware.real import RealHardware
from gateway.simulation.find import find_model
from gateway.simulation.world import World


class SimulatedHardware(RealHardware):
    """The hardware of one device. Its model is made for its first driver, and keeps its state while drivers change."""

    def __init__(self, device: str, world: World) -> None:
        super().__init__(device, world.machine)
        self.world = world
        self.model: Any = None
        """What ``attach`` returned; ``None`` where there is no model."""
        self._for: tuple[type[Any], Any] | None = None

    def prepare(self, driver: type[Any], options: Any) -> None:
        """See :class:`gateway.hardware.protocols.Preparable`. With other options there is another device."""
        if self._for == (driver, options):
            return
        if self.model is not None:
            self.world.disconnect(self.model)
        attach = find_model(driver)
        self.model = None if attach is None else attach(self.world, options)
        self._for = (driver, options)
