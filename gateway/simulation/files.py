"""Files of the kernel and the system, in a simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from gateway.driver import DeviceUnavailable

Content = str | Callable[[], str]
"""What is in a file, or who says so."""


class Files:
    """Files of a machine, such as ``Files({"/proc/uptime": "12.5 40.1"})``. Change ``files`` as you like.

    A function in place of a text is asked each time. ``written`` is what the driver wrote: ``(path, text)`` each.
    """

    def __init__(self, files: Mapping[str, Content] | None = None, *, disk: tuple[int, int] | None = None) -> None:
        self.files: dict[str, Content] = dict(files or {})
        self.written: list[tuple[str, str]] = []
        self.takers: dict[str, Callable[[str], object]] = {}
        """Who wants to know what is written to a file."""
        self.disk = disk
        """Bytes in total and bytes free."""

    def read(self, path: str) -> str:
        """The text of a file."""
        if path not in self.files:
            raise DeviceUnavailable(f"cannot read {path}: No such file or directory")
        content = self.files[path]
        return (content if isinstance(content, str) else content())[: 64 * 1024].strip()

    def write(self, path: str, text: str) -> None:
        """Write to a file that is there already."""
        if path not in self.files:
            raise DeviceUnavailable(f"cannot write {path}: No such file or directory")
        self.files[path] = text
        self.written.append((path, text))
        if path in self.takers:
            self.takers[path](text)

    def exists(self, path: str) -> bool:
        """Whether the file or folder is there."""
        return path.rstrip("/") in self._paths()

    def glob(self, pattern: str) -> list[str]:
        """The paths that match, sorted."""
        parts = pattern.split("/")
        return sorted(path for path in self._paths() if _matches(path.split("/"), parts))

    def disk_usage(self, path: str) -> tuple[int, int]:
        """Bytes in total and bytes free."""
        if self.disk is None:
            raise DeviceUnavailable(f"cannot read {path}: No such file or directory")
        return self.disk

    def _paths(self) -> set[str]:
        """Every file and the folders above it."""
        found = set()
        for file in tuple(self.files):  # models of other devices may be adding theirs
            path = file
            while path:
                found.add(path)
                path = path.rpartition("/")[0]
        return found


def _matches(path: list[str], pattern: list[str]) -> bool:
    return len(path) == len(pattern) and all(map(fnmatchcase, path, pattern))
