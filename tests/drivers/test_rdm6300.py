"""drivers/rdm6300.py: frames found in whatever a serial line brings."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.pty import PtyPair
from support.tag_bench import TagBench
from support.vectors import Vector, vectors

from drivers.rdm6300 import NUMBERS, Rdm6300, cut, decode
from gateway.driver import BadReading, DeviceUnavailable
from gateway.hardware.real import RealHardware
from gateway.status.board import State
from gateway.testing import DriverHarness, FakeHardware, FakeSerial, build_options

PORT = "/dev/ttyTEST"
ERRORS = {"checksum": "checksum", "framing": "hexadecimal digits"}


def frame(tag: bytes, *, crlf: bool = False) -> bytes:
    """What a reader sends of a tag."""
    checksum = 0
    for byte in tag:
        checksum ^= byte
    return b"\x02" + (tag + bytes([checksum])).hex().upper().encode() + (b"\r\n" if crlf else b"") + b"\x03"


GOOD = frame(bytes.fromhex("62E3086CED"))


def harness(port: FakeSerial, **options: Any) -> DriverHarness:
    """The driver on a port."""
    return DriverHarness(Rdm6300, hardware=FakeHardware(ports={PORT: port}), port=PORT, **options)


def bench(port: FakeSerial, **options: Any) -> TagBench:
    """The driver and its reader, which has looked at an empty coil."""
    made = TagBench("rdm6300", FakeHardware(ports={PORT: port}), port=PORT, **options)
    assert made.run_for(1.0) == []
    return made


@pytest.mark.parametrize("vector", vectors("rdm6300", "id-12la"))
def test_vectors(vector: Vector) -> None:
    """Each case on the wire."""
    data = bytes.fromhex(vector["input"]["hex"])
    expect = {one["name"]: one["value"] for one in vector["expect"].get("values", ())}
    forms = {"tag_hex10": "hex", "dec10": "dec10", "wiegand_3_5": "3+5", "id32": "dec10"}
    for name, form in forms.items():
        if name in expect:
            port = FakeSerial()
            with harness(port, number=form) as it:
                port.feed(data)
                (reading,) = it.read()  # type: ignore[misc]
            assert reading["tag"] == expect["tag_hex10"].lower()
            number = int(reading["number"]) if name == "id32" else reading["number"]
            assert number == expect[name]
    if "arrive_events" in expect:
        port = FakeSerial()
        table = bench(port)
        period = vector["input"]["frame_period_ms"] / 1000
        for index in range(len(data) // 14):
            port.feed(data[14 * index : 14 * index + 14], after=index * period)
        events = [event["event"] for event in table.run_for(3.0)]
        assert events == ["arrived", "left"] * expect["arrive_events"]
    if "error" in vector["expect"]:
        port = FakeSerial()
        with harness(port) as it:
            port.feed(data)
            with pytest.raises(BadReading, match=ERRORS[vector["expect"]["error"]]):
                it.read()
            port.feed(GOOD)
            assert it.read() == [{"tag": "62e3086ced"}]


def test_the_forms_of_a_number() -> None:
    """As the help of the option says."""
    tag = bytes.fromhex("100086F444")
    help_ = build_options(Rdm6300, {"port": PORT}).__dataclass_fields__["number"].metadata["help"]
    for form, write in NUMBERS.items():
        assert f"{form} {write(tag)}" in help_


def test_a_number_beside_a_hash_is_refused() -> None:
    """It would give the tag away."""
    with pytest.raises(ValueError, match="number would show the tag that hash_salt hides"):
        build_options(Rdm6300, {"port": PORT, "number": "hex", "hash_salt": "0123456789abcdef"})


def test_a_tag_that_is_held() -> None:
    """Ten seconds of frames are one visit; 300 ms of silence end it."""
    port = FakeSerial()
    table = bench(port)
    for index in range(154):
        port.feed(GOOD, after=0.065 * index)
    assert table.run_for(10.0) == [{"event": "arrived", "tag": "62e3086ced"}]
    (event,) = table.run_for(0.6)
    assert event["dwell_s"] == pytest.approx(9.945, abs=0.1)


def test_an_id_12la_says_a_tag_once() -> None:
    """Each time it is presented is an arrival, and nobody leaves."""
    port = FakeSerial()
    table = bench(port, model="id12la")
    for _ in range(2):
        port.feed(frame(bytes.fromhex("62E3086CED"), crlf=True))
        assert [event["event"] for event in table.run_for(5.0)] == ["arrived"]


def test_a_frame_in_pieces() -> None:
    """Bytes that come one by one are a frame all the same."""
    port = FakeSerial()
    table = bench(port)
    for index, byte in enumerate(GOOD):
        port.feed(bytes([byte]), after=0.02 * index)
    assert [event["event"] for event in table.run_for(2.0)] == ["arrived", "left"]


def test_bad_frames_do_not_hide_the_good_ones() -> None:
    """The tag comes first, the trouble after it, and then all is well."""
    port = FakeSerial()
    with harness(port) as it:
        port.feed(GOOD[:-3] + b"00\x03" + GOOD)
        assert it.read() == [{"tag": "62e3086ced"}]
        with pytest.raises(BadReading, match="checksum"):
            it.read()
        assert it.read() is None


def test_unplugged() -> None:
    """It has to be opened again; half a frame of before is forgotten."""
    port = FakeSerial()
    with harness(port) as it:
        port.feed(GOOD[:7])
        assert it.read() is None
        port.unplug()
        with pytest.raises(DeviceUnavailable):
            it.read()
        port.plug_in()
        it.reopen()
        port.feed(GOOD[7:] + GOOD)
        assert it.read() == [{"tag": "62e3086ced"}]


@given(st.binary(max_size=40), st.lists(st.tuples(st.binary(min_size=5, max_size=5), st.binary(max_size=20))))
@example(b"\x02", [(b"abcde", b"")])
@example(b"\x02123456789012", [(b"abcde", b"\x03")])
def test_frames_are_found_in_any_garbage(garbage: bytes, frames: list[tuple[bytes, bytes]]) -> None:
    """All of them, in their order, however the bytes come; what is between them makes no tag."""
    stream = garbage + b"".join(frame(tag) + after for tag, after in frames)
    for size in (1, 3, 17, len(stream) or 1):
        rest, found = b"", []
        for start in range(0, len(stream), size):
            cuts, rest = cut(rest + stream[start : start + size])
            found += cuts
            assert len(rest) <= 16
        assert [tag for one in found if (tag := tag_or_none(one))] == [tag for tag, _ in frames]


def tag_or_none(digits: bytes) -> bytes | None:
    """A tag, unless the frame is bad."""
    try:
        return decode(digits)
    except BadReading:
        return None


def test_ten_thousand_frames_through_a_pty_with_garbage_between(pty_pair: PtyPair) -> None:
    """Bytes are lost, changed and added: not one tag that is none, and each whole frame is heard."""
    rng = random.Random(6300)
    stream, whole = bytearray(), 0
    for index in range(10_000):
        sent = bytearray(frame(index.to_bytes(5, "big")))
        damage = rng.random()
        if damage < 0.1:
            del sent[rng.randrange(14)]
        elif damage < 0.2:
            sent[rng.randrange(1, 13)] ^= 1 << rng.choice((0, 1, 2, 3, 4, 6))  # 5 makes small letters
        else:
            whole += 1
        stream += sent + (rng.randbytes(rng.randrange(20)) if index % 3 == 0 else b"")
    hardware = FakeHardware()
    real = RealHardware("test")
    hardware.serial = real.serial  # type: ignore[method-assign, assignment]
    heard: list[int] = []
    bad = 0
    feeding = threading.Thread(target=pty_pair.feed, args=(bytes(stream),))
    with DriverHarness(Rdm6300, hardware=hardware, port=pty_pair.path) as it:
        feeding.start()
        quiet = False
        while feeding.is_alive() or pty_pair.unread() or not quiet:
            try:
                readings = it.read()
            except BadReading:
                bad += 1
            else:
                quiet = readings is None
                heard += [int(one["tag"], 16) for one in readings or ()]  # type: ignore[call-overload, index]
        feeding.join()
    assert heard == sorted(set(heard)), "a tag that nobody sent, or one twice"
    assert set(heard) <= set(range(10_000))
    assert len(heard) == whole
    assert bad > 0


def test_cards_come_and_go_in_a_simulation() -> None:
    """By themselves, at a rhythm that is the same in each run."""
    runs = []
    for _ in range(2):
        table = TagBench("rdm6300", port="/dev/x")
        runs.append(table.run_for(120.0))
        assert (table.ledger.failed, table.status.state) == (0, State.ONLINE)
    assert runs[0] == runs[1]
    assert len({event["tag"] for event in runs[0]}) > 1
    assert [event["event"] for event in runs[0]][:4] == ["arrived", "left"] * 2


def test_the_models_of_both_kinds() -> None:
    """An RDM6300 repeats itself, an ID-12LA does not; two tags at once are none."""
    for model, events in (("rdm6300", ["arrived", "left"]), ("id12la", ["arrived"])):
        table = TagBench("rdm6300", port="/dev/x", model=model)
        table.run_for(0.5)
        table.model.lay()
        table.run_for(1.0)
        table.model.lay("62e3086ced")
        first = table.run_for(5.0)
        table.model.lay("62e3086ced", "0102030405")
        assert [event["event"] for event in first + table.run_for(2.0)] == events
        assert {event["tag"] for event in first} == {"62e3086ced"}


def test_noise_on_the_line_makes_no_tag() -> None:
    """Bad readings, and the tag; the visit lasts."""
    table = TagBench("rdm6300", port="/dev/x")
    table.run_for(0.5)
    table.model.lay()
    table.run_for(1.0)
    table.model.lay("62e3086ced")
    table.run_for(1.0)
    table.model.faults.flips = 0.02
    assert table.run_for(20.0) == []
    assert table.ledger.failed > 10
