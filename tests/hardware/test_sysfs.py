"""gateway/hardware/sysfs.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.driver import DeviceUnavailable
from gateway.hardware.sysfs import LIMIT, RealSysfs


def test_reads_below_the_root(tmp_path: Path) -> None:
    """A path is looked up below the root, and white space around the text is cut off."""
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "temp").write_text(" 48312\n")
    assert RealSysfs(tmp_path).read("/sys/temp") == "48312"


def test_reads_the_machine() -> None:
    """Without a root it is this machine."""
    assert RealSysfs().exists("/")


def test_reads_a_bounded_part(tmp_path: Path) -> None:
    """A file that never ends costs 64 KiB."""
    (tmp_path / "big").write_text("x" * (LIMIT + 5))
    assert len(RealSysfs(tmp_path).read("/big")) == LIMIT


def test_replaces_bytes_that_are_no_text(tmp_path: Path) -> None:
    """What a kernel driver writes by mistake does not become an exception."""
    (tmp_path / "odd").write_bytes(b"a\xffb")
    assert RealSysfs(tmp_path).read("/odd") == "a\ufffdb"


@pytest.mark.parametrize("path", ["/missing", "/folder", "/nul\0"])
def test_what_cannot_be_read_is_unavailable(tmp_path: Path, path: str) -> None:
    """A missing file, a folder and an impossible name all mean: not there now."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(DeviceUnavailable, match="cannot read"):
        RealSysfs(tmp_path).read(path)


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    """A named pipe without a writer reads as empty."""
    os.mkfifo(tmp_path / "pipe")
    assert RealSysfs(tmp_path).read("/pipe") == ""


def test_finds_by_pattern(tmp_path: Path) -> None:
    """Matches come sorted and without the root, whose own name may hold brackets."""
    root = tmp_path / "[root]"
    for name in ("zone1", "zone0", "other"):
        (root / "sys" / name).mkdir(parents=True)
    assert RealSysfs(root).glob("/sys/zone*") == ["/sys/zone0", "/sys/zone1"]


def test_exists(tmp_path: Path) -> None:
    """Files and folders exist, an impossible name does not."""
    (tmp_path / "here").touch()
    sysfs = RealSysfs(tmp_path)
    assert (sysfs.exists("/here"), sysfs.exists("/there")) == (True, False)


def test_disk_usage(tmp_path: Path) -> None:
    """Total and free bytes; a missing folder is unavailable."""
    total, free = RealSysfs(tmp_path).disk_usage("/")
    assert 0 <= free <= total
    with pytest.raises(DeviceUnavailable):
        RealSysfs(tmp_path).disk_usage("/missing")


def test_refuses_a_relative_path(tmp_path: Path) -> None:
    """A driver's mistake is shown as one."""
    with pytest.raises(ValueError, match="absolute"):
        RealSysfs(tmp_path).read("proc/stat")


def test_writes_to_what_is_there(tmp_path: Path) -> None:
    """In one piece, as the kernel wants it; it makes no new files."""
    (tmp_path / "trigger").write_text("0 and more")
    RealSysfs(tmp_path).write("/trigger", "1\n")
    assert (tmp_path / "trigger").read_text() == "1\n"
    for path in ("/missing", "/", "/nul\0"):
        with pytest.raises(DeviceUnavailable, match="cannot write"):
            RealSysfs(tmp_path).write(path, "1")
    assert not (tmp_path / "missing").exists()
