"""drivers/dsmr_p1.py: telegrams of many meters, and what is between them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import PtyPair
from support.noisy_line import count_wrong, send_noisy
from support.vectors import Vector, check_vector, vectors

from drivers.dsmr_p1 import DsmrP1, Options, crc, decode, mbus, number
from gateway.driver import BadReading, DeviceUnavailable
from gateway.testing import DriverHarness, FakeHardware, FakeSerial


def driver(port: FakeSerial, **options: Any) -> DriverHarness:
    """The driver on this port."""
    return DriverHarness(DsmrP1, hardware=FakeHardware(ports={"/dev/x": port}), port="/dev/x", **options)


def telegram(*lines: str, checksum: str | None = None) -> bytes:
    """A telegram with these lines."""
    body = ("/XYZ5\\Test\r\n\r\n" + "".join(f"{line}\r\n" for line in lines) + "!").encode()
    return body + (f"{crc(body):04X}" if checksum is None else checksum).encode() + b"\r\n"


def numbered(n: int) -> bytes:
    """A telegram with a number in all its values."""
    return telegram(
        "1-3:0.2.8(50)", "0-0:1.0.0(170102192002W)", f"1-0:1.8.1({n:06}.426*kWh)", f"1-0:1.7.0({n % 99:02}.244*kW)",
        f"1-0:32.7.0({n % 300:03}.9*V)", "0-1:24.1.0(003)", f"0-1:24.2.1(170102161005W)({n:05}.107*m3)",
    )  # fmt: skip


GOOD = numbered(7)
ONE = Options(port="x")


@pytest.mark.parametrize("vector", vectors("dsmr-p1"))
def test_vectors(vector: Vector) -> None:
    """Every case, as bytes on the line."""
    port = FakeSerial()
    with driver(port, version=3 if "7E1" in vector["interface"] else 5) as it:
        port.feed(vector["input"]["text"].encode())
        check_vector(vector, it.read, it.channels)


@pytest.mark.parametrize(
    ("version", "settings"),
    [(2, "9600 baud, 7E1"), (3, "9600 baud, 7E1"), (4, "115200 baud, 8N1"), (5, "115200 baud, 8N1")],
)
def test_line_settings(version: int, settings: str) -> None:
    """The version decides how the port is opened."""
    port = FakeSerial()
    with driver(port, version=version):
        assert str(port.settings) == settings


def test_everything_a_meter_has() -> None:
    """Power failures and the tariff are whole numbers; what is not in the telegram is null."""
    values = decode(telegram("0-0:96.14.0(0002)", "0-0:96.7.21(00013)", "1-0:22.7.0(00.100*kW)", "x"), ONE)
    assert {name: value for name, value in values.items() if value is not None} == {
        "tariff": 2,
        "power_failures": 13,
        "power_export_l1": 0.1,
    }
    assert list(values) == [channel.name for channel in DsmrP1.channels_for(ONE)]


def test_what_a_connection_has() -> None:
    """Country, phases and meters decide the channels."""
    one = Options(port="x", country="be", phases=1, meters=("gas",))
    names = [channel.name for channel in DsmrP1.channels_for(one)]
    assert {"power_peak", "voltage_l1", "gas"} <= set(names)
    assert not {"voltage_l2", "water", "energy_import"} & set(names)
    be = telegram("1-0:1.4.0(02.351*kW)", "1-0:1.6.0(200509134558S)(02.589*kW)")
    assert (decode(be, one)["power_average"], decode(be, one)["power_peak"]) == (2.351, 2.589)
    lu = telegram("1-0:1.8.0(000101.173*kWh)", "1-0:2.8.0(000000.001*kWh)")
    values = decode(lu, Options(port="x", country="lu"))
    assert (values["energy_import"], values["energy_export"]) == (101.173, 0.001)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({"0-1:24.1.0": ["003"], "0-1:24.2.1": ["230102160000W", "00010.5*m3"]}, 10.5),
        ({"0-4:24.1.0": ["3"], "0-4:24.2.3": ["230102160000W", "00010.5*m3"]}, 10.5),
        ({"0-1:24.1.0": ["03"], "0-1:24.3.0": ["090212160000", "00", "60", "1", "0-1:24.2.1", "m3", "1.001"]}, 1.001),
        ({"0-1:24.1.0": ["007"], "0-1:24.2.1": ["230102160000W", "00010.5*m3"]}, None),
        ({"0-1:24.1.0": ["003"], "0-1:24.2.1": ["700101010000W", "00000000"]}, None),
        ({"0-1:24.1.0": ["003"]}, None),
        (
            {
                "0-1:24.1.0": ["003"],
                "0-1:24.2.1": ["700101010000W", "00099.0*m3"],
                "0-2:24.1.0": ["003"],
                "0-2:24.2.1": ["230102160000W", "00010.5*m3"],
                "0-3:24.1.0": ["003"],
                "0-3:24.2.1": ["190102160000W", "00777.0*m3"],
            },
            10.5,
        ),
    ],
    ids=["usual", "Belgium", "version 3", "water", "never read", "nothing", "replaced"],
)
def test_gas(lines: dict[str, list[str]], expected: float | None) -> None:
    """The newest value of a gas meter, on any channel and under any code."""
    assert mbus(lines, ("003",), "m3") == expected


@pytest.mark.parametrize("text", ["", "230.0", "230.0*A", "-1*V", "x*V", "1e3*V", "230.*V"])
def test_no_number(text: str) -> None:
    """A value counts only with its unit and in the form that it has to have."""
    assert number(text, "V") is None


@pytest.mark.parametrize("checksum", ["0000", "", "ABC"])
def test_wrong_checksum(checksum: str) -> None:
    """A telegram of version 4 or 5 without the right checksum is none; the next one is."""
    port = FakeSerial()
    with driver(port) as it:
        port.feed(telegram("1-3:0.2.8(50)", "1-0:1.7.0(00.244*kW)", checksum=checksum) + GOOD)
        assert it.read() == [decode(GOOD, it.options)]
        with pytest.raises(BadReading, match="wrong checksum"):
            it.read()
        assert it.read() is None


def test_versions_2_and_3_are_looked_at_line_by_line() -> None:
    """Without a checksum a line that is none makes the telegram bad; a checksum that is there is looked at."""
    port = FakeSerial()
    with driver(port, version=3) as it:
        port.feed(telegram("1-0:1.7.0(00.244*kW)", checksum=""))
        assert it.read()
        port.feed(telegram("1-0:1.7.0(00.2\x0044*kW", checksum=""))
        with pytest.raises(BadReading, match="none of DSMR"):
            it.read()
        port.feed(telegram("1-0:1.7.0(00.244*kW)", checksum="BEEF"))
        with pytest.raises(BadReading, match="wrong checksum"):
            it.read()


def test_a_telegram_without_values() -> None:
    """A right checksum does not make a reading of nothing."""
    with pytest.raises(BadReading, match="without a known value"):
        decode(telegram("1-3:0.2.8(50)"), ONE)


def test_starts_in_the_middle_of_a_telegram() -> None:
    """What is left of the telegram that was under way is nobody's fault; garbage later is."""
    port = FakeSerial()
    with driver(port) as it:
        port.feed(GOOD[50:] + GOOD)
        assert it.read() == [decode(GOOD, it.options)]
        assert it.read() is None
        port.feed(b"\xff\x00noise" + GOOD)
        assert it.read() == [decode(GOOD, it.options)]
        with pytest.raises(BadReading, match="no telegram"):
            it.read()


