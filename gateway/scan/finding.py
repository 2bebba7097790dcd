"""What a scan says: one value for each thing that it found, or for a reason why it found nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

Place = tuple[object, ...]
"""Where a device is, as :mod:`gateway.scan.configured` finds it in a configuration."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What it is, or could be."""

    driver: str
    """Empty when no driver reads it."""
    name: str
    sure: bool = False
    """Whether it has told so itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing, or with ``found`` false the reason why nothing is seen."""

    bus: str
    where: str
    what: str
    found: bool = True
    candidates: tuple[Candidate, ...] = ()
    stanza: str = ""
    """To paste into a configuration; empty when there is nothing to read, or nothing to guess by."""
    note: str = ""
    places: tuple[Place, ...] = ()
    configured: str = ""
    """The device of the configuration that it is."""

    def as_json(self) -> dict[str, Any]:
        """The shape of ``sensorpost scan --json``."""
        return {
            "bus": self.bus,
            "where": self.where,
            "what": self.what,
            "found": self.found,
            "candidates": [{"driver": c.driver or None, "name": c.name, "sure": c.sure} for c in self.candidates],
            "stanza": self.stanza,
            "note": self.note,
            "configured": self.configured or None,
        }


def nothing(bus: str, what: str, note: str = "", where: str = "") -> Finding:
    """A reason why nothing is seen."""
    return Finding(bus=bus, where=where, what=what, note=note, found=False)


def notes(*parts: str) -> str:
    """Several remarks as one."""
    return "; ".join(filter(None, parts))


def settled(findings: Iterable[Finding], taken: Mapping[Place, str], names: Iterable[str]) -> list[Finding]:
    """With what is configured marked, and with stanzas that can stand side by side and beside the devices ``names``."""
    used, done = set(names), []
    for finding in findings:
        device = next((taken[place] for place in finding.places if place in taken), "")
        stanza = finding.stanza
        if device:
            stanza = ""
        elif stanza:
            stanza = _renamed(stanza, used)
        done.append(replace(finding, configured=device, stanza=stanza))
    return done


def _renamed(stanza: str, used: set[str]) -> str:
    match = re.match(r"\[devices\.([\w-]+)\]", stanza)
    assert match is not None
    name, number = match[1], 2
    while name in used:
        name, number = f"{match[1]}-{number}", number + 1
    used.add(name)
    return f"[devices.{name}]{stanza[match.end() :]}"
