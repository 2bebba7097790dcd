"""Configuration files: finding, reading and merging them, and saying where in them something is."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config import syntax
from gateway.config.errors import ConfigErrors, Problem
from gateway.config.positions import KeyPath, positions
from gateway.config.report import Note, dotted, is_secret

SYSTEM_FILE = Path("/etc/sensorpost/sensorpost.toml")
LARGEST = 1024 * 1024
"""Bytes of one file; nobody writes more by hand."""
DEEPEST = 32
"""Tables and arrays within each other."""


@dataclass(slots=True)
class Source:
    """One file."""

    path: Path
    text: str
    data: dict[str, Any]
    readable_by_all: bool = False
    writable_by_all: bool = False
    owner: int | None = None
    """The user that the file belongs to; ``None`` for text that is in no file."""
    _positions: dict[KeyPath, int] | None = None

    def line(self, path: KeyPath) -> tuple[int, int]:
        """How much of ``path`` this file has, and the line of that much."""
        if self._positions is None:
            self._positions = positions(self.text)
        for length in range(len(path), 0, -1):
            if path[:length] in self._positions:
                return length, self._positions[path[:length]]
        return 0, 1


@dataclass(frozen=True, slots=True)
class Document:
    """All files of a configuration, merged."""

    sources: tuple[Source, ...]
    data: dict[str, Any]
    files: tuple[Path, ...] = ()
    """The sources that are files, the main one first."""

    def problems(self, notes: Sequence[Note]) -> list[Problem]:
        """The notes with their places, in the order of the files and their lines, each once."""
        placed = [(self._place(note.path), note) for note in dict.fromkeys(notes)]
        placed.sort(key=lambda pair: pair[0])
        return [
            Problem(str(self.sources[index].path), line, dotted(note.path), note.message, note.hint)
            for (index, line), note in placed
        ]

    def _place(self, path: KeyPath) -> tuple[int, int]:
        best = max(range(len(self.sources)), key=lambda index: (self.sources[index].line(path)[0], -index))
        return best, self.sources[best].line(path)[1]

    def digest(self) -> str:
        """Twelve hexadecimal digits that change with what the files say, secrets excepted: they are published."""
        text = json.dumps(_without_secrets(self.data), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def find(path: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The configuration to use: the one named, ``$SENSORPOST_CONFIG``, ``./sensorpost.toml``, or the system's."""
    if path is not None:
        return path
    if named := environ.get("SENSORPOST_CONFIG"):
        return _within(cwd, Path(named))
    local = Path("sensorpost.toml")
    if _is_there(cwd / local):
        return _within(cwd, local)
    return SYSTEM_FILE if _is_there(SYSTEM_FILE) else None


def _within(cwd: Path, path: Path) -> Path:
    """``path`` seen from here: as short as the user wrote it where ``cwd`` is the process's own."""
    return path if cwd == here() else cwd / path


