"""drivers/pn532.py: frames, and a chip that says nothing as long as there is no card."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tag_bench import TagBench
from support.vectors import Vector, vectors

from drivers.pn532 import Pn532, cards, frame, take
from gateway.driver import BadReading, DeviceUnavailable
from gateway.status.board import State
from gateway.testing import DriverHarness, FakeHardware, FakeSerial, Simulated

PORT = "/dev/ttyTEST"
ERRORS = {"checksum": "checksum", "framing": "broken frame", "nak": "NAK", "device_error": "complains"}
UID4, UID7, UID10 = "deadbeef", "0416c6c2d73881", "0102030405060708090a"


@pytest.mark.parametrize("vector", vectors("pn532"))
def test_vectors(vector: Vector) -> None:
    """Each case on the wire."""
    expect = {one["name"]: one["value"] for one in vector["expect"].get("values", ())}
    if "encode" in vector["input"]:
        assert frame(bytes.fromhex(vector["input"]["encode"])).hex() == expect["frame_hex"]
        return
    data = bytes.fromhex(vector["input"]["hex"])
    if "error" in vector["expect"]:
        with pytest.raises(BadReading, match=ERRORS[vector["expect"]["error"]]):
            take(data)
        return
    content, rest = take(data)
    assert content is not None
    assert rest.strip(b"\0") == b""
    if "frame" in expect:
        assert (expect["frame"], content) == ("ACK", b"")
    if "ic" in expect:
        assert list(content[2:]) == [expect[name] for name in ("ic", "ver", "rev", "support")]
    if "targets" in expect:
        found = cards(content[2:])
        assert len(found) == expect["targets"]
        for sens_res, sel_res, uid in found:
            assert (sens_res.hex(), f"{sel_res:02x}", uid.hex()) == tuple(
                expect[name] for name in ("sens_res", "sel_res", "uid_hex")
            )


def harness(*cards: str) -> Simulated:
    """The driver on a reader on which these lie."""
    made = Simulated(Pn532, port=PORT)
    made.model.lay(*cards)
    return made


def bench() -> TagBench:
    """The driver with its reader, which has looked at an empty antenna."""
    made = TagBench("pn532", port=PORT)
    made.run_for(0.3)
    made.model.lay()
    assert made.run_for(2.0) == []
    return made


@pytest.mark.parametrize("uid", [UID4, UID7, UID10])
def test_a_card(uid: str) -> None:
    """Numbers of all three lengths; no card is no news, and the question is taken back."""
    with harness() as it:
        assert it.read() is None
        assert it.model.aborted == 1
        it.model.lay(uid)
        assert it.read() == [{"tag": uid}]
        assert it.model.aborted == 1


def test_a_card_that_comes_while_it_is_asked_for() -> None:
    """It is told at once."""
    with harness() as it:
        it.model.call(0.05, lambda: it.model.lay(UID7))
        before = it.time.now
        assert it.read() == [{"tag": UID7}]
        assert it.time.now - before < 0.1


def test_visits() -> None:
    """Held for 10 s, swapped, taken: the events."""
    table = bench()
    table.model.lay(UID7)
    assert table.run_for(10.0) == [{"event": "arrived", "tag": UID7}]
    table.model.lay(UID4)
    first, second = table.run_for(2.0)
    assert first == {"event": "arrived", "tag": UID4}
    assert (second["event"], second["tag"]) == ("left", UID7)
    assert second["dwell_s"] == pytest.approx(10.0, abs=0.5)
    table.model.lay()
    assert [event["tag"] for event in table.run_for(2.0)] == [UID4]
    assert table.ledger.failed == 0


@pytest.mark.parametrize("trouble", ["brown_out", "unplug"])
def test_power_was_cut(trouble: str) -> None:
    """A chip that sleeps does not acknowledge: it is opened again, and a card that lay there has not left."""
    table = bench()
    table.model.lay(UID7)
    table.run_for(2.0)
    getattr(table.model, trouble)()
    assert table.run_for(3.0) == []
    table.model.plug_in()
    assert table.run_for(60.0) == []
    assert table.status.state == "online"
    table.model.lay()
    assert [event["event"] for event in table.run_for(2.0)] == ["left"]


def test_nobody_there() -> None:
    """Silence, and a chip of another kind."""
    with pytest.raises(DeviceUnavailable, match="no PN532 answers on /dev/ttyTEST"):
        DriverHarness(Pn532, hardware=FakeHardware(ports={PORT: FakeSerial()}), port=PORT).open()
    it = harness()
    it.model.chip = 0x07
    with pytest.raises(DeviceUnavailable, match="this is no PN532"):
        it.open()


@pytest.mark.parametrize(
    ("deaf_to", "words"), [(b"\xd4\x02", "does not say its version"), (b"\xd4\x14", "does not wake up")]
)
def test_a_chip_that_acknowledges_and_does_nothing(monkeypatch: pytest.MonkeyPatch, deaf_to: bytes, words: str) -> None:
    """It cannot be opened, and the reason is said."""
    it = harness()
    good = it.model.command
    monkeypatch.setattr(it.model, "command", lambda content: None if content.startswith(deaf_to) else good(content))
    with pytest.raises(DeviceUnavailable, match=words):
        it.open()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (frame(b"\xd5\x03\x32\x01\x06\x07"), "something else"),
        (frame(b"\xd5\x4b\x01\x01\x00\x44\x00\x05abcde"), "number of 5 bytes"),
        (frame(b"\xd5\x4b\x01\x01\x00\x44\x00\x07abc"), "number of 7 bytes"),
        (bytes.fromhex("0000ff01ff7f8100"), "complains"),
    ],
)
def test_answers_that_are_none(monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str) -> None:
    """A bad reading each, and the next read is a good one."""
    with harness(UID4) as it:
        good = it.model.command
        monkeypatch.setattr(it.model, "command", lambda _: it.model.send(answer, 0.002))
        with pytest.raises(BadReading, match=words):
            it.read()
        monkeypatch.setattr(it.model, "command", good)
        assert it.read() == [{"tag": UID4}]


def test_a_wrong_bit_makes_no_card() -> None:
    """In any of the answers: a bad reading, nobody, or the card."""
    with harness(UID7) as it:
        for _ in range(200):
            it.model.faults.corrupt = 2
            with contextlib.suppress(BadReading, DeviceUnavailable):
                assert it.read() in (None, [{"tag": UID7}])
        it.model.faults.corrupt = 0
        assert it.read() == [{"tag": UID7}]


def test_two_cards_and_what_they_say_of_themselves() -> None:
    """The second is found behind the first's ATS."""
    ats = b"\x05\x78\x80\x70\x02"
    first = b"\x01\x03\x44\x20\x07" + bytes.fromhex(UID7) + ats
    second = b"\x02\x00\x04\x08\x04" + bytes.fromhex(UID4)
    assert [uid.hex() for _, _, uid in cards(b"\x02" + first + second)] == [UID7, UID4]


