"""The page on hardware in the documentation, made from the drivers and the table of things."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from gateway.catalog import Found
from gateway.config.fields import fields_of
from gateway.driver import Driver
from gateway.known.thing import Thing, things

MADE = "Made by `python -m gateway.testing` from drivers/, gateway/known/things.toml and gateway/testing/hardware.md."


def page(found: Iterable[Found]) -> str:
    """The page as Markdown."""
    drivers = [
        (f"[{one.name}](drivers/{one.name}.md)", interface(one.driver), one.summary) for one in found if one.driver
    ]
    parts = {
        "made": f"<!-- {MADE} -->",
        "drivers": _table(("driver", "on", "what"), drivers),
        "things": _table(("name", "what", "driver", "how"), map(_row, things())),
        "addresses": _table(("address", "what it could be"), _addresses()),
    }
    text = files(__package__).joinpath("hardware.md").read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"<!-- {name} -->", part)
    return text


def interface(driver: type[Driver[Any]]) -> str:
    """What a driver's devices are connected to, as its options and its code tell."""
    options: Any = driver.options_type
    keys = fields_of(options)
    for key, name in (("address", "I2C"), ("device", "SPI"), ("pin", "a pin"), ("port", "a serial port")):
        if key in keys:
            return name
    source = inspect.getsource(sys.modules[driver.__module__])
    if "self.process(" in source:
        return "a program"
    return "the kernel's files" if "self.sysfs(" in source else "nothing"


def _row(thing: Thing) -> tuple[str, ...]:
    driver = f"`{thing.driver}`" if thing.is_served else "none yet" + (f"; `{thing.driver}`" if thing.driver else "")
    how = "; ".join(filter(None, (thing.needs(), thing.note)))
    return ", ".join(f"`{name}`" for name in thing.names), f"{thing.title}: {thing.is_}", driver, how


def _addresses() -> list[tuple[str, str]]:
    every = sorted({address for thing in things() for address in thing.addresses})
    return [
        (f"`{address:#04x}`", ", ".join(thing.title for thing in things() if address in thing.addresses))
        for address in every
    ]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
