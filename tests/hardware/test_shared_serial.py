"""gateway/hardware/shared_serial.py: one port, several devices, each for one transaction."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest
from support import PtyPair
from support.leaks import descriptors
from support.waiting import wait_until

from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.hardware.machine import Machine
from gateway.hardware.real import RealHardware
from gateway.hardware.shared_serial import SharedPorts, Sharer, make_ports


@pytest.fixture
def ports() -> SharedPorts:
    """Ports of this test."""
    return make_ports(wait=0.2)


def opened(ports: SharedPorts, device: str, port: str, *, baudrate: int = 9600, timeout: float = 0.2) -> Sharer:
    """The port as one device has it."""
    got = RealHardware(device, Machine(shared_ports=ports)).serial(
        port, baudrate, bytesize=8, parity="N", stopbits=1, timeout=timeout, shared=True
    )
    assert isinstance(got, Sharer)
    return got


def test_two_devices_ask_in_turn(pty_pair: PtyPair, ports: SharedPorts) -> None:
    """On one opened port; a transaction begins without what came for another device."""
    one, two = opened(ports, "one", pty_pair.path), opened(ports, "two", pty_pair.path, timeout=0.3)
    with one.transaction():
        one.write(b"?1")
        assert pty_pair.sent(2) == b"?1"
        pty_pair.feed(b"!1 and more")
        assert one.read(2) == b"!1"
    wait_until(lambda: one.in_waiting == 9)
    with two.transaction():
        assert two.in_waiting == 0
        pty_pair.feed(b"!2\n")
        assert two.read_until() == b"!2\n"
        with two.transaction():
            pass
    two.reset_input_buffer()
    for sharer in (one, two):
        assert not sharer.waiting
        sharer.close()
        sharer.close()
        with pytest.raises(DeviceUnavailable, match="closed"):
            sharer.read()


def test_the_last_one_closes_it(pty_pair: PtyPair, ports: SharedPorts) -> None:
    """And until then nobody else can open it."""
    before = descriptors()
    one, two = opened(ports, "one", pty_pair.path), opened(ports, "two", pty_pair.path)
    one.close()
    assert two.in_waiting == 0
    with pytest.raises(DeviceUnavailable, match="in use by another device of this gateway"):
        RealHardware("three").serial(pty_pair.path, 9600, bytesize=8, parity="N", stopbits=1, timeout=1)
    two.close()
    assert descriptors() == before
    opened(ports, "one", pty_pair.path).close()


def test_a_line_has_one_speed(pty_pair: PtyPair, ports: SharedPorts, tmp_path: Path) -> None:
    """Whoever wants another is told by whom it is used; under whatever name of the port."""
    one = opened(ports, "one", pty_pair.path)
    (tmp_path / "by-id").symlink_to(os.path.realpath(pty_pair.path))
    with pytest.raises(Misconfigured, match="shared with one at 9600 baud, 8N1, and not at 2400 baud, 8N1"):
        opened(ports, "two", str(tmp_path / "by-id"), baudrate=2400)
    one.close()
    opened(ports, "two", pty_pair.path, baudrate=2400).close()


def test_waiting_is_bounded(pty_pair: PtyPair, ports: SharedPorts) -> None:
    """Who waits too long is told who keeps the port; a wait can be ended."""
    one, two = opened(ports, "one", pty_pair.path), opened(ports, "two", pty_pair.path)
    errors: list[Exception] = []

    def ask() -> None:
        try:
            with two.transaction():
                pass
        except (BadReading, DeviceUnavailable) as error:
            errors.append(error)

    with one.transaction():
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        assert "is busy (held by one" in str(errors[0])
        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: two.waiting)
        two.cancel_wait()
        thread.join()
    assert "was ended" in str(errors[1])
    one.close()
    two.close()


def test_cancelling_wakes_only_ones_own_read(pty_pair: PtyPair, ports: SharedPorts) -> None:
    """The other device, which has the port, goes on reading."""
    one, two = opened(ports, "one", pty_pair.path, timeout=30.0), opened(ports, "two", pty_pair.path)
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(one.read()))
    thread.start()
    wait_until(lambda: one._rider.has_turn)
    two.cancel_wait()
    time.sleep(0.05)
    assert thread.is_alive()
    wait_until(lambda: (one.cancel_wait(), thread.join(0.01), not thread.is_alive())[2])
    assert got == [b""]
    one.close()
    two.close()


def test_unplugged(pty_pair: PtyPair, ports: SharedPorts) -> None:
    """Each is told once; opening it anew finds the port under its name, and both go on."""
    before = descriptors()
    one, two = opened(ports, "one", pty_pair.path), opened(ports, "two", pty_pair.path)
    pty_pair.unplug()
    with pytest.raises(DeviceUnavailable, match="gone"):
        one.read()
    one.close()
    with pytest.raises(DeviceUnavailable, match="no port"):
        two.read()
    with pytest.raises(DeviceUnavailable, match="no port"):
        opened(ports, "one", pty_pair.path)
    two.close()
    pty_pair.plug_in()
    one, two = opened(ports, "one", pty_pair.path), opened(ports, "two", pty_pair.path)
    pty_pair.feed(b"x")
    assert one.read() == b"x"
    one.close()
    two.close()
    pty_pair.unplug()
    pty_pair.plug_in()
    assert descriptors() == before


def test_opened_anew_by_another(pty_pair: PtyPair, ports: SharedPorts) -> None:
    """Whose device was not asked meanwhile must open it again as well: it may have forgotten its settings."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        one, two = opened(ports, "one", url), opened(ports, "two", url)
        peer, _ = server.accept()
        peer.close()
        with pytest.raises(DeviceUnavailable, match="gone"):
            one.read()
        one.close()
        one = opened(ports, "one", url)
        peer, _ = server.accept()
        with pytest.raises(DeviceUnavailable, match="was gone in between"):
            two.read()
        two.close()
        two = opened(ports, "two", url)
        with two.transaction():
            two.write(b"?")
            assert peer.recv(1) == b"?"
            peer.sendall(b"!")
            assert two.read() == b"!"
        one.close()
        two.close()
        peer.close()


def test_a_hanging_device_costs_the_others_one_opening(pty_pair: PtyPair, ports: SharedPorts) -> None:
    """Its port is taken from it; the others get another, and what the old thread still does fails."""
    hardware = RealHardware("one", Machine(shared_ports=ports))
    errors: list[DeviceUnavailable] = []
    there = threading.Event()

    def hang() -> None:
        port = hardware.serial(pty_pair.path, 9600, bytesize=8, parity="N", stopbits=1, timeout=30, shared=True)
        there.set()
        try:
            port.read(10)
            port.read(10)
        except DeviceUnavailable as error:
            errors.append(error)
        port.close()

    two = opened(ports, "two", pty_pair.path)
    thread = threading.Thread(target=hang)
    thread.start()
    assert there.wait(20)
    hardware.abandon()
    thread.join(20)
    assert len(errors) == 1
    try:
        assert two.in_waiting == 0
    except DeviceUnavailable:
        two.close()
        two = opened(ports, "two", pty_pair.path)
    pty_pair.feed(b"x")
    assert two.read() == b"x"
    two.close()
