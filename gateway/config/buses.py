"""Devices on one bus: the bus is locked within a process, so all of them have to be in the gateway's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from gateway.config.report import Report
from gateway.config.settings import DeviceSettings


def bus_of(options: Any) -> str | None:
    """The bus that a driver's options name, in the words that all drivers use for it; ``None`` for no bus."""
    port, bus = getattr(options, "port", None), getattr(options, "bus", None)
    if isinstance(port, str) and port:
        return f"port {port}"
    if bus is None:
        return None
    kind = "I2C " if hasattr(options, "address") else "SPI " if hasattr(options, "device") else ""
    return f"{kind}bus {bus}"


def settle_isolation(devices: Sequence[DeviceSettings], report: Report) -> tuple[DeviceSettings, ...]:
    """Refuse ``process`` for devices that share a bus; ``auto`` means ``thread`` for them."""
    sharing: dict[str, list[str]] = {}
    for device in devices:
        bus = bus_of(device.options)
        if bus is not None and device.enabled:
            sharing.setdefault(bus, []).append(device.device)
    return tuple(_settled(device, sharing, report) for device in devices)


def _settled(device: DeviceSettings, sharing: dict[str, list[str]], report: Report) -> DeviceSettings:
    bus = bus_of(device.options)
    others = [name for name in sharing.get(bus or "", []) if name != device.device]
    if not others or not device.enabled:
        return device
    if device.isolation == "process":
        message = f'cannot be "process": {bus} is shared with {" and ".join(others)}, and locked within one process'
        report.add(("devices", device.device, "isolation"), message, 'write isolation = "thread"')
    return dataclasses.replace(device, isolation="thread")
