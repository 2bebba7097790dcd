"""What the configured drivers need beside the core, and what of it this machine can have without a compiler."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.service.places import CONFIG, CONFIG_DIR

ALWAYS = ("i2c",)
"""smbus2 is a small file of pure Python; ``scan`` looks for I2C devices with it."""
SPI = "self.spi("
"""What a driver's file has in it that needs spidev."""
RFID = "mfrc522"
BLINKA = ("adafruit-circuitpython-busdevice", "adafruit-circuitpython-register", "adafruit-circuitpython-typing")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be installed."""

    extras: tuple[str, ...]
    alone: tuple[str, ...]
    """Libraries without what they ask for: RPi.GPIO and Blinka need a compiler, and are not used."""
    spi: bool
    """spidev: there are wheels for some machines, and Debian's python3-spidev for all."""


def configured(read: Mapping[str, str]) -> list[dict[str, Any]]:
    """The devices in the texts of configuration files. One that is no TOML has none: ``check`` says what is wrong."""
    found: list[dict[str, Any]] = []
    for text in read.values():
        try:
            devices = tomllib.loads(text).get("devices", {})
        except tomllib.TOMLDecodeError:
            continue
        if isinstance(devices, dict):
            found += [device for device in devices.values() if isinstance(device, dict)]
    return found


def config_texts(root: Path) -> dict[str, str]:
    """The configuration of the service below a root."""
    main = root / CONFIG.lstrip("/")
    files = [main, *sorted((root / CONFIG_DIR.lstrip("/") / "sensorpost.d").glob("*.toml"))]
    return {str(file): file.read_text(encoding="utf-8-sig", errors="replace") for file in files if file.is_file()}


def wanted(devices: Iterable[Mapping[str, Any]], drivers: Iterable[Path]) -> Wanted:
    """For these devices; ``drivers`` are folders in which the files of drivers lie."""
    names, modules = set(), set()
    for device in devices:
        names.add(str(device.get("driver", "")))
        if device.get("driver") == "circuitpython":
            modules.add(str(device.get("module", "")).partition(".")[0])
    folders = list(drivers)
    spi = any(SPI in _text(folder / f"{name}.py") for name in names for folder in folders) or RFID in names
    alone = [f"{RFID}-python==0.0.9"] if RFID in names else []
    libraries = sorted(name.replace("_", "-") for name in modules if name.startswith("adafruit_"))
    if libraries:
        alone += [*BLINKA, *(name.replace("adafruit-", "adafruit-circuitpython-", 1) for name in libraries)]
    return Wanted(ALWAYS, tuple(alone), spi)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
