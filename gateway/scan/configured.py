"""Where the devices of a configuration are, so that a scan knows them again."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.config.collisions import places_of
from gateway.config.settings import DeviceSettings
from gateway.scan.finding import Place
from gateway.scan.tree import Tree


def taken(devices: Sequence[DeviceSettings], tree: Tree) -> dict[Place, str]:
    """Place to the name of the device; of several on one port, all."""
    found: dict[Place, str] = {}
    for device in devices:
        for place in _places(device, tree):
            others = found.get(place)
            found[place] = f"{others}, {device.device}" if others else device.device
    return found


def _places(device: DeviceSettings, tree: Tree) -> list[Place]:
    options = device.options
    found: list[Place] = []
    for place in places_of(options) if options is not None else ():
        port = getattr(options, "port", "") if place.key == "port" else ""
        found.append(("port", tree.target(port)) if port and "://" not in port else place.what)
    if getattr(options, "mux", None) is not None:
        found.append(("i2c", options.bus, options.mux, None, None))
    if device.driver == "ds18b20":
        found += [("onewire", one) for one in (*options.sensors.values(), *([] if options.sensors else [options.id]))]
    elif device.driver in ("iio", "hwmon"):
        found.append((device.driver, options.chip, options.path))
    elif device.driver == "system":
        found.append(("machine",))
    return found
