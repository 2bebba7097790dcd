"""What of this machine the configured devices need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gateway.config.settings import DeviceSettings

Kind = Literal["spi", "i2c", "serial", "gpio", "onewire"]


@dataclass(frozen=True, slots=True)
class Need:
    """One device's way to its hardware."""

    device: str
    kind: Kind
    node: str
    """The device file; empty for 1-Wire and GPIO, where it is not the configuration that says which."""
    options: Any


def needs_of(devices: Sequence[DeviceSettings]) -> Iterator[Need]:
    """Those of all devices that are enabled. Options have the same names in every driver."""
    for device in devices:
        options = device.options
        if not device.enabled or options is None:
            continue
        port, bus = getattr(options, "port", None), getattr(options, "bus", None)
        if isinstance(port, str) and port.startswith("/"):
            yield Need(device.device, "serial", port, options)
        if isinstance(bus, int) and hasattr(options, "address"):
            yield Need(device.device, "i2c", f"/dev/i2c-{bus}", options)
        elif isinstance(bus, int) and isinstance(getattr(options, "device", None), int):
            yield Need(device.device, "spi", f"/dev/spidev{bus}.{options.device}", options)
        if isinstance(getattr(options, "pin", None), int):
            yield Need(device.device, "gpio", "", options)
        if device.driver == "ds18b20":
            yield Need(device.device, "onewire", "", options)


def named(needs: Sequence[Need]) -> str:
    """The devices, for people: ``[devices.a] and [devices.b] need``."""
    names = [f"[devices.{name}]" for name in dict.fromkeys(need.device for need in needs)]
    shown = names if len(names) < 4 else [*names[:2], f"{len(names) - 2} more"]
    return f"{' and '.join([', '.join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]} " + (
        "needs" if len(names) == 1 else "need"
    )
