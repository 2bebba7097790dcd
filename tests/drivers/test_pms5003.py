"""drivers/pms5003.py: frames as sensors send them, and what is between them."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import PtyPair
from support.noisy_line import count_wrong, send_noisy
from support.vectors import Vector, check_vector, vectors

from drivers.pms5003 import Pms5003, decode
from gateway.driver import BadReading, DeviceUnavailable
from gateway.testing import DriverHarness, FakeHardware, FakeSerial

GOOD = bytes.fromhex("424d001c00000008000800000008000800d20046002d001e00000000970002c5")
OTHER = bytes.fromhex("424d001c00000007000700000007000700bd003f002a001b000000009700029f")
WARMING_UP = bytes.fromhex("424d001c000000000000000000000000000000000000000000000000000000ab")


def driver(port: FakeSerial, **options: Any) -> DriverHarness:
    """The driver on this port."""
    return DriverHarness(Pms5003, hardware=FakeHardware(ports={"/dev/x": port}), port="/dev/x", **options)


def frame(words: list[int]) -> bytes:
    """A frame with these 13 words and the right checksum."""
    start = b"BM\0\x1c" + pack(">13H", *words)
    return start + pack(">H", sum(start) & 0xFFFF)


@pytest.mark.parametrize("vector", vectors("pms5003/pms7003", "pms5003t"))
def test_vectors(vector: Vector) -> None:
    """Every case, as bytes on the line."""
    port = FakeSerial()
    with driver(port, model=vector["device"].split("/")[0]) as it:
        port.feed(bytes.fromhex(vector["input"]["hex"]))
        check_vector(vector, it.read, it.channels)


def test_asks_for_the_stream() -> None:
    """A sensor that another program left asleep or passive is woken up; its answer is no reading and no error."""
    port = FakeSerial()
    with driver(port) as it:
        assert port.sent == bytes.fromhex("424de400010174 424de100010171")
        port.feed(GOOD + bytes.fromhex("424d0004e1010175") + OTHER)
        result = it.read()
        assert isinstance(result, list)
        assert [reading["pm2_5"] for reading in result] == [8, 7]
        assert it.read() is None


def test_starts_in_the_middle_of_a_frame() -> None:
    """What is left of the frame that was under way is nobody's fault."""
    port = FakeSerial()
    with driver(port) as it:
        port.feed(GOOD[11:] + GOOD)
        assert it.read() == [decode(GOOD, "pms5003")]


def test_garbage_is_reported_and_costs_no_frame() -> None:
    """Good frames first, then one bad reading for what was between them."""
    port = FakeSerial()
    with driver(port) as it:
        port.feed(GOOD + b"\x00\xff noise BM" + OTHER + GOOD[:20] + OTHER)
        assert it.read() == [decode(GOOD, "pms5003"), decode(OTHER, "pms5003"), decode(OTHER, "pms5003")]
        with pytest.raises(BadReading):
            it.read()
        assert it.read() is None


def test_a_frame_that_comes_in_pieces() -> None:
    """A read that ends in the middle of a frame keeps its beginning."""
    port = FakeSerial()
    with driver(port) as it:
        port.feed(GOOD[:5], after=0.7)
        port.feed(GOOD[5:], after=1.0)
        assert it.read() is None
        assert it.read() == [decode(GOOD, "pms5003")]


def test_warming_up() -> None:
    """Zeros for a while after power-on, then values."""
    port = FakeSerial()
    with driver(port) as it:
        port.feed(WARMING_UP + GOOD)
        assert it.read() == [decode(GOOD, "pms5003")]
        with pytest.raises(BadReading, match="warming up"):
            it.read()


@settings(deadline=None)
@given(st.binary(max_size=100), st.integers(0, 32), st.binary(max_size=20))
def test_anything_on_the_line(noise: bytes, cut: int, more: bytes) -> None:
    """Whatever comes is a bad reading at worst, and what follows is read."""
    port = FakeSerial()
    readings: list[Any] = []
    with driver(port) as it:
        port.feed(noise + GOOD[:cut] + more + GOOD + OTHER)
        for _ in range(10):
            try:
                readings += it.read() or []
            except BadReading:
                continue
    assert readings[-1] == decode(OTHER, "pms5003")


def test_below_zero() -> None:
    """The PMS5003T's temperature has a sign."""
    values = decode(frame([1, 2, 3, 1, 2, 3, 100, 50, 20, 10, 0x10000 - 55, 480, 0]), "pms5003t")
    assert (values["temperature"], values["humidity"], values["n2_5"]) == (-5.5, 48.0, 0.1)


def test_silence() -> None:
    """Several seconds without a word are a sensor that is gone; before that there is just nothing."""
    port = FakeSerial()
    with driver(port) as it:
        assert it.read() is None
        it.wait(15)
        with pytest.raises(DeviceUnavailable, match="nothing came"):
            it.read()


def test_unplugged() -> None:
    """The adapter goes and comes back."""
    port = FakeSerial()
    with driver(port) as it:
        port.unplug()
        with pytest.raises(DeviceUnavailable):
            it.read()
        port.plug_in()
        it.reopen()
        port.feed(GOOD)
        assert it.read() == [decode(GOOD, "pms5003")]


def test_no_wrong_reading_on_a_noisy_line(pty_pair: PtyPair) -> None:
    """Every frame arrives, in its order, through a real tty with garbage before each; nothing else is a reading."""
    frames = [frame([n, n + 1, n + 2, n, n + 1, n + 2, 9, 8, 7, 6, 5, 4, 0]) for n in range(300)]
    expected = [decode(one, "pms5003") for one in frames]
    readings, bad = send_noisy(pty_pair, Pms5003, {}, frames)
    assert count_wrong(readings, expected) == 0
    assert bad > 0
    assert len(set(map(str, expected)) - set(map(str, readings))) == 0
