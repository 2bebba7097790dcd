"""The machine as its files show it, below ``/`` or below a folder that a test has made up. Nothing is ever written."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from gateway.scan.tree import Tree


class Unseen(Exception):
    """The user may not look there; the text is the path."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a file and who may use it."""

    uid: int
    gid: int
    mode: int
    """The permission bits."""
    is_folder: bool = False

    def allows(self, uid: int, gids: frozenset[int], wanted: int = 0o6) -> bool:
        """Whether that user may do ``wanted`` (4 read, 2 write, 1 enter) with it."""
        if uid == 0:
            return True
        shift = 6 if uid == self.uid else 3 if self.gid in gids else 0
        return self.mode >> shift & wanted == wanted


class Machine(Tree):
    """Files of a machine. What is not there is ``None`` or empty; what may not be looked at raises ``Unseen``."""

    def path(self, path: str | Path) -> Path:
        """Where that is. A path below the root already is one of a configuration that was read from there."""
        absolute = Path(path).absolute()
        return absolute if absolute.is_relative_to(self.root) else self.root / absolute.relative_to("/")

    def read(self, path: str | Path) -> str:
        """The text of a file, without white space and NUL bytes around it."""
        try:
            return self.path(path).read_text(encoding="utf-8", errors="replace").strip("\0 \t\r\n")
        except PermissionError:
            raise Unseen(str(path)) from None
        except (OSError, ValueError):
            return ""

    def owner(self, path: str | Path) -> Owner | None:
        """Who owns a file; ``None`` when it is not there."""
        try:
            found = self.path(path).stat()
        except PermissionError:
            raise Unseen(str(path)) from None
        except OSError:
            return None
        return Owner(found.st_uid, found.st_gid, found.st_mode & 0o7777, stat.S_ISDIR(found.st_mode))

    @property
    def is_pi5(self) -> bool:
        """Whether its header is behind the RP1: Pi 5, 500 and Compute Module 5."""
        return any(f"Raspberry Pi {name}" in self.model for name in ("5", "Compute Module 5"))

    def programs(self) -> set[str]:
        """The names of all programs that run, as the kernel keeps them: 15 characters."""
        found = (self.read(f"/proc/{number}/comm") for number in self.names("/proc", "[0-9]*"))
        return {name for name in found if name}
