"""Finds drivers by name: in the user's folder, among the bundled ones, and in installed packages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.driver import Driver


@dataclass(frozen=True, slots=True)
class Found:
    """A driver that was found by name, loaded or broken."""

    name: str
    source: str
    """``bundled``, the path of the user's file, or ``package NAME VERSION``."""
    driver: type[Driver[Any]] | None
    error: str = ""
    """Why it could not be loaded: one line, with file and line number."""
    summary: str = ""
    """The first line of the file's docstring."""


class Catalog:
    """The drivers that this gateway can use. Loads a driver only when it is asked for by name."""

    def __init__(self, drivers_dir: Path | None = None) -> None:
        self._drivers_dir = drivers_dir

    def names(self) -> list[str]:
        """All names, sorted, without loading any of them."""
        raise NotImplementedError

    def find(self, name: str) -> Found | None:
        """Load one driver. ``None`` when there is none of that name; a broken file is a ``Found`` with ``error``."""
        raise NotImplementedError
