"""Devices of a configuration are known again."""

from __future__ import annotations

from typing import Any

from gateway.config.load import loads
from gateway.scan.configured import taken

CONFIGURATION = """
[devices.office]
driver = "bme280"
address = 0x76
[devices.desk]
driver = "ws1850s"
mux = 0x70
mux_channel = 2
[devices.door]
driver = "mfrc522"
device = 1
[devices.outdoor]
driver = "serial_line"
port = "/dev/serial/by-id/arduino"
fields = [{ name = "t" }]
[devices.meter-a]
driver = "modbus"
port = "/dev/ttyUSB1"
profile = "sdm120"
[devices.meter-b]
driver = "modbus"
port = "/dev/ttyUSB1"
profile = "sdm120"
unit = 2
[devices.boiler]
driver = "ds18b20"
sensors = { flow = "28-3c01d6079f4e" }
[devices.only]
driver = "ds18b20"
[devices.cellar]
driver = "iio"
chip = "dht11"
[devices.this-pi]
driver = "system"
"""


def test_places(machine: Any) -> None:
    """On every kind of bus; ports by what their names lead to, and all devices that share one."""
    machine.file("/dev/ttyACM0")
    machine.link("/dev/serial/by-id/arduino", "/dev/ttyACM0")
    found = taken(loads(CONFIGURATION).devices, machine.tree)
    assert found == {
        ("i2c", 1, 0x76, None, None): "office",
        ("i2c", 1, 0x28, 0x70, 2): "desk",
        ("i2c", 1, 0x70, None, None): "desk",
        ("spi", 0, 1): "door",
        ("port", "/dev/ttyACM0"): "outdoor",
        ("port", "/dev/ttyUSB1"): "meter-a, meter-b",
        ("onewire", "28-3c01d6079f4e"): "boiler",
        ("onewire", ""): "only",
        ("iio", "dht11", ""): "cellar",
        ("machine",): "this-pi",
    }
