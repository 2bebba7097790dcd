"""gateway/testing/fake_process.py: programs in virtual time."""

from __future__ import annotations

import pytest

from gateway.driver import DeviceUnavailable
from gateway.testing import FakeHardware, FakeProcess


def test_lines_in_virtual_time() -> None:
    """They come when they are due."""
    program = FakeProcess(b"one")
    it = FakeHardware(processes={"rtl_433": program}).process(["rtl_433", "-F", "json"], env={"A": "1"})
    program.feed(b"two", after=0.5)
    assert [it.read_line(1.0), it.read_line(1.0), it.read_line(1.0)] == [b"one", b"two", None]
    assert program.time.now == 1.5
    it.write(b"hello")
    with pytest.raises(ValueError, match="finite"):
        it.read_line(float("inf"))
    assert (program.command, program.env, program.starts) == (["rtl_433", "-F", "json"], {"A": "1"}, 1)
    assert (bytes(program.sent), it.returncode) == (b"hello", None)


def test_it_ends() -> None:
    """After its last line, for good, until it is started again."""
    program = FakeProcess()
    hardware = FakeHardware(processes={"p": program})
    it = hardware.process(["p"])
    program.feed(b"last", after=0.5)
    program.end(3, "no receiver found", after=0.5)
    assert it.read_line(1.0) == b"last"
    for _ in range(2):
        with pytest.raises(DeviceUnavailable, match="p has ended with exit code 3: no receiver found"):
            it.read_line(1.0)
    assert (it.returncode, program.time.now) == (3, 0.5)
    it.close()
    with pytest.raises(DeviceUnavailable, match="closed"):
        it.read_line(1.0)
    again = hardware.process(["p"])
    assert (again.returncode, again.read_line(0), hardware.still_open()) == (None, None, ["p"])
    again.cancel_wait()
    assert not again.waiting


def test_no_such_program() -> None:
    """As where it is not installed."""
    with pytest.raises(DeviceUnavailable, match="no program p"):
        FakeHardware().process(["p"])
