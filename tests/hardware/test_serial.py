"""gateway/hardware/serial.py, on real pseudo-terminals and sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import PtyPair, wait_until

from gateway.driver import DeviceUnavailable, Misconfigured
from gateway.hardware.serial import RealSerialPort, open_port


def opened(port: str, **changes: Any) -> RealSerialPort:
    """A port with a short timeout."""
    settings: dict[str, Any] = {"baudrate": 9600, "bytesize": 8, "parity": "N", "stopbits": 1, "timeout": 0.2}
    return open_port(port, **(settings | changes))


@pytest.fixture
def port(pty_pair: PtyPair) -> Iterator[RealSerialPort]:
    """An open port on a pty."""
    it = opened(pty_pair.path)
    yield it
    it.close()


def test_reads_what_was_asked_for(pty_pair: PtyPair, port: RealSerialPort) -> None:
    """``read`` returns as soon as all bytes are there, and what came when the time is over."""
    pty_pair.feed(b"abc")
    assert port.read(2) == b"ab"
    assert port.read(2) == b"c"


@pytest.mark.alone
def test_waits_no_longer_than_its_timeout(port: RealSerialPort) -> None:
    """A silent port costs the timeout, also after it was changed."""
    port.timeout = 0.05
    start = time.monotonic()
    assert port.read() == b""
    assert port.read_until() == b""
    assert time.monotonic() - start < 0.2


def test_reads_line_by_line(pty_pair: PtyPair, port: RealSerialPort) -> None:
    """``read_until`` keeps what came after the line for the next call; both kinds of read see it."""
    pty_pair.feed(b"one\ntwo\nth")
    assert port.read_until() == b"one\n"
    assert port.read(2) == b"tw"
    assert port.in_waiting == 4
    assert port.read_until() == b"o\n"
    assert port.read_until() == b"th"


def test_a_line_has_a_longest_length(pty_pair: PtyPair, port: RealSerialPort) -> None:
    """``size`` bounds a line without an end, also when the end comes right after it."""
    pty_pair.feed(b"x" * 10 + b"\n")
    assert port.read_until(size=10) == b"x" * 10
    assert port.read_until(b"\r\n", size=10) == b"\n"


@pytest.mark.alone
def test_a_drip_feed_is_bounded_in_time(pty_pair: PtyPair, port: RealSerialPort) -> None:
    """One byte again and again does not stretch ``read_until`` beyond its timeout."""
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            pty_pair.feed(b".")

    dripper = threading.Thread(target=drip)
    dripper.start()
    start = time.monotonic()
    line = port.read_until()
    took = time.monotonic() - start
    stop.set()
    dripper.join()
    assert 0 < len(line) < 20
    assert took < 0.35


def test_writes(pty_pair: PtyPair, port: RealSerialPort) -> None:
    """What is written arrives at the device."""
    assert port.write(b"hello") == 5
    assert pty_pair.sent(5) == b"hello"


def test_throws_away_what_was_not_read(pty_pair: PtyPair, port: RealSerialPort) -> None:
    """``reset_input_buffer`` empties the kernel's buffer and ours."""
    pty_pair.feed(b"one\ntwo\n")
    assert port.read_until() == b"one\n"
    port.reset_input_buffer()
    assert port.in_waiting == 0


def test_a_waiting_read_can_be_woken(port: RealSerialPort) -> None:
    """``cancel_wait`` ends a read in another thread at once."""
    port.timeout = 30.0
    reader = threading.Thread(target=port.read)
    reader.start()
    wait_until(lambda: (port.cancel_wait(), reader.join(0.01), not reader.is_alive())[2])


USES: list[Callable[[RealSerialPort], object]] = [
    lambda port: port.read(),
    lambda port: port.read_until(),
    lambda port: port.in_waiting,
    lambda port: port.write(b"x"),
    lambda port: port.reset_input_buffer(),
    lambda port: (setattr(port, "timeout", 0.1), port.read()),
]


