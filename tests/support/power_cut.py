"""A disk that forgets: replays recorded system calls and says what may be left of a folder after the power went.

What was synced is there. Of what was not, each file keeps nothing, all, or a part: whole writes in their order, or
single sectors of 512 bytes, so that a write may be torn and a later one be there without an earlier one. Where a file
has grown and the bytes never came, there are zeros or garbage. Names (create, rename, unlink) last when their folder
was synced, and until then up to any point, in their order, as on a file system with a journal.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from support.syscalls import Call

SECTOR = 512
NOT_KEPT = ("-shm", ".lock")
"""Files that mean nothing to a later process."""


@dataclass(slots=True)
class Change:
    """A write, or with ``data`` None a truncation to ``offset``, that is not synced yet."""

    offset: int
    data: bytes | None

    @property
    def end(self) -> int:
        """Where the file ends at least, after a write."""
        return self.offset + len(self.data or b"")


@dataclass(slots=True)
class File:
    """A file, whatever it is called now."""

    shown: bytearray = field(default_factory=bytearray)
    """What programs see."""
    safe: bytearray = field(default_factory=bytearray)
    """What is on the disk."""
    unsafe: list[Change] = field(default_factory=list)

    def change(self, change: Change) -> None:
        """A program has written."""
        apply(self.shown, change)
        self.unsafe.append(change)

    def sync(self) -> None:
        """It is on the disk now, but for what an earlier sync could not write."""
        for change in self.unsafe:
            apply(self.safe, change)
        self.unsafe.clear()

    def sync_failed(self) -> None:
        """The kernel could not write, says so once, and takes the pages for clean."""
        self.unsafe.clear()


@dataclass(slots=True)
class Naming:
    """A change of a folder that is not synced yet."""

    file: File | None
    """What is called ``new`` from now on."""
    new: str = ""
    gone: str = ""
    """The name that is there no more."""


def apply(content: bytearray, change: Change) -> None:
    """Carry out one change."""
    if change.data is None:
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
    else:
        content.extend(bytes(max(0, change.end - len(content))))
        content[change.offset : change.end] = change.data


class ForgetfulDisk:
    """One folder, followed through the calls of the programs that change it."""

    def __init__(self, folder: Path, there: Iterable[Path] = ()) -> None:
        """``there``: files that are in the folder from the start, safely."""
        self._folder = str(folder)
        self._safe: dict[str, File] = {
            path.name: File(bytearray(path.read_bytes()), bytearray(path.read_bytes())) for path in there
        }
        self._now = dict(self._safe)
        self._unsafe: list[Naming] = []
        self._positions: dict[tuple[int, int], int] = {}

    def follow(self, call: Call) -> bool:
        """Take one call into account. Whether it has changed anything in the folder."""
        follow = {
            "openat": self._opened,
            "close": lambda _call: False,
            "write": self._written,
            "pwrite64": self._written,
            "ftruncate": self._truncated,
            "fsync": self._synced,
            "fdatasync": self._synced,
            "unlink": lambda call: self._put(None, gone=self._inside(_path(call, 0))),
            "rename": self._renamed,
        }.get(call.name)
        if follow is None:
            touched = [call.file, *(text.decode(errors="replace") for text in call.strings)]
            assert call.error is not None or not any(map(self._inside, touched)), f"unknown here: {call}"
            return False
        if call.error is not None and follow != self._synced:
            return False
        return follow(call)

    def after_cut(self, rng: random.Random) -> dict[str, bytes]:
        """One of the states in which the folder may be found, were the power to go now."""
        names = dict(self._safe)
        for naming in self._unsafe[: rng.randint(0, len(self._unsafe))]:
            _rename(names, naming)
        return {name: _left(file, rng) for name, file in sorted(names.items())}

    def after_kill(self) -> dict[str, bytes]:
        """The state in which the folder is found when only the process went."""
        return {name: bytes(file.shown) for name, file in self._now.items()}

    @property
    def unsafe_bytes(self) -> int:
        """How much of files that count would be at risk now."""
        files = [file for name, file in self._now.items() if not name.endswith(NOT_KEPT)]
        return sum(len(change.data or b"") for file in files for change in file.unsafe)

    def _inside(self, path: str) -> str:
        """The name within the folder; empty for a path elsewhere."""
        return path.removeprefix(self._folder + "/") if path.startswith(self._folder + "/") else ""

    def _name(self, path: str) -> str | None:
        name = self._inside(path)
        return name if name in self._now else None

    def _opened(self, call: Call) -> bool:
        if not self._inside(call.file):
            return False
        self._positions[call.process, call.descriptor] = 0
        name = self._name(call.file)
        if name is None:
            return self._put(File(), self._inside(call.file))
        if "O_TRUNC" in call.words:
            self._now[name].change(Change(0, None))
        return "O_TRUNC" in call.words

    def _written(self, call: Call) -> bool:
        name = self._name(call.file)
        if name is None:
            return False
        data = call.strings[0][: call.result]
        if call.name == "pwrite64":
            offset = call.numbers[1]
        else:
            offset = self._positions[call.process, call.descriptor]
            self._positions[call.process, call.descriptor] = offset + len(data)
        self._now[name].change(Change(offset, data))
        return True

    def _truncated(self, call: Call) -> bool:
        name = self._name(call.file)
        if name is not None:
            self._now[name].change(Change(call.numbers[0], None))
        return name is not None

    def _synced(self, call: Call) -> bool:
        name = self._name(call.file)
        if name is not None and call.error is not None:
            self._now[name].sync_failed()
        elif name is not None:
            self._now[name].sync()
        elif call.file == self._folder and call.error is None:
            for naming in self._unsafe:
                _rename(self._safe, naming)
            self._unsafe.clear()
        return name is not None or call.file == self._folder

    def _renamed(self, call: Call) -> bool:
        old, new = self._inside(_path(call, 0)), self._inside(_path(call, 1))
        return self._put(self._now.get(old), new, old)

    def _put(self, file: File | None, new: str = "", gone: str = "") -> bool:
        if not (new or gone):
            return False
        naming = Naming(file, new, gone)
        _rename(self._now, naming)
        self._unsafe.append(naming)
        return True


def _path(call: Call, index: int) -> str:
    return call.strings[index].decode(errors="replace")


def _rename(names: dict[str, File], naming: Naming) -> None:
    names.pop(naming.gone, None)
    if naming.file is not None and naming.new:
        names[naming.new] = naming.file


def _left(file: File, rng: random.Random) -> bytes:
    """What a cut leaves of a file."""
    content = bytearray(file.safe)
    changes = file.unsafe
    way = rng.choice(("nothing", "all", "first", "some", "sectors", "sectors"))
    if way == "nothing":
        return bytes(content)
    if way == "first":
        changes = changes[: rng.randint(0, len(changes))]
    chance = rng.random() if way in ("some", "sectors") else 1.0
    for change in changes:
        if change.data is None or way != "sectors":
            if rng.random() < chance:
                apply(content, change)
            continue
        hole = rng.choice((b"\0", b"\xa5"))
        content.extend(hole * max(0, change.end - len(content)))
        for sector in _sectors(change):
            if rng.random() < chance:
                apply(content, sector)
    return bytes(content)


def _sectors(change: Change) -> list[Change]:
    """The pieces of a write that a disk writes whole."""
    assert change.data is not None
    pieces: list[Change] = []
    position = change.offset
    while position < change.end:
        end = min(change.end, (position // SECTOR + 1) * SECTOR)
        pieces.append(Change(position, change.data[position - change.offset : end - change.offset]))
        position = end
    return pieces
