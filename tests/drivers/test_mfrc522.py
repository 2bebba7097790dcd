"""drivers/mfrc522.py: the library mfrc522-python, as it is, on the model of a chip."""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from support.tag_bench import TagBench
from support.vectors import Vector, vectors

import drivers.mfrc522
from drivers.mfrc522 import Mfrc522, library
from gateway.driver import BadReading, DeviceUnavailable, Misconfigured
from gateway.hardware.private_library import private_library
from gateway.simulation.card import Classic, Ntag, PlainCard
from gateway.simulation.card_reader import SPICardReader as Chip
from gateway.status.board import State
from gateway.testing import DriverHarness, FakeGPIO, FakeHardware, FakeSPI, Simulated

A, B = "deadbeef", "04a23b5c6d7e80"


def hardware(*chips: Chip) -> FakeHardware:
    """A bus with these, each at its chip select."""
    return FakeHardware(
        spi={(0, index): FakeSPI(chip.transfer) for index, chip in enumerate(chips)}, gpio={25: FakeGPIO()}
    )


def harness(chip: Chip, **options: Any) -> DriverHarness:
    """The driver on one."""
    return DriverHarness(Mfrc522, hardware=hardware(chip), **options)


def bench(chip: Chip, **options: Any) -> TagBench:
    """The driver with its reader, which has looked at an empty antenna."""
    made = TagBench("mfrc522", hardware(chip), **options)
    assert made.run_for(2.0) == []
    assert made.status.state is State.ONLINE
    return made


def high_level(chip: Chip) -> Any:
    """The library's own BasicMFRC522 on that chip."""
    spi = FakeSPI(chip.transfer)
    spi.open("test", None)  # type: ignore[arg-type]
    reader_class = library(spi, lambda _: None)
    module = private_library("mfrc522", drivers.mfrc522.stand_ins(spi, lambda _: None))
    made = module.BasicMFRC522.__new__(module.BasicMFRC522)
    made.MFRC522, made.KEY = reader_class(), [0xFF] * 6
    return made


@pytest.mark.parametrize("vector", vectors("mfrc522"))
def test_vectors(vector: Vector) -> None:
    """Each case, by the library itself and by the driver."""
    given = vector["input"]
    expect = {one["name"]: one["value"] for one in vector["expect"].get("values", ())}
    if vector["interface"] == "crc_a":
        crc = high_level(Chip()).MFRC522.CalulateCRC(list(bytes.fromhex(given["hex"])))
        assert bytes(crc).hex() == expect["crc_lsb_first"]
    elif "miso" in given:
        place = hardware(Chip())
        place.selects[0, 0].unplug(0x00)
        with pytest.raises(DeviceUnavailable, match="no MFRC522 answers"):
            DriverHarness(Mfrc522, hardware=place).open()
    elif "card" in given:
        uid, polls = given["card"].split()[0], len(expect["lib_sequence"])
        reader = high_level(Chip(PlainCard(uid)))
        assert [reader.read_id_no_block() for _ in range(polls)] == expect["lib_sequence"]
        chip = Chip()
        table = bench(chip)
        chip.lay(PlainCard(uid))
        events = [event["event"] for event in table.run_for(0.2 * polls)]
        assert (events.count("arrived"), events.count("left")) == (expect["arrive_events"], expect["leave_events"])
    else:
        part = bytes.fromhex(given["anticoll_cl1_hex"])
        card = PlainCard(part[:4])
        card.parts = [part]
        lib_int = high_level(Chip(card)).read_id_no_block()
        with harness(Chip(card)) as it:
            if "error" in vector["expect"]:
                assert lib_int is None
                with pytest.raises(BadReading, match=vector["expect"]["error"]):
                    it.read()
                return
            (reading,) = it.read()  # type: ignore[misc]
        assert (lib_int, reading["tag"]) == (expect["lib_int"], expect["uid_hex"])
        assert len(bytes.fromhex(reading["tag"])) == expect["uid_len"]


