"""What a serial port on USB could be, by the numbers that its chip gives and by what it calls itself."""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway.scan.tree import Tree

LINES = ("serial_line",)
ADAPTER = ("serial_line", "modbus", "dsmr_p1", "rdm6300", "pn532", "pms5003")
CABLE = ("dsmr_p1", "modbus", "serial_line", "rdm6300", "pn532", "pms5003")

CHIPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "1a86:7523": ("CH340 adapter, often an Arduino copy", ADAPTER),
    "1a86:5523": ("CH341 adapter", ADAPTER),
    "1a86:55d3": ("CH343 adapter", ADAPTER),
    "1a86:55d4": ("CH9102 adapter, often an ESP32", LINES),
    "0403:6001": ("FTDI FT232R adapter or cable", CABLE),
    "0403:6010": ("FTDI FT2232 adapter", CABLE),
    "0403:6011": ("FTDI FT4232 adapter", CABLE),
    "0403:6014": ("FTDI FT232H adapter", CABLE),
    "0403:6015": ("FTDI FT-X adapter or cable", CABLE),
    "10c4:ea60": ("CP210x adapter, often an ESP32", ADAPTER),
    "10c4:ea70": ("CP2105 adapter", ADAPTER),
    "067b:2303": ("PL2303 adapter or cable", CABLE),
    "067b:23a3": ("PL2303 adapter or cable", CABLE),
    "0483:5740": ("STM32 board", LINES),
    "16c0:0483": ("Teensy", LINES),
    "2341": ("Arduino", LINES),
    "2a03": ("Arduino", LINES),
    "1b4f": ("SparkFun board", LINES),
    "239a": ("Adafruit board", LINES),
    "2e8a": ("Raspberry Pi Pico", LINES),
    "303a": ("ESP32 board", LINES),
    "0d28": ("micro:bit", LINES),
    "09d8": ("Elatec reader", LINES),
    "1546": ("u-blox GPS receiver", ("command",)),
    "1cf1": ("Zigbee stick (ConBee)", ()),
    "0451:16a8": ("Zigbee stick (CC2531)", ()),
    "0658:0200": ("Z-Wave stick", ()),
}
"""By vendor and product, or by the vendor alone: a name, and the drivers that may fit, the likeliest first."""

WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"zigbee|conbee|sonoff|z-?wave|thread", ()),
    (r"\bp1\b|smart ?meter|dsmr", ("dsmr_p1",)),
    (r"rs-?485", ("modbus",)),
    (r"gps|gnss|u-?blox", ("command",)),
    (r"arduino|pico\b|esp32|teensy|micro:?bit", LINES),
)
"""What the product's name says is surer than the numbers of the chip in it."""


class Adapter(NamedTuple):
    """What a port's USB device says of itself; empty where it says nothing."""

    id: str
    product: str
    serial: str
    interface: str

    @property
    def twin(self) -> tuple[str, ...]:
        """What udev makes a name in by-id of: two of the same cannot be told apart by it."""
        return self


def adapter(tree: Tree, port: str) -> Adapter | None:
    """The USB device of a port, such as ``ttyUSB0``; ``None`` when it is not on USB."""
    folder, interface = tree.target(f"/sys/class/tty/{port}/device"), ""
    while folder.count("/") > 2:
        interface = interface or tree.read(f"{folder}/bInterfaceNumber")
        vendor, product = tree.read(f"{folder}/idVendor"), tree.read(f"{folder}/idProduct")
        if vendor and product:
            words = [tree.read(f"{folder}/{name}") for name in ("manufacturer", "product")]
            name = " ".join(filter(None, words))
            return Adapter(f"{vendor}:{product}", name, tree.read(f"{folder}/serial"), interface)
        folder = folder.rpartition("/")[0]
    return None


def guess(found: Adapter) -> tuple[str, tuple[str, ...]]:
    """A name for people, and the drivers that may fit, the likeliest first."""
    name, drivers = CHIPS.get(found.id) or CHIPS.get(found.id.partition(":")[0]) or ("USB serial port", ADAPTER)
    for pattern, first in WORDS:
        if re.search(pattern, found.product, re.IGNORECASE):
            return name, tuple(dict.fromkeys((*first, *drivers))) if first else ()
    return name, drivers