@given(st.binary(max_size=20), st.binary(min_size=1, max_size=255), st.integers(1, 40))
def test_a_frame_is_found_in_pieces(before: bytes, content: bytes, size: int) -> None:
    """Whatever came before it that is no beginning of a frame."""
    if content[0] == 0x7F:
        content = b"\xd5" + content[1:]
    data = before.replace(b"\xff", b"").rstrip(b"\0") + frame(content)
    unread, found = b"", None
    for start in range(0, len(data), size):
        found, unread = take(unread + data[start : start + size])
        if found is not None:
            break
    assert found == content


def test_an_extended_frame() -> None:
    """More than 255 bytes."""
    content = bytes([0xD5]) * 300
    head = b"\x00\x00\xff\xff\xff" + (300).to_bytes(2, "big")
    data = head + bytes([-sum(head[5:]) % 256]) + content + bytes([-sum(content) % 256, 0])
    assert take(data) == (content, b"\0")
    assert take(data[:20]) == (None, data[1:20])


def test_cards_come_and_go_in_a_simulation() -> None:
    """By themselves, at a rhythm that is the same in each run."""
    runs = []
    for _ in range(2):
        table = TagBench("pn532", port="/dev/x")
        runs.append(table.run_for(120.0))
        assert (table.ledger.failed, table.status.state) == (0, State.ONLINE)
    assert runs[0] == runs[1]
    assert len({event["tag"] for event in runs[0]}) > 1
    assert [event["event"] for event in runs[0]][:4] == ["arrived", "left"] * 2
