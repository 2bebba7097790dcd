"""What is said when the spool cannot be used: where, what, and what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from gateway.delivery.spool import trouble
from gateway.delivery.spool.trouble import Damaged, check_place, explain, file_system, is_damage, is_full, is_unreadable


def sqlite_error(code: int, text: str = "x") -> sqlite3.OperationalError:
    """As SQLite raises it."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


def test_kinds_of_trouble_are_told_apart() -> None:
    """Damage is salvaged, a full disk costs the ballast, and reads that fail are counted."""
    assert is_damage(Damaged("row 3 missing"))
    assert is_damage(sqlite_error(sqlite3.SQLITE_CORRUPT))
    assert is_damage(sqlite_error(sqlite3.SQLITE_NOTADB))
    assert not is_damage(sqlite_error(sqlite3.SQLITE_IOERR_READ))
    assert not is_damage(sqlite3.ProgrammingError("closed"))
    assert is_full(sqlite_error(sqlite3.SQLITE_FULL))
    assert is_unreadable(sqlite_error(sqlite3.SQLITE_IOERR_READ))
    assert not is_unreadable(sqlite_error(sqlite3.SQLITE_IOERR_WRITE))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full"), "is full; free some space (df -h "),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; free some space"),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error"), "disk I/O error; see dmesg, and look at the SD"),
        (OSError(errno.EROFS, "x"), "the file system is read-only, as it becomes after an error; see dmesg, check"),
        (sqlite_error(sqlite3.SQLITE_BUSY, "database is locked"), "spool.db: database is locked"),
    ],
)
def test_trouble_of_the_disk(tmp_path: Path, error: OSError | sqlite3.Error, text: str) -> None:
    """The path, the reason, the way out."""
    said = explain(tmp_path / "spool.db", error)
    assert said.startswith(f"{tmp_path / 'spool.db'}: ")
    assert text in said


def test_places_where_no_spool_can_be(tmp_path: Path) -> None:
    """A link and a folder; each is told as what it is."""
    path = tmp_path / "spool.db"
    path.symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(OSError) as caught:  # noqa: PT011 (its text is what counts)
        check_place(path)
    assert explain(path, caught.value) == f"{path}: it is a symbolic link; set [spool] path to the file itself"
    assert not (tmp_path / "elsewhere.db").exists()
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError) as caught:  # noqa: PT011 (the same)
        check_place(path)
    assert explain(path, caught.value) == f"{path}: it is a folder; set [spool] path to a file"


def test_no_spool_on_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's log needs memory that is shared by all who write: refused before anything is made."""
    monkeypatch.setattr(trouble, "file_system", lambda *_where: "nfs4")
    path = tmp_path / "spool.db"
    with pytest.raises(OSError) as caught:  # noqa: PT011 (its text is what counts)
        check_place(path)
    assert "it lies on a network file system (nfs4)" in explain(path, caught.value)
    assert not path.exists()


def test_the_file_system_of_a_folder(tmp_path: Path) -> None:
    """By its device's number, as the kernel lists mounts."""
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts.write_text(f"21 1 9:9 / / rw - ext4 /dev/x rw\n36 21 {number} / /mnt rw shared:1 - nfs4 host:/x rw\n")
    assert file_system(tmp_path, mounts) == "nfs4"
    assert file_system(tmp_path, tmp_path / "none") == ""
    assert file_system(tmp_path / "none", mounts) == ""
