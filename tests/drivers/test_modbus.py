"""drivers/modbus.py: frames of many devices; tests/drivers/test_modbus_server.py has real servers."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.vectors import Vector, check_vector, vectors

from drivers.modbus import PROFILES, Modbus, Register, blocks, crc, decode, find_answer
from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.testing import DriverHarness, FakeHardware, FakeSerial

ASK = bytes.fromhex("01040000000271cb")
VOLTAGE = bytes.fromhex("010404436633341b38")


def driver(port: FakeSerial, **options: Any) -> DriverHarness:
    """The driver on this port."""
    return DriverHarness(Modbus, hardware=FakeHardware(ports={"/dev/x": port}), port="/dev/x", **options)


def meter(answer: bytes, **options: Any) -> DriverHarness:
    """A meter that is asked for its voltage and says this."""
    return driver(FakeSerial(answer={ASK: answer}), profile="sdm120", fields=["voltage"], **options)


def frame(text: str) -> bytes:
    """With its checksum."""
    return bytes.fromhex(text) + crc(bytes.fromhex(text))


PROFILE = {"sdm120/sdm630": "sdm120", "pzem-004t-v3": "pzem_004t", "senseair-s8": "senseair_s8"}


@pytest.mark.parametrize("vector", vectors(*PROFILE))
def test_vectors(vector: Vector) -> None:
    """Every case: the driver asks with the very request, and gets the answer."""
    asked = bytes.fromhex(vector["input"].get("request_hex", "01040000000a700d"))
    port = FakeSerial(answer={asked: bytes.fromhex(vector["input"]["response_hex"])})
    profile = PROFILE[vector["device"]]
    first, count = asked[3], asked[5]
    names = [register.name for register in PROFILES[profile] if first <= register.address < first + count]
    with driver(port, profile=profile, fields=names) as it:
        check_vector(vector, it.read, it.channels)
    assert port.sent == asked


@pytest.mark.parametrize(
    ("noise", "expected"),
    [
        (ASK + VOLTAGE, 230.2),
        (b"\x00\xff" + VOLTAGE, 230.2),
        (frame("02040400000000") + VOLTAGE, 230.2),
        (ASK, "no answer from unit 1"),
        (b"", "no answer from unit 1"),
        (VOLTAGE[:6], "half a frame"),
        (VOLTAGE[:-1] + b"\0", "wrong checksum"),
        (frame("02040443663334"), "half a frame"),
        (frame("018402"), "exception 2, no such register"),
        (ASK + frame("0184 63"), "exception 99"),
    ],
    ids=["echo", "noise", "another's late answer", "only an echo", "silence", "cut", "checksum", "other unit",
         "exception", "echo and exception"],
)  # fmt: skip
def test_what_is_on_the_line(noise: bytes, expected: float | str) -> None:
    """The answer is found between what else is there; everything else is a bad reading that says why."""
    with meter(noise) as it:
        if isinstance(expected, float):
            assert it.read() == {"voltage": pytest.approx(expected, abs=0.001)}
        else:
            with pytest.raises(BadReading, match=expected):
                it.read()
        assert it.time.now < 1.5


def test_pause_before_a_request() -> None:
    """3.5 characters of silence, which at 2400 baud are 16 ms; what an earlier answer left is thrown away."""
    with meter(VOLTAGE) as it:
        port = it.hardware.ports["/dev/x"]  # type: ignore[attr-defined]  # it is a FakeHardware
        assert str(port.settings) == "2400 baud, 8N1"
        assert port.shared
        port.feed(b"late")
        it.read()
        assert 0.016 < it.time.now < 0.02


def test_a_whole_profile() -> None:
    """All values of a meter, in as many requests as there are pieces."""

    def answer(request: bytes) -> bytes:
        first, count = request[2] * 256 + request[3], request[4] * 256 + request[5]
        data = b"".join(pack(">f", address) for address in range(first, first + count, 2))
        body = request[:2] + bytes([len(data)]) + data
        return body + crc(body)

    port = FakeSerial(answer=answer)
    with driver(port, profile="sdm630", unit=7) as it:
        result = it.read()
    assert isinstance(result, dict)
    assert list(result) == [channel.name for channel in it.channels]
    assert (result["voltage_l1"], result["voltage_l3"], result["current_l1"], result["power_factor_l3"]) == (
        0,
        4,
        6,
        34,
    )
    assert (result["power"], result["frequency"], result["energy_import"], result["energy_export"]) == (52, 70, 72, 74)
    assert len(port.sent) == 3 * 8  # 0 to 35, 52 and 53, 70 to 75


def test_blocks() -> None:
    """What follows closely is read together, up to what one request may ask for, each kind for itself."""

    def names(gap: int, *registers: Register) -> list[list[int]]:
        return [[register.address for register in block] for block in blocks(registers, gap)]

    def r(address: int, kind: Any = "holding", type_: Any = "uint16") -> Register:
        return Register(name="x", address=address, kind=kind, type=type_)

    assert names(0, r(2), r(0, type_="uint32"), r(5)) == [[0, 2], [5]]
    assert names(2, r(2), r(0), r(5)) == [[0, 2, 5]]
    assert names(0, r(0), r(1, "input"), r(2, "coil")) == [[2], [0], [1]]
    assert [len(block) for block in names(0, *(r(n) for n in range(130)))] == [125, 5]


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("fffe", {"type": "int16"}, -2),
        ("fffe", {}, 65534),
        ("0001 0002", {"type": "uint32"}, 65538),
        ("0002 0001", {"type": "uint32", "words": "low_first"}, 65538),
        ("ffff fffb", {"type": "int32", "scale": 0.1}, -0.5),
        ("08d1", {"scale": 0.1}, 225.7),
        ("0003", {"scale": 10}, 30),
        ("0003", {"scale": 0.3}, pytest.approx(0.9)),
        ("4366 3333", {"type": "float32"}, 230.2),
        ("3eaa aaab", {"type": "float32"}, 0.33333334),
        ("7f7f ffff", {"type": "float32"}, 3.4028235e38),
        ("8000 0000", {"type": "float32"}, 0.0),
        ("7fc0 0000", {"type": "float32"}, None),
        ("3ff8 0000 0000 0000", {"type": "float64"}, 1.5),
        ("0000 0000 0000 0007", {"type": "uint64"}, 7),
        ("08", {"kind": "coil", "address": 3}, True),
        ("08", {"kind": "discrete", "address": 4}, False),
    ],
)
def test_numbers(text: str, options: dict[str, Any], expected: Any) -> None:
    """Every type, in both orders of words; NaN is null."""
    register = Register(**({"name": "x", "address": 0} | options))
    assert decode(bytes.fromhex(text), register, 0) == expected


def test_a_table_of_ones_own() -> None:
    """Holding registers and coils of one device; bits become true and false."""
    answers = {frame("050300100001"): frame("0503020007"), frame("050100000002"): frame("05010102")}
    registers = [
        {"name": "level", "address": 0x10, "unit": "cm", "device_class": "distance"},
        {"name": "pump", "address": 0, "kind": "coil"},
        {"name": "alarm", "address": 1, "kind": "coil", "device_class": "problem"},
    ]
    with driver(FakeSerial(answer=answers), unit=5, registers=registers) as it:
        assert it.read() == {"level": 7, "pump": False, "alarm": True}


def tcp(body: str, transaction: int = 1) -> bytes:
    """A frame of Modbus TCP."""
    data = bytes.fromhex(body)
    return pack(">HHH", transaction, 0, len(data)) + data


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (tcp("01 04 04 43663334"), 230.2),
        (tcp("01 04 04 00000000", transaction=99) + tcp("01 04 04 43663334"), 230.2),
        (tcp("01 84 02"), BadReading),
        (tcp("01 03 04 43663334"), BadReading),
        (tcp("01 04 02 4366"), BadReading),
        (b"", BadReading),
        (b"HTTP/1.1 400 Bad Request", DeviceUnavailable),
        (tcp("01 04 04 43663334")[:9], DeviceUnavailable),
    ],
    ids=["good", "late answer before it", "exception", "other function", "too short", "silence", "no Modbus", "cut"],
)
def test_tcp(answer: bytes, expected: Any) -> None:
    """The transaction's number tells late answers apart; what is no Modbus ends the connection."""
    port = FakeSerial(answer={tcp("01 04 0000 0002"): answer})
    with driver(port, framing="tcp", profile="sdm120", fields=["voltage"]) as it:
        if isinstance(expected, float):
            assert it.read() == {"voltage": pytest.approx(expected, abs=0.001)}
        else:
            with pytest.raises(expected):
                it.read()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"profile": "sdm120", "fields": ["volts"]},
        {"registers": [{"name": "a", "address": 0}, {"name": "a", "address": 1}]},
        {"profile": "sdm120", "registers": [{"name": "voltage", "address": 1}]},
        {"registers": [{"name": "a", "address": 0, "unit": "V", "device_class": "current"}]},
    ],
)
def test_refused(options: dict[str, Any]) -> None:
    """Nothing to read, names that are not there or twice, and units that do not go with the class."""
    with pytest.raises(Misconfigured):
        driver(FakeSerial(), **options)


