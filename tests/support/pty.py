"""A serial device made of a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import time
import tty
from pathlib import Path


class PtyPair:
    """A port that a driver can open (``path``) and the device at its other end (``feed``, ``sent``).

    ``path`` is a symbolic link, as in /dev/serial/by-id, that goes when the device is unplugged and comes back, on
    another tty, when it is plugged in again.
    """

    def __init__(self, link: Path) -> None:
        self._link = link
        self._master = self._slave = -1
        self.plug_in()

    @property
    def path(self) -> str:
        """What the driver's ``port`` is set to."""
        return str(self._link)

    def plug_in(self) -> None:
        """Make the port (a new tty each time)."""
        self.unplug()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)  # no echo, no line editing: bytes as they are
        self._link.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        """Pull the plug: the link goes, and whoever has the port open gets an error or an end of file."""
        self._link.unlink(missing_ok=True)
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self._slave = -1

    def feed(self, data: bytes, timeout: float = 20.0) -> None:
        """Send ``data`` to the driver. ``AssertionError`` when nobody takes it for ``timeout`` seconds."""
        while data:
            if not select.select([], [self._master], [], timeout)[1]:
                raise AssertionError(f"nobody reads from {self.path}: {len(data)} bytes are left after {timeout:g} s")
            data = data[os.write(self._master, data[:1024]) :]

    def sent(self, size: int, timeout: float = 20.0) -> bytes:
        """The next ``size`` bytes that the driver wrote; fewer when they do not come within ``timeout`` seconds."""
        got = b""
        deadline = time.monotonic() + timeout
        while len(got) < size and select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            got += os.read(self._master, size - len(got))
        return got

    def unread(self) -> int:
        """Bytes that were fed, have come through (the kernel takes a moment), and that the driver has not read yet."""
        answer = fcntl.ioctl(self._slave, termios.FIONREAD, b"\0" * 4)
        return int(struct.unpack("i", answer)[0])