def test_visits() -> None:
    """Cards of 4 and 7 bytes held for 10 s, swapped, two at once, taken."""
    chip = Chip()
    table = bench(chip)
    one, two = Classic(A), Ntag(B)
    chip.lay(one)
    assert table.run_for(10.0) == [{"event": "arrived", "tag": A}]
    chip.lay(two)
    arrived, left = table.run_for(10.0)
    assert arrived == {"event": "arrived", "tag": B}
    assert (left["event"], left["tag"]) == ("left", A)
    assert left["dwell_s"] == pytest.approx(10.0, abs=0.5)
    chip.lay(two, one)
    assert table.run_for(10.0) == [{"event": "arrived", "tag": A}]
    chip.lay()
    assert sorted(event["tag"] for event in table.run_for(2.0)) == [B, A]
    assert table.ledger.failed == 0


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_the_chip_is_lost_and_back(level: int) -> None:
    """Offline with the reason; when it is back, the card that lay there has neither left nor come."""
    chip = Chip()
    table = bench(chip)
    card = Ntag(B)
    chip.lay(card)
    table.run_for(2.0)
    table.hardware.selects[0, 0].unplug(level)
    assert table.run_for(30.0) == []
    assert table.status.state is State.OFFLINE
    assert f"its version reads {level:#04x}" in table.status.last_error
    table.hardware.selects[0, 0].plug_in()
    chip.brown_out()
    assert table.run_for(90.0) == []
    assert table.status.state is State.ONLINE
    chip.lay()
    assert [event["event"] for event in table.run_for(2.0)] == ["left"]


def test_a_brown_out() -> None:
    """The chip has forgotten what it was told: it is set up anew in the same read, and nobody notices."""
    chip = Chip()
    table = bench(chip)
    chip.lay(PlainCard(A))
    table.run_for(2.0)
    inits = chip.inits
    chip.brown_out()
    assert table.run_for(5.0) == []
    assert chip.inits == inits + 1
    assert (table.ledger.failed, table.ledger.reopens) == (0, 0)


def test_a_chip_that_goes_in_the_middle_of_a_read() -> None:
    """One call of the library is what it costs, not one for each that would follow."""
    chip = Chip(PlainCard(A))
    with harness(chip) as it:
        it.read()
        begun = it.time.now
        transfer, left = chip.transfer, [30]

        def fading(data: bytes) -> bytes:
            left[0] -= 1
            return transfer(data) if left[0] > 0 else bytes(len(data))

        it.hardware.selects[0, 0]._answer = fading  # type: ignore[attr-defined]
        with pytest.raises(DeviceUnavailable):
            it.read()
        assert it.time.now - begun < 2.5


def test_content() -> None:
    """With the arrival; a wrong key is null with the reason, and a bad reading."""
    chip = Chip()
    table = bench(chip, blocks=[8, 9], blocks_as="text", block_key="A0A1A2A3A4A5")
    key = bytes.fromhex("A0A1A2A3A4A5")
    chip.lay(Classic(A, {8: b"Anna".ljust(16, b"\0"), 9: b" Blue".ljust(16)}, key=key))
    (event,) = table.run_for(2.0)
    assert event == {"event": "arrived", "tag": A, "data": "Anna             Blue"}
    chip.lay(Classic("12345678"))
    events = {event["tag"]: event for event in table.run_for(2.0)}
    assert events["12345678"]["data"] is None
    assert "the key A is wrong" in events["12345678"]["data_error"]
    assert table.ledger.failed == 1
    assert table.status.last_error == "block 8 of a card: the key A is wrong"


def test_what_the_library_has_written() -> None:
    """A text of SimpleMFRC522.write is in three blocks of a sector, and comes as it was written."""
    chip = Chip(Classic(A))
    writer = high_level(chip)
    assert writer.write_no_block("Anna, first floor, from nine to five", 11)[0] == writer._uid_to_num(
        [*b"\xde\xad\xbe\xef\x22"]
    )
    with harness(chip, blocks=[8, 9, 10], blocks_as="text") as it:
        assert it.read() == [{"tag": A, "data": "Anna, first floor, from nine to five"}]


def test_what_the_library_reads_of_what_was_written() -> None:
    """The same text, filled up with spaces as its own."""
    card = Classic(A)
    with harness(Chip(card), blocks=[8, 9, 10], blocks_as="text", block_write=True) as it:
        it.write("data", "Berta, second floor")
        assert it.read() == [{"tag": A, "data": "Berta, second floor"}]
    card.lose_power()
    _, text = high_level(Chip(card)).read_no_block(11)
    assert text == "Berta, second floor".ljust(48)


