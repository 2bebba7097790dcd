"""Configurations for discovery: drivers of all kinds, in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.catalog import Catalog
from gateway.config.load import loads
from gateway.config.settings import Settings

METER = '''"""Measures."""

from gateway.driver import Channel, Driver


class Meter(Driver):
    manufacturer = "Acme"
    model = "M 1"
    channels = (
        Channel("temperature", "°C", "temperature", precision=1),
        Channel("dew_point", "°C", "temperature"),
        Channel("humidity", "%", "humidity"),
        Channel("pm2_5", "\u03bcg/m³", "pm25"),
        Channel("energy", "kWh", "energy"),
        Channel("cpu_percent", "%", icon="mdi:chip", entity_category="diagnostic", enabled_by_default=False),
        Channel("items"),
        Channel("door", device_class="door", type=bool),
        Channel("mode", type=str, choices=("eco", "boost")),
        Channel("note", type=str),
    )

    def read(self):
        return {}
'''
SCANNER = '''"""Scans."""

from gateway.driver import Channel, Driver, Kind


class Scanner(Driver):
    kind = Kind.EVENT
    channels = (
        Channel("event", type=str, choices=("arrived", "left")),
        Channel("tag", type=str),
        Channel("dwell_s", "s", "duration"),
        Channel("at_start", type=bool),
    )

    def read(self):
        return None
'''
BROKEN = "this is no Python\n"

Configure = Callable[..., Settings]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Settings of a configuration with the drivers ``meter``, ``scanner`` and ``broken``."""
    folder = tmp_path / "drivers"
    folder.mkdir()
    for name, text in (("meter", METER), ("scanner", SCANNER), ("broken", BROKEN)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    catalog = Catalog(folder)

    def make(devices: str, homeassistant: str = "discovery = true") -> Settings:
        text = f'[gateway]\nid = "attic"\n[homeassistant]\n{homeassistant}\n{devices}'
        return loads(text, catalog=catalog, folder=tmp_path)

    return make
