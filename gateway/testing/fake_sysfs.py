"""Files of the kernel and the system that a test makes up."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from gateway.driver import DeviceUnavailable


class FakeSysfs:
    """Files of a machine, such as ``FakeSysfs({"/proc/uptime": "12.5 40.1"})``. Change ``files`` as you like.

    ``written`` is what the driver wrote: ``(path, text)`` each.
    """

    def __init__(self, files: Mapping[str, str] | None = None, *, disk: tuple[int, int] | None = None) -> None:
        self.files: dict[str, str] = dict(files or {})
        self.written: list[tuple[str, str]] = []
        self.disk = disk
        """Bytes in total and bytes free."""

    def read(self, path: str) -> str:
        """The text of a file."""
        if path not in self.files:
            raise DeviceUnavailable(f"cannot read {path}: No such file or directory")
        return self.files[path][: 64 * 1024].strip()

    def write(self, path: str, text: str) -> None:
        """Write to a file that is there already."""
        if path not in self.files:
            raise DeviceUnavailable(f"cannot write {path}: No such file or directory")
        self.files[path] = text
        self.written.append((path, text))

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
        for file in self.files:
            path = file
            while path:
                found.add(path)
                path = path.rpartition("/")[0]
        return found


def _matches(path: list[str], pattern: list[str]) -> bool:
    return len(path) == len(pattern) and all(map(fnmatchcase, path, pattern))
