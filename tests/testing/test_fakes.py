"""gateway/testing/fakes.py: the made-up hardware behaves as the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.driver import DeviceUnavailable
from gateway.hardware.protocols import Hardware, SerialPort, Sysfs
from gateway.hardware.sysfs import RealSysfs
from gateway.testing import FakeHardware, FakeSerial, FakeSysfs


def opened(port: FakeSerial, timeout: float = 1.0) -> SerialPort:
    """The port as a driver gets it."""
    hardware: Hardware = FakeHardware(ports={"/dev/x": port})
    return hardware.serial("/dev/x", 9600, bytesize=8, parity="N", stopbits=1, timeout=timeout)


def test_waiting_is_virtual() -> None:
    """A silent port costs its timeout in virtual time; bytes that are on their way end the waiting earlier."""
    device = FakeSerial()
    port = opened(device)
    assert port.read() == b""
    assert device.time.now == 1.0
    device.feed(b"ab", after=0.25)
    device.feed(b"c", after=5)
    assert port.read(3) == b"ab"
    assert device.time.now == 2.0
    device.time.wait(10)
    assert port.in_waiting == 1


def test_reads_lines() -> None:
    """``read_until`` as on a real port."""
    device = FakeSerial()
    port = opened(device)
    device.feed(b"one\ntwo\nthree")
    assert [port.read_until(), port.read_until(size=2), port.read_until(), port.read_until()] == [
        b"one\n",
        b"tw",
        b"o\n",
        b"three",
    ]


def test_answers() -> None:
    """A mapping or a function of what was written; the rest is only recorded."""
    device = FakeSerial(answer={b"?": b"!"})
    port = opened(device)
    port.write(b"?")
    port.write(b"x")
    assert (port.read(5), bytes(device.sent)) == (b"!", b"?x")
    clever = FakeSerial(answer=lambda request: request.upper())
    port = opened(clever)
    port.write(b"abc")
    assert port.read(3) == b"ABC"


def test_throws_away_what_was_not_read() -> None:
    """What is still on its way stays."""
    device = FakeSerial()
    port = opened(device)
    device.feed(b"old")
    device.feed(b"new", after=1)
    port.reset_input_buffer()
    port.cancel_wait()
    assert port.read(3) == b"new"


def test_unplugged_and_plugged_in_again() -> None:
    """Everything fails until it is opened anew."""
    device = FakeSerial()
    port = opened(device)
    device.unplug()
    for use in (port.read, port.read_until, lambda: port.in_waiting, lambda: port.write(b"x"), port.reset_input_buffer):
        with pytest.raises(DeviceUnavailable, match="unplugged"):
            use()
    with pytest.raises(DeviceUnavailable, match="no port"):
        opened(device)
    device.plug_in()
    with pytest.raises(DeviceUnavailable, match="closed"):
        port.read()
    assert opened(device).read() == b""


def test_a_port_is_open_once() -> None:
    """As with real ones; other names do not exist."""
    device = FakeSerial()
    opened(device).close()
    port = opened(device)
    assert device.settings is not None
    assert device.settings.baudrate == 9600
    with pytest.raises(DeviceUnavailable, match="in use"):
        opened(device)
    port.close()
    with pytest.raises(DeviceUnavailable, match="no port /dev/y"):
        FakeHardware().serial("/dev/y", 9600, bytesize=8, parity="N", stopbits=1, timeout=1)


@pytest.mark.parametrize("pattern", ["/sys/*/temp", "/sys/zone?", "/sys/*", "/nothing/*", "/sys/zone0/temp"])
def test_files_are_found_as_on_disk(tmp_path: Path, pattern: str) -> None:
    """The fake tree and a real one give the same answers."""
    files = {"/sys/zone0/temp": "48312\n", "/sys/zone1/temp": "1", "/sys/other": ""}
    for path, text in files.items():
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).write_text(text)
    fake, real = FakeSysfs(files), RealSysfs(tmp_path)
    assert fake.glob(pattern) == real.glob(pattern)
    assert [fake.read(path) for path in files] == [real.read(path) for path in files]
    assert [fake.exists(path) for path in ("/sys", "/sys/", "/sys/zone", pattern)] == [
        real.exists(path) for path in ("/sys", "/sys/", "/sys/zone", pattern)
    ]


def test_missing_files_are_unavailable() -> None:
    """With the words of the real thing."""
    sysfs: Sysfs = FakeHardware(sysfs={"/a": "1"}).sysfs()
    with pytest.raises(DeviceUnavailable, match="cannot read /b: No such file"):
        sysfs.read("/b")
    with pytest.raises(DeviceUnavailable, match="cannot read /"):
        sysfs.disk_usage("/")
    assert FakeSysfs(disk=(10, 4)).disk_usage("/") == (10, 4)


def test_files_that_are_written() -> None:
    """Only those that are there; what was written is recorded, and read from then on."""
    fake = FakeSysfs({"/sys/trigger": "0"})
    fake.write("/sys/trigger", "1\n")
    assert (fake.read("/sys/trigger"), fake.written) == ("1", [("/sys/trigger", "1\n")])
    with pytest.raises(DeviceUnavailable, match="cannot write /sys/other: No such file"):
        fake.write("/sys/other", "1")


def test_a_shared_port() -> None:
    """A transaction begins with nothing left of what came for others; on a port of one's own it changes nothing."""
    for shared, expected in ((True, b"new"), (False, b"oldnew")):
        device = FakeSerial(answer=lambda _: b"new")
        port = FakeHardware(ports={"/dev/x": device}).serial(
            "/dev/x", 9600, bytesize=8, parity="N", stopbits=1, timeout=1, shared=shared
        )
        device.feed(b"old")
        with port.transaction():
            port.write(b"?")
            assert port.read(6) == expected
        assert (device.shared, port.waiting, str(device.settings)) == (shared, False, "9600 baud, 8N1")
