"""What is different between two configurations, and what of it can take effect while the gateway runs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from gateway.config.settings import DeviceSettings, Settings

MOST = 5
"""Devices that the text names of each kind: it is one line of the journal."""


@dataclass(frozen=True, slots=True)
class Changes:
    """From an old configuration to a new one."""

    settings: Settings
    """The new one, with the old values of what cannot change now."""
    added: tuple[DeviceSettings, ...]
    changed: tuple[DeviceSettings, ...]
    removed: tuple[str, ...]
    restart: tuple[str, ...]
    """Keys whose new value takes effect at the next start only."""

    @property
    def text(self) -> str:
        """One line for a person."""
        kinds = (
            ("added", [device.device for device in self.added]),
            ("changed", [device.device for device in self.changed]),
            ("removed", list(self.removed)),
        )
        told = [f"{len(names)} {what} ({_named(names)})" for what, names in kinds if names]
        devices = ", ".join(told) or "no device changed"
        later = f"; a restart is needed for {' and '.join(self.restart)}" if self.restart else ""
        return devices + later


def _named(names: list[str]) -> str:
    """Names of devices; of many the first ones."""
    return ", ".join(names[:MOST] + ["…"] * (len(names) > MOST))


def changes(old: Settings, new: Settings) -> Changes:
    """Compare device by device: only what is different is begun anew."""
    before = {device.device: device for device in old.devices}
    after = {device.device: device for device in new.devices}
    restart = []
    mqtt, spool = new.mqtt, new.spool
    if new.gateway_id != old.gateway_id:
        restart.append("gateway.id")
        mqtt = dataclasses.replace(mqtt, client_id=old.mqtt.client_id)  # it is made of the id
    if mqtt.base_topic != old.mqtt.base_topic:
        restart.append("mqtt.base_topic")
        mqtt = dataclasses.replace(mqtt, base_topic=old.mqtt.base_topic)
    if spool.path != old.spool.path:
        restart.append("spool.path")
        spool = dataclasses.replace(spool, path=old.spool.path)
    if new.clock != old.clock:
        restart.append("gateway.clock")
    if new.log.format != old.log.format:
        restart.append("log.format")
    if _written(new) and not _written(old):
        restart.append("durability, since no device was written to disk until now")
    log = dataclasses.replace(new.log, format=old.log.format)
    return Changes(
        settings=dataclasses.replace(new, gateway_id=old.gateway_id, clock=old.clock, mqtt=mqtt, spool=spool, log=log),
        added=tuple(device for name, device in after.items() if name not in before),
        changed=tuple(device for name, device in after.items() if name in before and device != before[name]),
        removed=tuple(name for name in before if name not in after),
        restart=tuple(restart),
    )


def _written(settings: Settings) -> bool:
    """Whether any device's readings go to disk."""
    return any(device.durability != "memory" for device in settings.devices)
