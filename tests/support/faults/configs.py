"""Configurations for gateways in trouble."""

from __future__ import annotations

from dataclasses import dataclass

BASE = "sensorpost/fault"
"""Where these gateways publish: ``<base_topic>/<gateway.id>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Simulated devices ``d0``, ``d1``, … Their channel ``n`` counts their readings, so ``n`` is ``seq - 1``."""

    devices: int = 10
    first: int = 0
    """The number of the first."""
    rate: float = 50.0
    """Readings a second of each."""
    interval: str = "100ms"
    durability: str = "full"
    kind: str = "sampled"
    more: str = ""
    """Lines added to each device."""

    def text(self) -> str:
        """The devices' part of a configuration."""
        return "".join(
            f"[devices.d{number}]\n"
            f'driver = "mock"\ninterval = "{self.interval}"\nkind = "{self.kind}"\ndurability = "{self.durability}"\n'
            f'signals = {{ n = {{ shape = "counter" }} }}\nfaults = [{{ kind = "flood", rate = {self.rate} }}]\n'
            f"{self.more}\n"
            for number in range(self.first, self.first + self.devices)
        )


def config(port: int, devices: Fleet | str, *, host: str = "127.0.0.1", mqtt: str = "", more: str = "") -> str:
    """A whole configuration. ``mqtt`` are lines for ``[mqtt]``, ``more`` whole sections."""
    return (
        f'[gateway]\nid = "fault"\nclock = "trusted"\n[mqtt]\nurl = "mqtt://{host}:{port}"\n{mqtt}\n'
        f"{more}\n{devices.text() if isinstance(devices, Fleet) else devices}"
    )
