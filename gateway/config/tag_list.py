"""The list of tags that a user knows: a TOML file of its own, which may change while the gateway runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.config.errors import ConfigErrors
from gateway.config.fields import fields_of
from gateway.config.report import Report, suggestion
from gateway.config.source import single
from gateway.config.structure import INVALID, check_table, construct
from gateway.options import option, options

_HEX = re.compile(r"[0-9a-f]+")
_BETWEEN = re.compile(r"[\s:.-]")
"""What people put between the bytes of a tag."""
LONGEST_LABEL = 200


@options
class Entry:
    """What is known of one tag."""

    label: str | None = option(None, help="Whose it is; added to its events.")
    allowed: bool = option(True, help="false: known, but not to be let in.")

    def __post_init__(self) -> None:
        """Refuse a label that is none: it is in every event."""
        if self.label is not None and len(self.label) > LONGEST_LABEL:
            raise ValueError(f"the label has {len(self.label)} characters; {LONGEST_LABEL} is the most")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a changed file has another one of."""

    mtime_ns: int
    size: int
    inode: int


Entries = Mapping[str, Entry]
NO_ENTRIES: Entries = MappingProxyType({})


def plain_tag(text: str) -> str:
    """A tag as it is published: lower case, nothing between the digits."""
    return _BETWEEN.sub("", text).lower()


def is_tag(tag: str) -> bool:
    """Whether it can be one: lower-case hexadecimal digits."""
    return _HEX.fullmatch(tag) is not None


def stamp(path: Path) -> Stamp:
    """The file as it is now. ``OSError`` when there is none."""
    found = path.stat()
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


def read_tag_list(path: Path) -> Entries:
    """The entries of the file by tag. Raises ``ConfigErrors`` with every mistake in it."""
    document = single(path)
    report = Report(document.data)
    for key in document.data:
        if key != "tags":
            report.add((key,), "unknown key", suggestion(key, ["tags"]))
    tags = document.data.get("tags", {})
    entries: dict[str, Entry] = {}
    if not isinstance(tags, dict):
        report.wrong(("tags",), "is not a table", "write [tags] on a line of its own, the tags below")
        tags = {}
    for key, value in tags.items():
        tag = plain_tag(key)
        if not is_tag(tag):
            report.add(("tags", key), "is no tag", "accepted: hexadecimal digits as in the events, such as 04a23b5c")
            continue
        if tag in entries:
            report.add(("tags", key), "the same tag is there twice", "keep one of them")
        entry = _entry(key, value, report)
        if entry is not INVALID:
            entries[tag] = entry
    if report.mistakes:
        raise ConfigErrors(document.problems(report.mistakes))
    return MappingProxyType(entries)


def _entry(key: str, value: Any, report: Report) -> Any:
    if isinstance(value, str):
        value = {"label": value}
    if not isinstance(value, dict):
        report.wrong(("tags", key), "is neither a label nor a table", 'write "Anna" or { label = "Anna" }')
        return INVALID
    return construct(Entry, check_table(fields_of(Entry), value, ("tags", key), report), ("tags", key), report)
