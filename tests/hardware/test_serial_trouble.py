"""gateway/hardware/serial_trouble.py: every message with something to do about it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import PtyPair

from gateway.driver import DeviceUnavailable
from gateway.hardware import serial_trouble
from gateway.hardware.serial import open_port
from gateway.hardware.serial_trouble import explain_open, unstable_name


def failure(port: str) -> DeviceUnavailable:
    """What opening the port raises."""
    with pytest.raises(DeviceUnavailable) as caught:
        open_port(port, 9600, bytesize=8, parity="N", stopbits=1, timeout=0.1)
    return caught.value


def test_a_missing_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ports that there are stand in the hint, by the names that last."""
    (tmp_path / "usb-FTDI-if00-port0").touch()
    monkeypatch.setattr(serial_trouble, "BY_ID", str(tmp_path))
    error = failure("/dev/ttyNOPE")
    assert str(error) == "there is no port /dev/ttyNOPE"
    assert error.hint == f"plug it in; ports here: {tmp_path}/usb-FTDI-if00-port0"


def test_many_ports_are_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint is one line."""
    for number in range(11):
        (tmp_path / f"usb-{number:02}").touch()
    monkeypatch.setattr(serial_trouble, "BY_ID", str(tmp_path))
    assert failure("/dev/ttyNOPE").hint.endswith("usb-07 and 3 more")


@pytest.mark.parametrize("path", ["/etc/passwd", "/tmp"])
def test_not_a_port(path: str) -> None:
    """A file and a folder are no ports."""
    assert str(failure(path)) == f"{path} is not a serial port"


def test_no_permission(tmp_path: Path) -> None:
    """The hint is the command to type; see test_permission.py."""
    error = explain_open("/dev/gone", PermissionError(errno.EACCES, "Permission denied"), "9600 baud, 8N1")
    assert str(error) == "no permission to use /dev/gone"
    assert error.hint == "sudo usermod -aG dialout $USER, then log in again"


def test_in_use_by_another_program(pty_pair: PtyPair) -> None:
    """The other program is named."""
    script = (
        "import fcntl, os, sys; fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY);"
        "fcntl.flock(fd, fcntl.LOCK_EX); print('locked', flush=True); sys.stdin.read()"
    )
    port = os.path.realpath(pty_pair.path)
    with subprocess.Popen(
        [sys.executable, "-c", script, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        message = str(failure(port))
        other.communicate("")
    assert message.startswith(f"{port} is in use by ")


def test_other_errors_keep_their_reason() -> None:
    """An error without a case of its own is named by the system's words."""
    error = explain_open("/dev/ttyUSB0", OSError(errno.EIO, "x"), "")
    assert str(error) == "/dev/ttyUSB0 cannot be opened: Input/output error"
    assert error.hint.startswith("unplug it")


def test_a_server_that_is_down() -> None:
    """A port on the network has another hint."""
    error = failure("socket://127.0.0.1:1")
    assert "Connection refused" in str(error)
    assert error.hint == "is the other side up?"


def test_names_that_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A numbered USB port is answered with its lasting name; other names are fine."""
    assert unstable_name("/dev/serial/by-id/usb-1") == ""
    assert unstable_name("/dev/ttyAMA0") == ""
    assert "/dev/serial/by-path" in unstable_name("/dev/ttyUSB0")
    (tmp_path / "usb-Arduino").symlink_to("/dev/ttyACM7")
    monkeypatch.setattr(serial_trouble, "BY_ID", str(tmp_path))
    assert unstable_name("/dev/ttyACM7").endswith(f'use port = "{tmp_path}/usb-Arduino"')
