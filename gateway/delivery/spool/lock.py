"""One gateway for one spool."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


class SpoolError(Exception):
    """The spool cannot be used, and the reason is for a person. Nothing was changed."""


def lock_path(spool: Path) -> Path:
    """The lock's file for a spool."""
    return spool.with_name(spool.name + ".lock")


class Lock:
    """One gateway for one spool. Held until the process ends or ``release``."""

    def __init__(self, path: Path) -> None:
        """Take the lock. Raises ``SpoolError`` naming the process that has it, ``OSError`` when it cannot be made."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = os.read(self._fd, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise SpoolError(
                f"{path}: another gateway (process {holder}) uses this spool; "
                "stop it, or give this one its own [spool] path and gateway.id"
            ) from exc
        except OSError:
            os.close(self._fd)
            raise
        self._path = path
        with contextlib.suppress(OSError):  # a full disk: the lock holds without a name in it
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def holds(self) -> bool:
        """Whether the lock's file is still the one that others find: the disk may have been mounted anew."""
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Give the lock up."""
        os.close(self._fd)
