"""Devices that are configured at one and the same place: an I2C address, a chip select, a pin, a port."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gateway.config.report import Report
from gateway.config.settings import DeviceSettings

LINE = ("baudrate", "bytesize", "parity", "stopbits")


class Place(NamedTuple):
    """Where a device is, told by its options: they have the same names everywhere."""

    key: str
    """The option that says it."""
    words: str
    what: tuple[object, ...]
    """What two devices cannot both have."""


def places_of(options: Any) -> Iterator[Place]:
    """All places that a driver's options name."""
    port = getattr(options, "port", None)
    if isinstance(port, str) and port:
        yield Place("port", f"port {port}", ("port", port if "://" in port else os.path.realpath(port)))
    bus, address, select = (getattr(options, name, None) for name in ("bus", "address", "device"))
    if isinstance(bus, int) and isinstance(address, int):
        mux, channel = getattr(options, "mux", None), getattr(options, "mux_channel", None)
        behind = f" behind channel {channel} of {mux:#04x}" if mux is not None else ""
        yield Place("address", f"address {address:#04x} on I2C bus {bus}{behind}", ("i2c", bus, address, mux, channel))
    elif isinstance(bus, int) and isinstance(select, int):
        yield Place("device", f"chip select {select} of SPI bus {bus}", ("spi", bus, select))
    for name in getattr(options, "__dataclass_fields__", {}):
        pin = getattr(options, name)
        if (name == "pin" or name.endswith("_pin")) and isinstance(pin, int):
            yield Place(name, f"GPIO {pin}", ("pin", pin))


def refuse_collisions(devices: Sequence[DeviceSettings], report: Report) -> None:
    """Report each device that is where an earlier one is. Ports may be shared, where both drivers do that."""
    there: dict[tuple[object, ...], DeviceSettings] = {}
    for device in devices:
        if not device.enabled or device.options is None:
            continue
        for place in places_of(device.options):
            first = there.setdefault(place.what, device)
            if first is not device:
                _refuse(device, first, place, report)


def _refuse(device: DeviceSettings, first: DeviceSettings, place: Place, report: Report) -> None:
    path = ("devices", device.device, place.key)
    if place.key != "port":
        report.add(path, f"{place.words} is that of {first.device} already", "each device has a place of its own")
    elif not (_shares(device) and _shares(first)):
        driver = next(one.driver for one in (device, first) if not _shares(one))
        message = f"{place.words} is that of {first.device} already, and {driver} does not share its port"
        report.add(path, message, "a port serves one device, but for those of one driver on one line, such as Modbus")
    elif _line(device) != _line(first):
        message = f"{place.words} is shared with {first.device} at {_line(first)}, and here it is {_line(device)}"
        report.add(path, message, f"devices on one line have the same {', '.join(LINE)}")


def _shares(device: DeviceSettings) -> bool:
    return device.driver_type is not None and device.driver_type.shares_port


def _line(device: DeviceSettings) -> str:
    settings = [getattr(device.options, name, None) for name in LINE]
    return "its driver's settings" if settings[0] is None else " ".join(str(one) for one in settings if one is not None)
