"""Mistakes in a configuration: each says where, what, what is accepted and what to do, and all come at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. ``str()`` of it is the line that a user sees."""

    file: str
    line: int | None
    """``None`` when the file as a whole is meant."""
    path: str
    """The dotted path of the key; empty when there is none."""
    message: str
    """What is wrong, with what was got."""
    hint: str = ""
    """What is accepted, and what was probably meant."""

    def __str__(self) -> str:
        """``FILE:LINE: dotted.path: what is wrong (got ...); what is accepted; did you mean ...?``."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        what = f"{self.message}; {self.hint}" if self.hint else self.message
        return ": ".join(part for part in (place, self.path, what) if part)

    def as_json(self) -> dict[str, Any]:
        """The shape of ``check --json``."""
        return {
            "file": self.file,
            "line": self.line,
            "path": self.path,
            "message": self.message,
            "hint": self.hint,
        }


class ConfigErrors(Exception):
    """The configuration is invalid. Holds every mistake, in the order of the files and their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line per mistake."""
        return [str(problem) for problem in self.problems]

    def as_json(self) -> list[dict[str, Any]]:
        """The mistakes as ``check --json`` prints them."""
        return [problem.as_json() for problem in self.problems]
