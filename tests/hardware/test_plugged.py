"""gateway/hardware/plugged.py: a device file without its group is tried again for a moment."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gateway.hardware import plugged
from gateway.hardware.plugged import patiently


class Node:
    """A device file that may be opened after so many attempts."""

    def __init__(self, refusals: int, number: int = errno.EACCES) -> None:
        self.refusals = refusals
        self.number = number
        self.attempts = 0

    def open(self) -> str:
        """Open it."""
        self.attempts += 1
        if self.attempts <= self.refusals:
            raise OSError(self.number, os.strerror(self.number))
        return "open"


def test_udev_gets_its_moment(tmp_path: Path) -> None:
    """Refused at first, then open, in pauses."""
    pauses: list[float] = []
    node = Node(3)
    assert patiently(node.open, str(tmp_path), pauses.append) == "open"
    assert pauses == [plugged.PAUSE] * 3


def test_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second it is a matter for a person."""
    now = [0.0]
    monkeypatch.setattr(plugged.time, "monotonic", lambda: now[0])
    node = Node(1000)
    with pytest.raises(PermissionError):
        patiently(node.open, str(tmp_path), lambda seconds: now.__setitem__(0, now[0] + seconds))
    assert node.attempts == 21


@pytest.mark.parametrize(
    ("number", "path", "age"),
    [(errno.EACCES, "here", 60), (errno.EACCES, "missing", 0), (errno.ENOENT, "here", 0), (errno.EBUSY, "here", 0)],
)
def test_everything_else_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, path: str, age: float
) -> None:
    """Files that have been there for long, and other errors."""
    (tmp_path / "here").touch()
    now = (tmp_path / "here").stat().st_ctime + age
    monkeypatch.setattr(plugged.time, "time", lambda: now)
    node = Node(1, number)
    with pytest.raises(OSError, match=os.strerror(number)):
        patiently(node.open, str(tmp_path / path))
    assert node.attempts == 1