def test_in_pieces() -> None:
    """A telegram that comes over two reads is one; one that stops half-way is a bad reading."""
    port = FakeSerial()
    with driver(port) as it:
        port.feed(GOOD[:50], after=0.7)
        port.feed(GOOD[50:], after=1.0)
        assert it.read() is None
        assert it.read() == [decode(GOOD, it.options)]
        port.feed(GOOD[:50])
        with pytest.raises(BadReading, match="incomplete"):
            it.read()


def test_no_more_than_asked_for() -> None:
    """``every`` thins out the telegrams of a meter that sends one a second."""
    port = FakeSerial()
    with driver(port, every="10s") as it:
        for second in range(31):
            port.feed(numbered(second), after=second)
        readings = []
        while it.time.now < 31:
            readings += it.read() or []
    assert [reading["energy_import_t1"] for reading in readings] == [0.426, 10.426, 20.426, 30.426]


def test_a_clock_that_is_a_little_fast() -> None:
    """Over a minute the telegrams come 10 s apart on average, although each is some ms early."""
    port = FakeSerial()
    with driver(port, every="10s") as it:
        for second in range(61):
            port.feed(numbered(second), after=second * 0.999)
        count = 0
        while it.time.now < 60:
            count += len(it.read() or [])
    assert count == 6


def test_nothing_but_garbage() -> None:
    """An inverted signal or the wrong version is said, and the garbage does not fill the memory."""
    port = FakeSerial()
    with driver(port) as it:
        port.feed(b"\x7f" * 17000)
        with pytest.raises(BadReading, match="no telegram in") as caught:
            it.read()
        assert "inverted" in caught.value.hint
        it.wait(36)
        port.feed(b"\x7f")
        with pytest.raises(BadReading, match="no telegram for") as caught:
            it.read()
    assert "inverted" in caught.value.hint


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(GOOD)), st.binary(max_size=20))
def test_anything_on_the_line(noise: bytes, cut: int, more: bytes) -> None:
    """Whatever comes is a bad reading at worst, and what follows is read."""
    port = FakeSerial()
    with driver(port) as it:
        port.feed(noise + GOOD[:cut] + more + GOOD)
        assert drain(it)[-1] == decode(GOOD, it.options)


def drain(it: DriverHarness) -> list[Any]:
    """All readings, until there are no more."""
    readings: list[Any] = []
    for _ in range(10):
        try:
            readings += it.read() or []
        except BadReading:
            continue
    return readings


def test_silence() -> None:
    """A meter that says nothing for half a minute is gone."""
    with driver(FakeSerial()) as it:
        assert it.read() is None
        it.wait(35)
        with pytest.raises(DeviceUnavailable, match="nothing came"):
            it.read()


def test_no_wrong_reading_on_a_noisy_line(pty_pair: PtyPair) -> None:
    """Every telegram arrives, in its order, through a real tty with garbage before each; nothing else is a reading."""
    frames = [numbered(n) for n in range(200)]
    expected = [decode(frame, ONE) for frame in frames]
    readings, bad = send_noisy(pty_pair, DsmrP1, {}, frames)
    assert count_wrong(readings, expected) == 0
    assert bad > 0
    assert len(readings) == 200
