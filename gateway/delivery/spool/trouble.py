"""What is wrong with the spool's file or its disk, and what a person can do about it, in one line."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import sqlite3
import stat
from pathlib import Path

from gateway.delivery.spool.lock import lock_path

NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "fuse.sshfs", "fuse.glusterfs")
"""File systems on which several machines write; a write-ahead log needs memory that is shared by its users."""


class Damaged(sqlite3.DatabaseError):
    """The file's content is wrong, as our own look at it says."""


def is_damage(exc: sqlite3.Error) -> bool:
    """Whether the file's content is wrong, and not its disk or its place."""
    if isinstance(exc, Damaged):
        return True
    # SQLITE_ERROR: a table of ours is missing, as after a truncation that left a valid header
    codes = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in codes


def is_unreadable(exc: sqlite3.Error) -> bool:
    """Whether the disk did not give back what is in the file."""
    codes = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS)
    return getattr(exc, "sqlite_errorcode", 0) in codes


def is_full(exc: sqlite3.Error) -> bool:
    """Whether the disk has no room."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def check_place(path: Path) -> None:
    """Raises ``OSError`` where a spool cannot be: no right to write, a link, a folder, a network's file system.

    Only for a file that is not open in this process: closing it here would give up its locks.
    """
    kind = file_system(path.parent, Path("/proc/self/mountinfo"))
    if kind in NETWORK:
        raise OSError(errno.EOPNOTSUPP, f"it lies on a network file system ({kind})", str(path))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _close_to_others(descriptor)
    finally:
        os.close(descriptor)
    for name in ("-wal", "-shm"):  # SQLite gives new ones the mode of the spool
        with contextlib.suppress(OSError):
            beside = os.open(path.with_name(path.name + name), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                _close_to_others(beside)
            finally:
                os.close(beside)


def _close_to_others(descriptor: int) -> None:
    """Take from everybody what is for the owner, and perhaps for a group: readings say who comes and goes."""
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if mode & 0o007:
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, mode & ~0o007)


def file_system(folder: Path, mounts: Path) -> str:
    """The type of file system that a folder is on; empty where that is not known (``mounts``: proc(5), mountinfo)."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        device = folder.stat().st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        for line in mounts.read_text().splitlines():
            fields, _, more = line.partition(" - ")
            if fields.split()[2] == number:
                return more.split()[0]
    return ""


def explain(path: Path, exc: OSError | sqlite3.Error) -> str:
    """``path: what is wrong; what to do``."""
    folder = path.parent
    if isinstance(exc, OSError):
        number, said = exc.errno, exc.strerror or str(exc)
    else:
        number, said = _NUMBERS.get(getattr(exc, "sqlite_errorcode", 0) & 0xFF, 0), str(exc)
    if number in (errno.EACCES, errno.EPERM, 0) and (whose := _forbidden(path)) is not None:
        return whose
    if _is_read_only(path):
        number = errno.EROFS
    what, do = _WORDS.get(number or 0, ("", ""))
    text = f"{path}: {what or said}"
    return f"{text}; {do.format(folder=folder)}" if do else text


_NUMBERS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_READONLY: errno.EACCES,
}
_WORDS = {
    errno.ELOOP: ("it is a symbolic link", "set [spool] path to the file itself"),
    errno.EISDIR: ("it is a folder", "set [spool] path to a file"),
    errno.EOPNOTSUPP: ("", "set [spool] path to a file on this machine's own disk"),
    errno.ENOSPC: ("", "free some space (df -h {folder})"),
    errno.EDQUOT: ("", "free some space (quota)"),
    errno.EIO: ("", "see dmesg, and look at the SD card"),
    errno.EROFS: ("the file system is read-only, as it becomes after an error", "see dmesg, check the SD card, reboot"),
}
"""What to say in the place of the system's words, if anything, and what to do."""


def _is_read_only(path: Path) -> bool:
    """Also after an error that a newer kernel does not show in the mount's flags. Touches the lock's file alone."""
    with contextlib.suppress(OSError):
        if os.statvfs(path.parent).f_flag & os.ST_RDONLY:
            return True
    try:
        os.close(os.open(lock_path(path), os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW))
    except OSError as exc:
        return exc.errno == errno.EROFS
    return False


def _forbidden(path: Path) -> str | None:
    """Which file or folder on the way the gateway has no right to, and how it gets one."""
    for folder in reversed(path.parents):
        if not os.access(folder, os.X_OK, effective_ids=True):
            return _whose(folder, "pass through it", f"sudo chmod o+x {folder}, or set [spool] path to another place")
    for file in (path.parent, *(path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", ".lock"))):
        if file.exists() and not os.access(file, os.R_OK | os.W_OK, effective_ids=True):
            user = _user(os.geteuid())
            return _whose(file, "write there", f"sudo chown {user} {file}; sudo chmod u+rwX {file}")
    return None


def _whose(file: Path, what: str, do: str) -> str | None:
    try:
        facts = file.stat()
    except OSError:
        return None  # it is not there
    mode = stat.S_IMODE(facts.st_mode)
    whose = f"it belongs to {_user(facts.st_uid)}, mode {mode:04o}"
    return f"{file}: {_user(os.geteuid())} has no right to {what} ({whose}); {do}"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
