"""Drivers and a workshop for configuration tests: real files in a temporary folder, nothing of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.catalog import Catalog
from gateway.config.errors import ConfigErrors
from gateway.config.identity import Host
from gateway.config.load import load
from gateway.config.settings import Settings

METER = '''"""Measures what a test wants."""

from __future__ import annotations

from typing import Literal

from gateway.driver import Channel, Driver, Duration, Misconfigured, Size, option, options


@options
class Range:
    low: float = option(help="the lowest")
    high: float = option(10.0, help="the highest")


@options
class Options:
    port: str = option("/dev/ttyUSB0", help="the port", pattern="/dev/.+")
    address: int = option(0x76, help="where", min=3, max=0x77)
    gain: float = option(1.0, help="how much", min=0.0)
    mode: Literal["fast", "slow"] = option("fast", help="how")
    rate: Literal[1, 10] = option(1, help="how often")
    warm_up: Duration = option("2s", help="how long", min=0.1, max=60)
    buffer: Size = option(1000, help="how much")
    pins: tuple[int, ...] = option((), help="which")
    pair: tuple[int, str] | None = option(None, help="two")
    ranges: dict[str, Range] = option(default_factory=dict, help="ranges")
    steps: tuple[Range, ...] = option((), help="steps")
    value: float | bool | str = option(0.0, help="anything")
    token: str | None = option(None, help="secret", pattern="[a-z]+")
    end: str = option("now", key="for", help="till when")

    def __post_init__(self) -> None:
        if self.gain > 100 and self.mode == "fast":
            raise ValueError("a gain above 100 needs mode = \\"slow\\"")


class Meter(Driver[Options]):
    options_type = Options
    shares_port = True
    channels = (
        Channel("temperature", "°C", "temperature", min=-40, max=85),
        Channel("humidity", "%", "humidity"),
        Channel("count"),
        Channel("ok", type=bool),
        Channel("label", type=str),
    )
    timeout = "3s"

    @classmethod
    def channels_for(cls, options):
        if options.address == 4:
            raise Misconfigured("nobody lives at address 4", hint="try 5")
        return cls.channels

    def read(self):
        return {"temperature": 21.5}
'''
STREAM = '''"""Sends as it likes."""

from gateway.driver import Channel, Driver


class Stream(Driver):
    channels = (Channel("level"),)
    interval = None

    def read(self):
        return None
'''
TAGS = '''"""Reads tags."""

from gateway.driver import Channel, Driver, Kind, option, options


@options
class Options:
    reader: str = option(help="which reader")


class Tags(Driver[Options]):
    kind = Kind.EVENT
    options_type = Options
    channels = (Channel("event", type=str), Channel("tag", type=str), Channel("strength"))
    interval = "200ms"

    def read(self):
        return None
'''
BROKEN = '''"""Was never finished."""

from gateway.driver import Driver

def read(
'''
EXPLODES = '''"""Needs a library that is not there."""

import no_such_library
'''

DEVICE = '[devices.a]\ndriver = "meter"\n'
"""The least that is a configuration."""


@dataclass(frozen=True)
class Workshop:
    """A folder with a configuration; the mistakes or settings that come of it."""

    folder: Path
    drivers: Path
    catalog: Catalog
    host: Host

    def write(self, text: str, name: str = "sensorpost.toml") -> Path:
        """Put a file into the folder."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def load(self, text: str, environ: Mapping[str, str] | None = None, *, strict: bool = True) -> Settings:
        """The settings that a text gives."""
        path = self.write(text)
        return load(path, environ=environ or {}, catalog=self.catalog, host=self.host, strict=strict)

    def mistakes(self, text: str, environ: Mapping[str, str] | None = None, *, strict: bool = True) -> list[str]:
        """The lines that a text gives, without the folders."""
        with pytest.raises(ConfigErrors) as caught:
            self.load(text, environ, strict=strict)
        folders = {f"{self.folder}/": "", f"{self.drivers}/": "DRIVERS/"}
        lines = caught.value.lines()
        for folder, short in folders.items():
            lines = [line.replace(folder, short) for line in lines]
        return lines


DRIVERS = {"meter": METER, "stream": STREAM, "tags": TAGS, "broken": BROKEN, "explodes": EXPLODES}


def write_drivers(folder: Path) -> Path:
    """Put the test drivers into a folder: meter, stream, tags, and two broken ones."""
    for name, text in DRIVERS.items():
        (folder / f"{name}.py").write_text(text)
    return folder
