"""A terminal that a command can be started on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import termios


class Terminal:
    """A terminal of 80 x 24, and what has been written to it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.text = ""

    def shows(self, text: str) -> bool:
        """Whether it was written, reading what is there."""
        os.set_blocking(self.master, False)
        with contextlib.suppress(BlockingIOError):
            self.text += os.read(self.master, 65536).decode(errors="replace")
        return text in self.text

    def close(self) -> None:
        """Switch it off."""
        os.close(self.master)
        os.close(self.slave)
