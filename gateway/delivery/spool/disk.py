"""Keeps the spool's file usable: opens it, and when the disk or the file fails, goes on without and tries again.

While the disk refuses, nothing is written, and what is in the file can still be read and sent where the disk lets it.
Every few seconds a small write is tried; when it succeeds, all is as before. A damaged file is moved aside, salvaged,
and a new one begun.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gateway.clocks import Clock
from gateway.delivery.spool.ballast import Ballast
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.lock import Lock, SpoolError, lock_path
from gateway.delivery.spool.salvage import asides, begin_anew, finish, sync
from gateway.delivery.spool.trouble import check_place, explain, is_damage, is_full, is_unreadable
from gateway.status.alarms import Alarms
from gateway.status.work import SALVAGE_NS, Work

T = TypeVar("T")

SECOND = 1_000_000_000
RETRY_NS = 5 * SECOND
CHECK_SECONDS = 2.0
LOOK_EVERY_NS = 60 * SECOND
"""For room for the ballast, and for files to be deleted."""
ANEW_EVERY_NS = 600 * SECOND
"""A file that is damaged again sooner lies on a disk of no use, which is not worn by one salvage after the other."""
UNREADABLE = 3
"""Reads that the disk has failed, from which on what it does not give back is damage, to be left out."""
DISK = "spool.disk"
DAMAGED = "spool.damaged"


class Disk:
    """The file, or the reason why there is none now."""

    def __init__(self, path: Path, clock: Clock, alarms: Alarms) -> None:
        """Takes the lock and opens the file.

        Raises ``SpoolError`` when another gateway has it, or when it is not ours to change. Every other trouble is an
        alarm until it is over.
        """
        self.path = path
        self.alarms = alarms
        self._clock = clock
        self.work = Work(clock)
        self.file: SpoolFile | None = None
        self.reopened = False
        """Set when there may be something else in the file than was known. Until its user has cleared this and learned
        what is in it, nothing is read or written."""
        self.begun_anew = False
        """Set with ``reopened`` when it is a new file, with what was saved of the old one."""
        self._refuses = False
        self._retry_ns: int | None = None
        self._anew_ns: int | None = None
        self._unreadable = 0
        self._lock: Lock | None = None
        self._ballast = Ballast(path)
        self._look_ns = 0
        self._aside: Path | None = None
        try:
            self._open()
        except SpoolError:
            self.close()
            raise

    @property
    def state(self) -> str:
        """For health: ``ok``, or ``memory`` while the disk refuses."""
        return "memory" if self._refuses else "ok"

    def attempt(self, what: Callable[[SpoolFile], T]) -> T | None:
        """Read something from the file; ``None`` when that is not possible now."""
        file = self.file
        if file is None or self.reopened:
            return None
        with self.work.under_way():
            try:
                return what(file)
            except sqlite3.Error as exc:
                if file is self.file:
                    self._trouble(exc)
                return None

    def change(self, what: Callable[[SpoolFile], T]) -> T | None:
        """Write something to the file, with its own transaction; ``None`` when that is not possible now."""
        if self._refuses:
            return None
        return self.attempt(lambda file: self._with_ballast(file, what))

    def tick(self, now_ns: int) -> None:
        """Try again when it is time."""
        if self._retry_ns is not None and now_ns >= self._retry_ns:
            with self.work.under_way():
                self._retry()
        elif not self._refuses and now_ns >= self._look_ns:
            self._look_ns = now_ns + LOOK_EVERY_NS
            with self.work.under_way():
                self._ballast.make()
                self._look_for_damaged()

    def last_try(self, now_ns: int) -> None:
        """The end is near: try again now."""
        if self._refuses:
            self._retry_ns = now_ns
            self.tick(now_ns)

    def settled(self) -> None:
        """Everything that had to wait for the disk is written: the trouble is over, unless there is a new one."""
        if not self._refuses:
            self.alarms.clear(DISK)
            self._unreadable = 0

    def close(self) -> None:
        """Close the file and give up the lock."""
        self._let_go_of_file()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @staticmethod
    def written_bytes() -> int:
        """Bytes that this thread has written to files since it began (proc(5), ``wchar``; sockets do not count)."""
        try:
            text = Path("/proc/thread-self/io").read_text()
        except OSError:
            return 0  # not Linux, or a kernel without task accounting
        return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("wchar:")), 0)

    def _with_ballast(self, file: SpoolFile, what: Callable[[SpoolFile], T]) -> T:
        try:
            return what(file)
        except sqlite3.Error as exc:
            if not (is_full(exc) and self._ballast.give_up()):
                raise
            return what(file)

    def _retry(self) -> None:
        self._retry_ns = None
        if self.file is not None:
            try:
                self.file.probe()
            except sqlite3.Error as exc:
                if is_damage(exc):
                    self._trouble(exc)
                    return
            else:
                self._accepts()
                return
        try:
            self._open()
        except SpoolError as exc:  # somebody else has it by now
            self._let_go_of_file()
            self._refuse(str(exc))

    def _open(self) -> None:
        """Take the lock and open the file, beside one that is open and can no longer be written."""
        try:
            _make_folder(self.path.parent)
            self._take_lock()
            file = self._open_beside() if self.file is not None else self._open_first()
        except (OSError, sqlite3.Error) as exc:
            self._refuse(explain(self.path, exc))
            return
        self._let_go_of_file()
        self.file = file
        self._accepts()

    def _look_for_damaged(self) -> None:
        """Damaged files take room until a person deletes them: the alarm lasts as long, also over starts."""
        left = asides(self.path)
        if not left:
            self._aside = None
            self.alarms.clear(DAMAGED)
        elif self._aside not in left:
            self._aside = left[-1]
            self.alarms.set(
                DAMAGED,
                f"the spool was damaged in an earlier run, and what could be read was saved; the damaged file is "
                f"{self._aside}: check the SD card, then delete that file",
            )

    def _take_lock(self) -> None:
        if self._lock is not None and not self._lock.holds():
            self._lock.release()
            self._lock = None
        if self._lock is None:
            self._lock = Lock(lock_path(self.path))

    def _open_first(self) -> SpoolFile:
        finish(self.path)
        check_place(self.path)
        try:
            file = SpoolFile(self.path)
            try:
                file.check(CHECK_SECONDS)
                if self._refuses:
                    file.probe()
            except sqlite3.Error:
                file.close()
                raise
        except sqlite3.Error as exc:
            if not self._counts_as_damage(exc):
                raise
            return self._begin_anew(exc)
        return file

    def _open_beside(self) -> SpoolFile:
        file = SpoolFile(self.path)
        try:
            file.probe()
        except sqlite3.Error:
            file.close()
            raise
        return file

    def _begin_anew(self, exc: sqlite3.Error) -> SpoolFile:
        """Move the damaged file aside and save what can be read; it must not be open."""
        now_ns = self._clock.boot_ns()
        if self._anew_ns is not None and now_ns < self._anew_ns:
            raise sqlite3.OperationalError(f"damaged again ({exc}); replace the SD card")
        with self.work.under_way(SALVAGE_NS):
            saved = begin_anew(self.path)
        self._aside = saved.aside
        self._anew_ns = now_ns + ANEW_EVERY_NS
        self.begun_anew = True
        dead = f", {saved.damaged} damaged one(s) are dead letters" if saved.damaged else ""
        self.alarms.set(
            DAMAGED,
            f"the spool was damaged ({_last_line(exc)}): {saved.rows} reading(s) were saved from it{dead}; "
            f"the damaged file is {saved.aside}: check the SD card, then delete that file",
        )
        return SpoolFile(self.path)

    def _trouble(self, exc: sqlite3.Error) -> None:
        if not self._counts_as_damage(exc):
            self._refuse(explain(self.path, exc))
            return
        self._let_go_of_file()
        try:
            self.file = self._begin_anew(exc)
        except (OSError, sqlite3.Error) as again:
            self._refuse(explain(self.path, again))
        else:
            self._accepts()

    def _counts_as_damage(self, exc: sqlite3.Error) -> bool:
        self._unreadable += is_unreadable(exc)
        return is_damage(exc) or self._unreadable >= UNREADABLE

    def _accepts(self) -> None:
        self._refuses = False
        self._retry_ns = None
        self.reopened = True

    def _refuse(self, reason: str) -> None:
        self._refuses = True
        if self._retry_ns is None:  # reads that fail meanwhile do not put it off
            self._retry_ns = self._clock.boot_ns() + RETRY_NS
        self.alarms.set(DISK, f"readings are kept in memory only, because the spool cannot be written: {reason}")

    def _let_go_of_file(self) -> None:
        file, self.file = self.file, None
        if file is not None:
            with contextlib.suppress(sqlite3.Error):
                file.close()


def _make_folder(folder: Path) -> None:
    """With all above it, so that they last."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)
        sync(folder.parent)


def _last_line(exc: sqlite3.Error) -> str:
    """SQLite's check writes several."""
    return str(exc).replace("***", "").strip().splitlines()[-1]