def here() -> Path:
    """The present folder; an empty path where it was deleted, in which nothing is found."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True  # it may be, and reading it will say what is wrong


def read(path: Path | None, environ: Mapping[str, str], cwd: Path) -> Document:
    """Read and merge the files. Raises ``ConfigErrors``."""
    main = find(path, environ, cwd)
    if main is None:
        hint = "name one with -c FILE or $SENSORPOST_CONFIG, or try without any: sensorpost demo"
        message = f"no configuration found: there is no ./sensorpost.toml and no {SYSTEM_FILE}"
        raise ConfigErrors([Problem("", None, "", message, hint)])
    try:
        added = sorted((main.parent / "sensorpost.d").glob("*.toml"))
    except OSError:  # its folder cannot be entered, and neither can the main file: that is what will be said
        added = []
    sources: list[Source] = []
    problems: list[Problem] = []
    for file in (main, *added):
        try:
            sources.append(_read(file))
        except _Unreadable as error:
            hint = error.hint
            if file == main and path is None and environ.get("SENSORPOST_CONFIG"):
                hint = f"{hint}; the file is named by $SENSORPOST_CONFIG".removeprefix("; ")
            problems.append(Problem(str(file), error.line, "", error.message, hint))
    if problems:
        raise ConfigErrors(problems)
    return merge(sources, tuple(one.path for one in sources))


def from_text(text: str, name: str) -> Document:
    """A configuration that is in no file. Raises ``ConfigErrors``."""
    try:
        return merge([Source(Path(name), text, _parse(text))])
    except _Unreadable as error:
        raise ConfigErrors([Problem(name, error.line, "", error.message, error.hint)]) from None


def single(path: Path) -> Document:
    """One file that is no configuration but written like one. Raises ``ConfigErrors``."""
    try:
        source = _read(path)
    except _Unreadable as error:
        raise ConfigErrors([Problem(str(path), error.line, "", error.message, error.hint)]) from None
    return Document((source,), source.data, (path,))


class _Unreadable(Exception):
    def __init__(self, message: str, hint: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.line = line


def _read(path: Path) -> Source:
    try:
        if path.is_dir():
            inside = path / "sensorpost.toml"
            raise _Unreadable("is a folder, not a file", f"did you mean {inside}?" if inside.is_file() else "")
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
            facts = os.fstat(file.fileno())
    except FileNotFoundError:
        raise _Unreadable("there is no such file") from None
    except PermissionError:
        raise _Unreadable("this user may not read the file", f"see: ls -l {path}") from None
    except (OSError, ValueError) as error:
        raise _Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > LARGEST:
        raise _Unreadable("is larger than 1 MiB; a configuration is never that large", "is it the right file?")
    text = _decode(raw)
    readable, writable = bool(facts.st_mode & stat.S_IROTH), bool(facts.st_mode & stat.S_IWOTH)
    return Source(path, text, _parse(text), readable_by_all=readable, writable_by_all=writable, owner=facts.st_uid)


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Unreadable("is UTF-16 text", "save it as UTF-8", 1)
    if b"\0" in raw:
        raise _Unreadable("is a binary file, not TOML text", "is it the right file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f"is not UTF-8 text (got byte 0x{raw[error.start]:02x})", "save it as UTF-8", line) from None


def _parse(text: str) -> dict[str, Any]:
    if long := syntax.endless_key(text):
        raise _Unreadable(f"tables or arrays are nested more than {DEEPEST} deep", "", long)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, message, hint = syntax.explain(str(error), text)
        raise _Unreadable(message, hint, line) from None
    except RecursionError:
        raise _Unreadable(f"tables or arrays are nested more than {DEEPEST} deep", "", 1) from None
    _refuse_depth(data)
    return data


def _refuse_depth(data: dict[str, Any]) -> None:
    level: list[Any] = [data]
    for _ in range(DEEPEST + 1):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise _Unreadable(f"tables or arrays are nested more than {DEEPEST} deep", "", 1)


def merge(sources: Sequence[Source], files: tuple[Path, ...] = ()) -> Document:
    """One tree out of all files. Raises ``ConfigErrors`` for keys that two files set."""
    merger = _Merger()
    for source in sources:
        merger.add(merger.data, source.data, (), source)
    if merger.problems:
        raise ConfigErrors(merger.problems)
    return Document(tuple(sources), merger.data, files)


class _Merger:
    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._owners: dict[KeyPath, Source] = {}

    def add(self, into: dict[str, Any], new: dict[str, Any], at: KeyPath, source: Source) -> None:
        for key, value in new.items():
            path = (*at, key)
            if isinstance(value, dict) and isinstance(into.get(key, {}), dict):
                self._owners.setdefault(path, source)
                self.add(into.setdefault(key, {}), value, path, source)
            elif key not in into:
                self._owners[path] = source
                into[key] = value
            else:
                first = self._owners[path]
                message = f"is set twice, first in {first.path}:{first.line(path)[1]}"
                place = (str(source.path), source.line(path)[1], dotted(path))
                self.problems.append(Problem(*place, message, "keep one of them"))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: None if is_secret(key) else _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value
