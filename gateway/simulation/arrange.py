"""A whole configuration on simulated hardware: for ``run --simulate`` and ``read --simulate``."""

from __future__ import annotations

import dataclasses

from gateway.config.settings import DeviceSettings, Settings
from gateway.simulation.find import NotInstalled, find_model
from gateway.simulation.hardware import SimulatedHardware
from gateway.simulation.stand_in import stand_in
from gateway.simulation.world import World

SUFFIX = "-sim"
LONGEST_ID = 64


class Simulation:
    """One run of it. ``as_real``: under the gateway's own name, with its own state and with discovery."""

    def __init__(self, *, as_real: bool = False) -> None:
        self._as_real = as_real
        self._world = World()
        self._broken: dict[str, str] = {}
        """Drivers whose model cannot be loaded, and why."""

    def hardware(self, device: str) -> SimulatedHardware:
        """What a device is given."""
        return SimulatedHardware(device, self._world)

    def settings(self, settings: Settings) -> Settings:
        """The same configuration for a simulation."""
        devices = tuple(self._device(device) for device in settings.devices)
        settings = dataclasses.replace(settings, devices=devices)
        if self._as_real:
            return settings
        identity = settings.gateway_id[: LONGEST_ID - len(SUFFIX)] + SUFFIX
        mqtt = settings.mqtt
        return dataclasses.replace(
            settings,
            gateway_id=identity,
            mqtt=dataclasses.replace(mqtt, client_id=mqtt.client_id + SUFFIX),
            spool=dataclasses.replace(settings.spool, path="spool.db"),  # in the temporary folder, also where absolute
            homeassistant=dataclasses.replace(settings.homeassistant, discovery=False),
        )

    def about(self, settings: Settings, state_dir: object) -> list[str]:
        """What to say at the start; ``settings`` are those of :meth:`settings`."""
        where = (
            "with its own id, state and discovery"
            if self._as_real
            else f"as {settings.gateway_id}, state in {state_dir} until the end, no discovery; --as-real changes that"
        )
        return [f"simulated hardware, {where}", *self.without(settings)]

    def without(self, settings: Settings) -> list[str]:
        """One line about the drivers without a model, if there are such."""
        names = sorted({device.driver for device in settings.devices if is_stand_in(device)})
        if not names:
            return []
        them = "it" if len(names) == 1 else "them"
        why = {name: f" ({reason})" for name, reason in self._broken.items()}
        shown = ", ".join(name + why.get(name, "") for name in names)
        made_up = f"no model of {shown}: made-up values stand in for {them}"
        return [f"{made_up}; a model is one file, docs/simulation.md shows how"]

    def _device(self, device: DeviceSettings) -> DeviceSettings:
        if device.driver_type is None:
            return device
        try:
            found = find_model(device.driver_type)
        except NotInstalled as error:
            self._broken[device.driver] = str(error)
            found = None
        except Exception as error:  # noqa: BLE001 (a user's file can do anything; the line at the start says it)
            self._broken[device.driver] = f"broken: {type(error).__name__}: {error}"
            found = None
        return device if found is not None else stand_in(device)


def is_stand_in(device: DeviceSettings) -> bool:
    """Whether its values are made up without a model."""
    return device.driver_type is not None and device.driver_type.__module__ == stand_in.__module__
