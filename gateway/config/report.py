"""Collects mistakes while a configuration is checked, and says what was got without giving away a secret."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from gateway.config.positions import KeyPath

_SECRET = re.compile(r"pass|secret|token|credential|api_?key|private|salt|block_key$", re.IGNORECASE)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60
"""Characters of a value that are shown."""
_LISTED = 8
"""Names that are listed beside the nearest one; of more only the nearest is shown."""


@dataclass(frozen=True, slots=True)
class Note:
    """A mistake or a warning before its place in the files is looked up."""

    path: KeyPath
    message: str
    hint: str = ""


class Report:
    """The mistakes and warnings found so far. ``raw`` is the tree as written, before ``${NAME}`` was filled in."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self.mistakes: list[Note] = []
        self.warnings: list[Note] = []

    def add(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Note a mistake at ``path``."""
        self.mistakes.append(Note(path, message, hint))

    def wrong(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Note a mistake whose value is worth showing."""
        self.add(path, f"{message} (got {self.got(path)})", hint)

    def warn(self, path: KeyPath, message: str) -> None:
        """Note something that is accepted but worth a line."""
        self.warnings.append(Note(path, message))

    def got(self, path: KeyPath) -> str:
        """What the file says at ``path``, short and never a secret."""
        return "a value that is not shown" if self.hides(path) else show(self.raw(path))

    def hides(self, path: KeyPath) -> bool:
        """Whether the value at ``path`` may be a secret."""
        return any(isinstance(key, str) and is_secret(key) for key in path)

    def raw(self, path: KeyPath) -> Any:
        """The value at ``path`` as written; ``None`` when there is none."""
        value: Any = self._raw
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def is_secret(key: str) -> bool:
    """Whether a key's name says that its value must not be shown."""
    return _SECRET.search(key) is not None


def show(value: Any) -> str:
    """A value in the words of TOML, cut short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = re.sub(r"//.*@", "//***@", value)  # a password in a URL
        text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text.replace("\n", "\\n"))
        return f'"{text[:_LONGEST]}..."' if len(text) > _LONGEST else f'"{text}"'
    if isinstance(value, dict):
        return "a table" if value else "an empty table"
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    if isinstance(value, dt.date | dt.time):
        return f"the date or time {value}"
    return f"{value}"[:_LONGEST]


def dotted(path: KeyPath) -> str:
    """A path as a user would write it: ``devices.fake.faults[0].kind``."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            bare = key if _BARE.fullmatch(key) else show(key)
            text += f".{bare}" if text else bare
    return text


def one_of(values: Sequence[Any], last: str = "or") -> str:
    """``"a", "b" or "c"``."""
    texts = [value if isinstance(value, _Word) else show(value) for value in values]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}"


class _Word(str):
    """A text that is shown without quotes."""

    __slots__ = ()


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant; capitals and ``-`` for ``_`` do not matter."""
    plain = {other.lower().replace("-", "_"): other for other in names}
    near = get_close_matches(name.lower().replace("-", "_"), plain, n=1, cutoff=0.6)
    return plain[near[0]] if near else None


def suggestion(name: str, names: Sequence[str], *, accepted: str = "accepted") -> str:
    """The hint for an unknown name: the names there are, when they fit a line, and the nearest."""
    near = nearest(name, names)
    parts = []
    if names and (near is None or len(names) <= _LISTED):
        parts.append(f"{accepted}: {one_of([_Word(n) for n in names], last='and')}")
    if near is not None:
        parts.append(f"did you mean {near}?")
    return "; ".join(parts)