def test_an_answer_is_whole_and_right() -> None:
    """No part of one, and none with a bit turned over, is taken for an answer."""
    assert find_answer(VOLTAGE, ASK, 4) == VOLTAGE[:-2]
    for end in range(len(VOLTAGE)):
        assert find_answer(VOLTAGE[:end], ASK, 4) is None
    for bit in range(8 * len(VOLTAGE)):
        turned = bytearray(VOLTAGE)
        turned[bit // 8] ^= 1 << bit % 8
        assert find_answer(bytes(turned), ASK, 4) is None


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(0, 9))
def test_anything_on_the_line(noise: bytes, cut: int) -> None:
    """Whatever comes before an answer it is found, or it is a bad reading."""
    with meter(noise + VOLTAGE[:cut] + VOLTAGE) as it:
        try:
            assert it.read() == {"voltage": pytest.approx(230.2)}
        except BadReading as error:
            assert "exception" in str(error)  # noqa: PT017 (noise can be one, with the right checksum)


def test_unplugged() -> None:
    """The adapter goes and comes back."""
    with meter(VOLTAGE) as it:
        port = it.hardware.ports["/dev/x"]  # type: ignore[attr-defined]  # it is a FakeHardware
        port.unplug()
        with pytest.raises(DeviceUnavailable):
            it.read()
        port.plug_in()
        it.reopen()
        assert it.read() == {"voltage": pytest.approx(230.2)}
