"""Several processes run tests at once; a test marked ``alone`` measures time, so meanwhile no other test runs."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Turns:
    """One process's way into the room of which all know by its ``folder``. Others' ends, also by a kill, free it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._door = os.open(folder / "door", os.O_RDWR | os.O_CREAT, 0o600)
        self._room = os.open(folder / "room", os.O_RDWR | os.O_CREAT, 0o600)
        self._alone = False
        self.waits = False
        """It has gone through the door and waits for the others to leave."""

    def enter(self, *, alone: bool) -> None:
        """Wait until this process may run a test: with others, or alone. Who is alone already stays so.

        Everybody goes through the door one by one, so whoever waits to be alone is not passed by for ever.
        """
        if alone and self._alone:
            return
        fcntl.flock(self._door, fcntl.LOCK_EX)
        try:
            self.waits = True
            fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            self.waits = False
            fcntl.flock(self._door, fcntl.LOCK_UN)
        self._alone = alone

    def leave(self) -> None:
        """Let others in."""
        fcntl.flock(self._room, fcntl.LOCK_UN)
        self._alone = False

    def close(self) -> None:
        """The process runs no more tests."""
        os.close(self._room)
        os.close(self._door)
