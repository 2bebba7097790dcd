"""Files that the kernel and the system keep."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from gateway.driver import DeviceUnavailable

LIMIT = 64 * 1024
"""Bytes of a file that are read; nothing a driver needs from /sys or /proc is larger."""


class RealSysfs:
    """The machine's files below ``root``: ``/`` for the machine itself, another folder for tests and simulations."""

    def __init__(self, root: str | Path = "/") -> None:
        self._root = str(root).rstrip("/")

    def read(self, path: str) -> str:
        """See :class:`gateway.hardware.protocols.Sysfs`."""
        file = self._below(path)
        try:
            # O_NONBLOCK: a pipe put there by mistake must not hang the device
            descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            try:
                data = os.read(descriptor, LIMIT)
                while data and len(data) < LIMIT and (more := os.read(descriptor, LIMIT - len(data))):
                    data += more
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            raise _refused("read", path, error) from error
        return data.decode("utf-8", errors="replace").strip()

    def write(self, path: str, text: str) -> None:
        """See :class:`gateway.hardware.protocols.Sysfs`."""
        file = self._below(path)
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_TRUNC | getattr(os, "O_NONBLOCK", 0))
            try:
                os.write(descriptor, text.encode())  # in one piece: that is how the kernel takes a value
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            raise _refused("write", path, error) from error

    def exists(self, path: str) -> bool:
        """See :class:`gateway.hardware.protocols.Sysfs`."""
        return os.path.exists(self._below(path))  # noqa: PTH110 (Path would fail on a NUL before 3.12)

    def glob(self, pattern: str) -> list[str]:
        """See :class:`gateway.hardware.protocols.Sysfs`."""
        found = glob.glob(glob.escape(self._root) + _absolute(pattern))  # noqa: PTH207 (Path.glob has no escape)
        return sorted(path[len(self._root) :] for path in found)

    def disk_usage(self, path: str) -> tuple[int, int]:
        """See :class:`gateway.hardware.protocols.Sysfs`."""
        folder = self._below(path)
        try:
            facts = os.statvfs(folder)
        except (OSError, ValueError) as error:
            raise _refused("read", path, error) from error
        return facts.f_blocks * facts.f_frsize, facts.f_bavail * facts.f_frsize

    def _below(self, path: str) -> str:
        return self._root + _absolute(path)


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f"a path in sysfs is absolute, not {path!r}")
    return path


def _refused(what: str, path: str, error: Exception) -> DeviceUnavailable:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    hint = f"let this user {what} it (ls -l {path})" if isinstance(error, PermissionError) else ""
    return DeviceUnavailable(f"cannot {what} {path}: {reason}", hint=hint)
