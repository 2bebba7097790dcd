"""drivers/pn532.py: frames, and a chip that says nothing as long as there is no card."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tag_bench import TagBench
from support.vectors import Vector, vectors

from drivers.pn532 import ACK, WAKE_UP, Pn532, cards, frame, take
from gateway.driver import BadReading, DeviceUnavailable
from gateway.testing import DriverHarness, FakeHardware, FakeSerial

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


class Chip:
    """A PN532 on a port: asleep at power-on, patient when there is no card."""

    def __init__(self) -> None:
        self.card = ""
        self.awake = False
        self.configured = False
        self.asked = 0
        self.aborted = 0
        self.waits = False
        self.ic = 0x32
        self.port = FakeSerial(answer=self.hear)

    def hear(self, data: bytes) -> bytes:
        """What it says to that."""
        if data.startswith(WAKE_UP[:2]):
            self.awake, data = True, data[len(WAKE_UP) :]
        if not self.awake or not data:
            return b""
        content, _ = take(data)
        assert content is not None
        if content == b"":
            self.aborted += 1
            self.waits = False
            return b""
        assert not self.waits, "a command while another one is under way"
        return ACK + self.answer(content)

    def answer(self, content: bytes) -> bytes:
        """The answer to a command."""
        if content == b"\xd4\x02":
            return frame(bytes([0xD5, 0x03, self.ic, 1, 6, 7]))
        if content[:2] == b"\xd4\x14":
            self.configured = True
            return frame(b"\xd5\x15")
        assert self.configured
        assert content == b"\xd4\x4a\x01\x00"
        self.asked += 1
        if not self.card:
            self.waits = True
            return b""
        uid = bytes.fromhex(self.card)
        return frame(b"\xd5\x4b\x01\x01\x00\x44\x00" + bytes([len(uid)]) + uid)

    def power_cut(self) -> None:
        """It forgets all and sleeps."""
        self.awake = self.configured = self.waits = False


def harness(chip: Chip) -> DriverHarness:
    """The driver on that chip."""
    return DriverHarness(Pn532, hardware=FakeHardware(ports={PORT: chip.port}), port=PORT)


@pytest.mark.parametrize("uid", [UID4, UID7, UID10])
def test_a_card(uid: str) -> None:
    """Numbers of all three lengths; no card is no news, and the question is taken back."""
    chip = Chip()
    with harness(chip) as it:
        assert chip.port.settings is not None
        assert chip.port.settings.baudrate == 115_200
        assert it.read() is None
        assert chip.aborted == 1
        chip.card = uid
        assert it.read() == [{"tag": uid}]
        assert chip.aborted == 1


def test_visits() -> None:
    """Held for 10 s, swapped, taken: the events."""
    chip = Chip()
    table = TagBench("pn532", FakeHardware(ports={PORT: chip.port}), port=PORT)
    assert table.run_for(2.0) == []
    chip.card = UID7
    assert table.run_for(10.0) == [{"event": "arrived", "tag": UID7}]
    chip.card = UID4
    first, second = table.run_for(2.0)
    assert first == {"event": "arrived", "tag": UID4}
    assert (second["event"], second["tag"]) == ("left", UID7)
    assert second["dwell_s"] == pytest.approx(10.0, abs=0.5)
    chip.card = ""
    assert [event["tag"] for event in table.run_for(2.0)] == [UID4]
    assert table.ledger.failed == 0


def test_power_was_cut() -> None:
    """A chip that sleeps does not acknowledge: it is opened again, and a card that lay there has not left."""
    chip = Chip()
    table = TagBench("pn532", FakeHardware(ports={PORT: chip.port}), port=PORT)
    table.run_for(2.0)
    chip.card = UID7
    table.run_for(2.0)
    chip.power_cut()
    assert table.run_for(60.0) == []
    assert table.status.state == "online"
    assert table.ledger.failed == 1


def test_nobody_there() -> None:
    """Silence, and a chip of another kind."""
    with pytest.raises(DeviceUnavailable, match="no PN532 answers on /dev/ttyTEST"):
        DriverHarness(Pn532, hardware=FakeHardware(ports={PORT: FakeSerial()}), port=PORT).open()
    chip = Chip()
    chip.ic = 0x07
    with pytest.raises(DeviceUnavailable, match="this is no PN532"):
        harness(chip).open()


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
    chip = Chip()
    chip.card = UID4
    with harness(chip) as it:
        good = chip.answer
        monkeypatch.setattr(chip, "answer", lambda _: answer)
        with pytest.raises(BadReading, match=words):
            it.read()
        monkeypatch.setattr(chip, "answer", good)
        assert it.read() == [{"tag": UID4}]


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
