"""Keeps the spool's file usable: opens it, and when the disk or the file fails, goes on without and tries again.

Full disk: in write-ahead mode even a DELETE needs room, so a ballast file beside the database is given up first; it is
made again when there is room. Damaged file: moved aside, salvaged, a new one begun. Anything else (read-only, I/O
error): closed, and opened again every few seconds.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gateway.clocks import Clock
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.lock import Lock, SpoolError, lock_path
from gateway.delivery.spool.salvage import move_aside, salvage
from gateway.status.alarms import Alarms

log = logging.getLogger(__name__)

T = TypeVar("T")

BALLAST = 256 * 1024
RETRY_NS = 5_000_000_000
CHECK_SECONDS = 2.0
DISK = "spool.disk"
DAMAGED = "spool.damaged"


class Disk:
    """The file, or the reason why there is none now."""

    def __init__(self, path: Path, clock: Clock, alarms: Alarms) -> None:
        """Takes the lock and opens the file.

        Raises ``SpoolError`` when another gateway has it, or when a newer version has written it. Every other trouble
        is an alarm, and ``file`` stays ``None`` until it is over.
        """
        self.path = path
        self._clock = clock
        self.alarms = alarms
        self._retry_ns: int | None = None
        self.file: SpoolFile | None = None
        self.reopened = False
        """Set when the file was opened anew; whoever has read from it clears it."""
        self._lock: Lock | None = None
        try:
            self._open()
        except SpoolError:
            self.close()
            raise

    @property
    def state(self) -> str:
        """For health: ``ok``, or ``memory`` while the disk refuses."""
        return "memory" if self.file is None else "ok"

    def attempt(self, what: Callable[[SpoolFile], T]) -> T | None:
        """Do something with the file; ``None`` when that is not possible now."""
        for last in (False, True):
            file = self.file
            if file is None:
                return None
            try:
                return what(file)
            except sqlite3.Error as exc:
                if last or not self._freed_ballast(exc):
                    self._trouble(exc)
                    return None
        return None

    @staticmethod
    def written_bytes() -> int:
        """Bytes that this thread has written to files since it began (proc(5), ``wchar``; sockets do not count)."""
        try:
            text = Path("/proc/thread-self/io").read_text()
        except OSError:
            return 0  # not Linux, or a kernel without task accounting
        return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("wchar:")), 0)

    def tick(self, now_ns: int) -> None:
        """Try again when it is time."""
        if self._retry_ns is not None and now_ns >= self._retry_ns:
            self._open()

    def close(self) -> None:
        """Close the file and give up the lock."""
        if self.file is not None:
            with contextlib.suppress(sqlite3.Error):
                self.file.close()
            self.file = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._lock is None:
                self._lock = Lock(lock_path(self.path))
            self.file = self._open_file()
            self._make_ballast()
        except OSError as exc:
            self._wait(f"{self.path}: {exc.strerror}")
        except sqlite3.DatabaseError as exc:
            self._wait(f"{self.path}: {exc}")
        else:
            self._retry_ns = None
            self.reopened = True
            self.alarms.clear(DISK)

    def _open_file(self) -> SpoolFile:
        try:
            file = SpoolFile(self.path)
        except sqlite3.DatabaseError as exc:
            if not _is_damage(exc):
                raise
            return self._begin_anew(exc)
        try:
            file.check(CHECK_SECONDS)
        except sqlite3.DatabaseError as exc:
            file.close()
            if not _is_damage(exc):
                raise
            return self._begin_anew(exc)
        return file

    def _begin_anew(self, exc: sqlite3.Error) -> SpoolFile:
        """Move the damaged file aside and save what can be read."""
        aside = move_aside(self.path)
        file = SpoolFile(self.path)
        saved = salvage(aside, file)
        text = (
            f"the spool was damaged ({_first_line(exc)}): kept as {aside.name}, {saved.rows} reading(s) saved from it, "
            f"{saved.damaged} unreadable; look at the SD card, then delete that file"
        )
        self.alarms.set(DAMAGED, text)
        return file

    def _trouble(self, exc: sqlite3.Error) -> None:
        file, self.file = self.file, None
        if file is not None:
            with contextlib.suppress(sqlite3.Error):
                file.close()
        if _is_damage(exc):
            try:
                self.file = self._begin_anew(exc)
            except (OSError, sqlite3.Error) as again:
                self._wait(f"{self.path}: {again}")
            else:
                self.reopened = True
            return
        self._wait(f"{self.path}: {exc}")

    def _wait(self, reason: str) -> None:
        self.file = None
        self._retry_ns = self._clock.boot_ns() + RETRY_NS
        self.alarms.set(DISK, f"the spool cannot be written ({reason}): readings are kept in memory only")

    def _ballast_path(self) -> Path:
        return self.path.with_name(self.path.name + ".ballast")

    def _make_ballast(self) -> None:
        path = self._ballast_path()
        try:
            if path.exists() and path.stat().st_size == BALLAST:
                return
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as ballast:
                ballast.write(bytes(BALLAST))  # real blocks: a hole would free nothing
                ballast.flush()
                os.fsync(ballast.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()

    def _freed_ballast(self, exc: sqlite3.Error) -> bool:
        """Give the ballast up for a full disk; whether there was one."""
        if "full" not in str(exc):
            return False
        with contextlib.suppress(OSError):
            self._ballast_path().unlink()
            return True
        return False


def _first_line(exc: sqlite3.Error) -> str:
    """SQLite's check writes several."""
    return str(exc).replace("***", "").strip().splitlines()[-1]


def _is_damage(exc: sqlite3.Error) -> bool:
    """Whether SQLite says that the file's content is wrong."""
    code = getattr(exc, "sqlite_errorcode", None)
    if code is None:
        return not isinstance(exc, sqlite3.OperationalError)
    # SQLITE_ERROR: a table of ours is missing, as after a truncation that left a valid header
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


__all__ = ["Disk", "SpoolError"]
