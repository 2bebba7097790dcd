"""Room that is kept for a full disk: even a deletion needs some, since it is written to the log first."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

BYTES = 256 * 1024
SPARE = 4 * BYTES
"""It is made only where that much is left afterwards, so that it does not itself fill the disk."""


class Ballast:
    """A file beside the spool, of no use but to be deleted."""

    def __init__(self, spool: Path) -> None:
        self._path = spool.with_name(spool.name + ".ballast")

    def make(self) -> None:
        """Make it when it is not there and there is room. Fails in silence: it can be done without."""
        try:
            if self._path.exists() and self._path.stat().st_size == BYTES:
                return
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < BYTES + SPARE:
                return
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            with os.fdopen(os.open(self._path, flags, 0o600), "wb") as file:
                file.write(bytes(BYTES))  # real blocks: a hole would free nothing
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self.give_up()

    def give_up(self) -> bool:
        """Delete it. Whether it was there."""
        with contextlib.suppress(OSError):
            self._path.unlink()
            return True
        return False