@pytest.mark.parametrize("use", USES, ids=["read", "read_until", "in_waiting", "write", "reset", "timeout"])
def test_every_use_of_an_unplugged_port_is_unavailable(
    pty_pair: PtyPair, port: RealSerialPort, use: Callable[[RealSerialPort], object]
) -> None:
    """SerialException, OSError and termios.error all become the one error that means: open it again later."""
    pty_pair.unplug()
    with pytest.raises(DeviceUnavailable, match=r"gone|takes no data"):
        use(port)
    port.close()


def test_a_closed_port_is_unavailable(port: RealSerialPort) -> None:
    """Closing twice is fine, using it afterwards is not."""
    port.close()
    port.close()
    with pytest.raises(DeviceUnavailable, match="closed"):
        port.in_waiting  # noqa: B018 (the access is the test)
    port.cancel_wait()


def test_a_port_is_open_once(pty_pair: PtyPair, port: RealSerialPort) -> None:
    """A second opener is told who has it."""
    with pytest.raises(DeviceUnavailable, match="in use by another device of this gateway"):
        opened(pty_pair.path)


def test_taking_a_port_away_frees_it(pty_pair: PtyPair, port: RealSerialPort) -> None:
    """The port can be opened again while the old owner still holds it; the old owner gets an error and no bytes."""
    port.timeout = 30.0
    errors: list[Exception] = []

    def hold() -> None:
        try:
            while True:
                port.read()
        except DeviceUnavailable as error:
            errors.append(error)

    holder = threading.Thread(target=hold)
    holder.start()
    port.take_away()
    second = opened(pty_pair.path)
    pty_pair.feed(b"new")
    assert second.read(3) == b"new"
    holder.join(5)
    assert len(errors) == 1
    port.close()
    second.close()


@pytest.mark.parametrize(
    "settings", [{"bytesize": 9}, {"parity": "X"}, {"stopbits": 3}, {"baudrate": -1}], ids=lambda s: next(iter(s))
)
def test_settings_that_no_port_has_are_misconfigured(pty_pair: PtyPair, settings: dict[str, Any]) -> None:
    """They cannot get better by themselves."""
    with pytest.raises(Misconfigured, match="port"):
        opened(pty_pair.path, **settings)


def test_settings_that_this_port_refuses(pty_pair: PtyPair) -> None:
    """A pty knows no 7E1: termios says so in its own way (once it has a speed), we in words."""
    opened(pty_pair.path).close()
    with pytest.raises(DeviceUnavailable, match="refuses 9600 baud, 7E1") as error:
        opened(pty_pair.path, bytesize=7, parity="E")
    assert "bytesize" in error.value.hint


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_a_timeout_is_finite(pty_pair: PtyPair, timeout: float) -> None:
    """A driver that could wait for ever is a driver's mistake."""
    with pytest.raises(ValueError, match="finite"):
        opened(pty_pair.path, timeout=timeout)


@pytest.mark.parametrize("seconds", [-1, float("inf")])
def test_a_timeout_stays_finite(port: RealSerialPort, seconds: float) -> None:
    """Also when it is changed."""
    with pytest.raises(ValueError, match="finite"):
        port.timeout = seconds


def test_loop_is_an_echo() -> None:
    """``loop://`` works without any device."""
    it = opened("loop://")
    it.write(b"echo\n")
    assert it.read_until() == b"echo\n"
    it.close()


def test_socket_is_a_port_on_the_network() -> None:
    """``socket://`` reads from a serial server; the other side's end is the device being gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        it = opened(f"socket://127.0.0.1:{server.getsockname()[1]}")
        peer, _ = server.accept()
        peer.sendall(b"21.5\n")
        assert it.read_until() == b"21.5\n"
        peer.close()
        with pytest.raises(DeviceUnavailable, match="gone"):
            it.read()
        it.cancel_wait()
        it.close()


def test_other_kinds_of_port_are_misconfigured() -> None:
    """The library knows URLs that write files and start programs; a configuration does not."""
    with pytest.raises(Misconfigured, match="no such kind of port"):
        opened("spy:///dev/ttyUSB0?file=/tmp/x")
