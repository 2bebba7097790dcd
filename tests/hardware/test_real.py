"""gateway/hardware/real.py: what a device holds, and how it is taken from a thread that hangs."""

from __future__ import annotations

import itertools
import logging
import os
import threading
from pathlib import Path

import pytest
from support import PtyPair
from support.leaks import descriptors

from gateway.driver import DeviceUnavailable
from gateway.hardware.machine import Machine
from gateway.hardware.real import RealHardware
from gateway.hardware.serial import RealSerialPort


def opened(hardware: RealHardware, port: str) -> RealSerialPort:
    """A port of this hardware."""
    return hardware.serial(port, 9600, bytesize=8, parity="N", stopbits=1, timeout=0.2)


def opened_elsewhere(hardware: RealHardware, port: str) -> RealSerialPort:
    """The same, opened by a thread that is gone since."""
    got: list[RealSerialPort] = []
    thread = threading.Thread(target=lambda: got.append(opened(hardware, port)))
    thread.start()
    thread.join()
    return got[0]


def test_a_new_thread_takes_the_port_over(pty_pair: PtyPair) -> None:
    """A driver that hung keeps nothing from its successor."""
    hardware = RealHardware("scale")
    old = opened_elsewhere(hardware, pty_pair.path)
    new = opened(hardware, pty_pair.path)
    pty_pair.feed(b"x")
    assert new.read() == b"x"
    old.close()
    new.close()


def test_the_same_thread_cannot_open_it_twice(pty_pair: PtyPair) -> None:
    """That would be a driver's mistake, not a hung one."""
    hardware = RealHardware("scale")
    port = opened(hardware, pty_pair.path)
    with pytest.raises(DeviceUnavailable, match="in use"):
        opened(hardware, pty_pair.path)
    port.close()


def test_other_devices_keep_theirs(pty_pair: PtyPair) -> None:
    """Only what belongs to the same device is taken."""
    port = opened_elsewhere(RealHardware("one"), pty_pair.path)
    with pytest.raises(DeviceUnavailable, match="in use"):
        opened(RealHardware("two"), pty_pair.path)
    port.close()


def test_abandoning_frees_everything(pty_pair: PtyPair) -> None:
    """The port is free for anybody, and descriptors stay with their owner until it closes them."""
    hardware = RealHardware("scale")
    port = opened(hardware, pty_pair.path)
    hardware.abandon()
    other = opened(RealHardware("other"), pty_pair.path)
    with pytest.raises(DeviceUnavailable):
        port.read()
    port.close()
    other.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_replugging_leaks_nothing(pty_pair: PtyPair) -> None:
    """100 times out and in, under another name each time: the number of descriptors stays the same."""
    hardware = RealHardware("scale")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(100):
        port = opened(hardware, pty_pair.path)
        pty_pair.unplug()
        with pytest.raises(DeviceUnavailable):
            port.read()
        port.close()
        with pytest.raises(DeviceUnavailable):
            opened(hardware, pty_pair.path)
        pty_pair.plug_in()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert len(hardware._held) <= 1


def test_warns_once_of_a_name_that_changes(pty_pair: PtyPair, caplog: pytest.LogCaptureFixture) -> None:
    """One line for each port, not for each time it is opened."""
    hardware = RealHardware("scale", Machine(advice=lambda port: f"{port} changes"))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            opened(hardware, pty_pair.path).close()
    assert caplog.messages == [f"scale: {pty_pair.path} changes"]


def test_sysfs_is_the_machine() -> None:
    """Drivers see the real files."""
    assert RealHardware("system").sysfs().exists("/")


def test_a_hundred_times_unplugged(pty_pair: PtyPair) -> None:
    """Each time under another node name; no descriptor and no thread is left of it."""
    hardware = RealHardware("scale")
    before = threading.active_count(), descriptors()
    names = []
    for step in range(100):
        port = opened(hardware, pty_pair.path)
        names.append(os.path.realpath(pty_pair.path))
        pty_pair.feed(b"%d\n" % step)
        assert port.read_until() == b"%d\n" % step
        pty_pair.unplug()
        with pytest.raises(DeviceUnavailable):
            port.read()
        with pytest.raises(DeviceUnavailable, match="no port"):
            opened(hardware, pty_pair.path)
        pty_pair.plug_in()  # while the old number is still in use
        port.close()
    assert (threading.active_count(), descriptors()) == before
    assert all(one != next_one for one, next_one in itertools.pairwise(names))
