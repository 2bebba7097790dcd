"""The serial device made of a pty."""

from __future__ import annotations

import os

import pytest
import serial
from support import PtyPair, wait_until


def test_bytes_go_both_ways(pty_pair: PtyPair) -> None:
    """A serial port reads what was fed, as it is, and the device sees what was written."""
    with serial.Serial(pty_pair.path, timeout=5.0, exclusive=True) as port:
        pty_pair.feed(b"\x00\x03\n\r\xff")
        assert port.read(5) == b"\x00\x03\n\r\xff"
        port.write(b"AT\r")
        assert pty_pair.sent(3) == b"AT\r"
        pty_pair.feed(b"12")
        wait_until(lambda: pty_pair.unread() == 2)


def test_unplugged_and_plugged_in_again(pty_pair: PtyPair) -> None:
    """Unplugging breaks the open port and removes the path; the path is there again afterwards."""
    with serial.Serial(pty_pair.path, timeout=5.0) as port:
        pty_pair.unplug()
        with pytest.raises(serial.SerialException):
            port.read(1)
    assert not os.path.lexists(pty_pair.path)
    pty_pair.plug_in()
    with serial.Serial(pty_pair.path, timeout=5.0) as port:
        pty_pair.feed(b"x")
        assert port.read(1) == b"x"
