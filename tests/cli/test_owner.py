"""Root becomes the owner of the state directory before it writes there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from gateway.cli.owner import become_owner


def ids_after(directory: Path) -> tuple[int, int, list[int]]:
    """User, group and further groups of a process that called it."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become_owner(directory)
            os.write(sender, repr((os.geteuid(), os.getegid(), os.getgroups())).encode())
        finally:
            os._exit(0)
    os.close(sender)
    with os.fdopen(receiver) as pipe:
        uid, gid, groups = eval(pipe.read())
    os.waitpid(child, 0)
    return uid, gid, groups


@pytest.mark.needs("root")
@pytest.mark.parametrize(("uid", "gid", "expected"), [(1, 1, (1, 1)), (54321, 54322, (54321, 54322)), (0, 0, (0, 0))])
def test_root_becomes_the_owner(uid: int, gid: int, expected: tuple[int, int]) -> None:
    """A user of this machine, one that it does not know, and root itself."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, uid, gid)
        assert ids_after(Path(folder))[:2] == expected
        os.chown(folder, 0, 0)


@pytest.mark.needs("root")
def test_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    """Will be root's."""
    assert ids_after(tmp_path / "none")[0] == 0