def test_two_readers_in_two_threads() -> None:
    """Each has its own copy of the library; nothing of one is seen by the other."""
    chips = [Chip(PlainCard(A)), Chip(Ntag(B))]
    place = hardware(*chips)
    wrong: list[Any] = []

    def read(device: int, uid: str) -> None:
        with DriverHarness(Mfrc522, hardware=place, device=device) as it:
            for _ in range(100):
                time.sleep(0)
                if it.read() != [{"tag": uid}]:
                    wrong.append(device)

    threads = [threading.Thread(target=read, args=pair) for pair in enumerate((A, B))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_process_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real RPi.GPIO is not touched, the library's logger gets no handler, and nothing of it stays in the modules."""

    def touched(*_: object) -> None:
        raise AssertionError("the driver touched a pin of the process")

    gpio = SimpleNamespace(getmode=touched, setmode=touched, setup=touched, output=touched, cleanup=touched)
    monkeypatch.setitem(sys.modules, "RPi.GPIO", gpio)  # type: ignore[misc]  # any object can be there
    for _ in range(3):
        with harness(Chip(PlainCard(A))) as it:
            assert it.read() == [{"tag": A}]
    assert logging.getLogger("mfrc522Logger").handlers == []
    assert not any(name == "mfrc522" or name.startswith("mfrc522.") for name in sys.modules)


@pytest.mark.parametrize(
    ("version", "warned"),
    [(0x91, ""), (0x92, ""), (0x90, ""), (0x12, "counterfeit"), (0x88, "FM17522"), (0x77, "unknown")],
)
def test_copies_are_told(caplog: pytest.LogCaptureFixture, version: int, warned: str) -> None:
    """They work as well as they can."""
    with caplog.at_level(logging.WARNING), harness(Chip(PlainCard(A), version=version)) as it:
        assert it.read() == [{"tag": A}]
    assert warned in caplog.text
    assert bool(caplog.records) == bool(warned)


def test_the_reset_pin() -> None:
    """High while the reader is used; pulled for a moment when it does not answer."""
    chip = Chip()
    place = hardware(chip)
    with DriverHarness(Mfrc522, hardware=place, reset_pin=25) as it:
        assert [level for _, level in place.pins[25].written] == [True]
    it.reset()
    assert [level for _, level in place.pins[25].written] == [True, False, True]


def test_the_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """How to install it, without what it cannot be installed with."""

    def missing(name: str, _: object) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr("drivers.mfrc522.private_library", missing)
    with pytest.raises(Misconfigured, match="mfrc522-python is not installed") as caught:
        harness(Chip()).open()
    assert "pip install --no-deps mfrc522-python==0.0.9" in caught.value.hint


def test_the_other_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the same name, and cannot be used."""
    monkeypatch.setattr("drivers.mfrc522.private_library", lambda *_: SimpleNamespace(MFRC522=None))
    with pytest.raises(Misconfigured, match="is another library than mfrc522-python") as caught:
        harness(Chip()).open()
    assert "pip uninstall mfrc522" in caught.value.hint


def test_cards_come_and_go_in_a_simulation() -> None:
    """By themselves, at a rhythm that is the same in each run."""
    runs = []
    for _ in range(2):
        table = TagBench("mfrc522", blocks=[8], blocks_as="text")
        runs.append(table.run_for(120.0))
        assert table.status.state is State.ONLINE
    assert runs[0] == runs[1]
    assert len({event["tag"] for event in runs[0]}) > 1
    assert [event["event"] for event in runs[0]][:4] == ["arrived", "left"] * 2


def test_wrong_bits_on_the_bus_make_no_card() -> None:
    """In 1000 reads with a bit turned here and there: the card, nobody, or an error; and then all is well."""
    with Simulated(Mfrc522) as it:
        it.model.lay(Ntag(B))
        it.model.faults.flips = 0.002
        seen: set[str] = set()
        for _ in range(1000):
            try:
                seen |= {one["tag"] for one in it.read() or ()}  # type: ignore[call-overload, index]
            except BadReading:
                continue
            except DeviceUnavailable:
                it.model.faults.flips = 0.0
                it.reopen()
                it.model.faults.flips = 0.002
        assert seen == {B}
        it.model.faults.flips = 0.0
        it.reopen()
        assert it.read() == [{"tag": B}]
