"""One thing that people connect, and the stanza that reads it. The table is in ``things.toml``."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

BY_KERNEL = ("iio", "hwmon")
"""Drivers for which the kernel keeps the place: their stanzas have no address."""


@dataclass(frozen=True, slots=True)
class Thing:
    """See the head of ``things.toml``."""

    names: tuple[str, ...]
    title: str
    is_: str
    driver: str = ""
    """Empty when nothing reads it."""
    served: bool = True
    """Whether ``driver`` reads it, and is not only the nearest way."""
    options: str = ""
    device: str = ""
    overlay: str = ""
    library: str = ""
    note: str = ""
    addresses: tuple[int, ...] = ()
    register: int | None = None
    changes: bool = False
    """Whether the answer is another once the chip was set up: then only the right one says something."""
    answers: tuple[bytes, ...] = ()
    """What the chip says when it is asked for ``register``, one of them."""

    @property
    def is_served(self) -> bool:
        """Whether a driver reads it."""
        return self.served and bool(self.driver)

    @property
    def kernels_name(self) -> str:
        """What the kernel calls it, where the kernel looks after it."""
        return str(tomllib.loads(self.options).get("chip", "")) if self.driver in BY_KERNEL else ""

    def stanza(self, *, bus: int = 1, address: int | None = None) -> str:
        """What to paste into the configuration, for an I2C chip at that place; empty when nothing reads it."""
        if not self.driver:
            return ""
        lines = [f"[devices.{self.device}]", f'driver = "{self.driver}"']
        if self.addresses and self.driver not in BY_KERNEL and self.served:
            lines += [f"bus = {bus}"] if bus != 1 else []
            lines.append(f"address = {address or self.addresses[0]:#04x}")
        return "\n".join([*lines, *self.options.strip("\n").splitlines()])

    def needs(self, *, address: int | None = None) -> str:
        """What has to be there first, in words; empty when nothing has."""
        found = []
        if self.overlay:
            line = self.overlay.format(address=f"{address or (self.addresses or (0,))[0]:#04x}")
            found.append(f"dtoverlay={line} in /boot/firmware/config.txt and a restart")
        if self.library:
            found.append(f"the extra circuitpython, and pip install --no-deps {self.library}")
        return "; ".join(found)

    def way(self) -> str:
        """How it is read, in one line."""
        what = f"{self.title} ({self.is_})"
        if not self.driver:
            return f"{what}: no driver reads it; {self.note}"
        how = "the driver" if self.served else "no driver reads it yet; the nearest way is the driver"
        return "; ".join(filter(None, (f"{what}: {how} {self.driver}", self.needs(), self.note)))


@functools.cache
def things() -> tuple[Thing, ...]:
    """All of them, in the order of the file."""
    table = tomllib.loads(files(__package__).joinpath("things.toml").read_text(encoding="utf-8"))
    return tuple(map(_thing, table["thing"]))


def called(name: str) -> Thing | None:
    """What people call so; ``None`` for what is not known."""
    return _by_name().get(plain(name))


def names() -> list[str]:
    """Every name, as the table writes it."""
    return [name for thing in things() for name in thing.names]


def plain(name: str) -> str:
    """A name without what people write in different ways."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@functools.cache
def _by_name() -> Mapping[str, Thing]:
    return {plain(name): thing for thing in things() for name in thing.names}


def _thing(table: dict[str, Any]) -> Thing:
    identity = table.pop("identity", [None])
    return Thing(
        names=tuple(table.pop("names")),
        is_=table.pop("is"),
        addresses=tuple(table.pop("addresses", ())),
        register=identity[0],
        answers=tuple(map(bytes, identity[1:])),
        **table,
    )
