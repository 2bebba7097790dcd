"""The files of a machine, below ``/`` or below the folder that a test has made up."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.hardware.permission import permission_hint


class Tree:
    """Nothing here raises: what cannot be read is empty."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def path(self, path: str) -> Path:
        """Where that is."""
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str:
        """The text of a file, without white space and NUL bytes around it."""
        try:
            return self.path(path).read_text(encoding="utf-8", errors="replace").strip("\0 \t\r\n")
        except (OSError, ValueError):
            return ""

    def exists(self, path: str) -> bool:
        """Whether it is there."""
        return os.path.exists(self.path(path))  # noqa: PTH110 (Path would raise where a folder may not be entered)

    def names(self, folder: str, pattern: str = "*") -> list[str]:
        """What is in a folder, sorted so that 10 comes after 9."""
        try:
            found = [path.name for path in self.path(folder).glob(pattern)]
        except OSError:
            return []
        return sorted(found, key=lambda name: (name.rstrip("0123456789"), len(name), name))

    def target(self, path: str) -> str:
        """Where a link leads in the end, as a path of the machine."""
        real, root = os.path.realpath(self.path(path)), os.path.realpath(self.root)
        return "/" + os.path.relpath(real, root) if real.startswith(root) else real

    def usable(self, path: str) -> bool:
        """Whether this user may read and write it."""
        return os.access(self.path(path), os.R_OK | os.W_OK)

    def permission(self, path: str, group: str) -> str:
        """What to do about a file that this user may not use; empty when all is well."""
        return "" if self.usable(path) else f"no permission: {permission_hint(str(self.path(path)), group)}"

    @property
    def model(self) -> str:
        """What the machine calls itself, such as ``Raspberry Pi 4 Model B Rev 1.5``; empty on a PC."""
        return self.read("/proc/device-tree/model")

    @property
    def is_pi(self) -> bool:
        """Whether it is a Raspberry Pi."""
        return "Raspberry Pi" in self.model

    @property
    def config(self) -> str:
        """The file that a Raspberry Pi's firmware reads."""
        new = "/boot/firmware/config.txt"
        return "/boot/config.txt" if not self.exists(new) and self.exists("/boot/config.txt") else new
