"""What a check says: a state, one line about what and why, and the fix to paste."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    HINT = "hint"
    """Worth knowing; nothing is wrong."""
    PROBLEM = "problem"
    UNKNOWN = "unknown"
    """Could not be looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    state: State
    text: str
    """What, and why it matters."""
    fix: str = ""
    """What to do: commands to paste, or a line for a file."""
    check: str = ""
    """The check's name; given by :mod:`gateway.doctor.examination`."""

    def as_json(self) -> dict[str, Any]:
        """The shape of ``sensorpost doctor --json``."""
        return {"check": self.check, "state": str(self.state), "text": self.text, "fix": self.fix}


def problem(text: str, fix: str) -> Finding:
    """Something is wrong. There is no problem without a fix."""
    return Finding(State.PROBLEM, text, fix)


def hint(text: str, fix: str = "") -> Finding:
    """Worth knowing."""
    return Finding(State.HINT, text, fix)


def unknown(text: str, fix: str = "") -> Finding:
    """Could not be looked at."""
    return Finding(State.UNKNOWN, text, fix)
