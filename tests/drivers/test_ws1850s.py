"""drivers/ws1850s.py: the same cards as on SPI, by the chip's registers on I2C."""

from __future__ import annotations

from typing import Any

import pytest
from support.tag_bench import TagBench
from support.vectors import Vector, vectors

from drivers.ws1850s import Ws1850s
from gateway.driver import BadReading, DeviceUnavailable
from gateway.simulation.card import Classic, Ntag, PlainCard
from gateway.simulation.card_reader import I2CCardReader as Chip
from gateway.status.board import State
from gateway.testing import DriverHarness, FakeHardware, FakeI2C, Simulated, build_options

A, B, C = "deadbeef", "04a23b5c6d7e80", "0102030405060708090a"


def unit(*cards: PlainCard, version: int = 0x15) -> tuple[Chip, FakeI2C]:
    """A unit, and its place on the bus."""
    chip = Chip(*cards, version=version)

    def answer(data: bytes, size: int) -> bytes:
        chip.write(data)
        return chip.read(size)

    return chip, FakeI2C(answer=answer)


def harness(wire: FakeI2C, **options: Any) -> DriverHarness:
    """The driver on it."""
    return DriverHarness(Ws1850s, hardware=FakeHardware(i2c={(1, 0x28): wire}), **options)


def bench(wire: FakeI2C, **options: Any) -> TagBench:
    """The driver with its reader, which has looked at an empty antenna."""
    made = TagBench("ws1850s", FakeHardware(i2c={(1, 0x28): wire}), **options)
    assert made.run_for(2.0) == []
    assert made.status.state is State.ONLINE
    return made


@pytest.mark.parametrize("vector", [one for one in vectors("mfrc522") if "anticoll_cl1_hex" in one.values[0]["input"]])
def test_the_numbers_of_the_mfrc522s_vectors(vector: Vector) -> None:
    """The chip is the same."""
    part = bytes.fromhex(vector["input"]["anticoll_cl1_hex"])
    card = PlainCard(part[:4])
    card.parts = [part]
    with harness(unit(card)[1]) as it:
        if "error" in vector["expect"]:
            with pytest.raises(BadReading, match=vector["expect"]["error"]):
                it.read()
            return
        (reading,) = it.read()  # type: ignore[misc]
    assert reading["tag"] == next(one["value"] for one in vector["expect"]["values"] if one["name"] == "uid_hex")


@pytest.mark.parametrize("version", [0x15, 0x91, 0x92, 0x90, 0x88, 0x12])
def test_every_version(version: int) -> None:
    """The unit, the older one, and copies."""
    with harness(unit(PlainCard(A), version=version)[1]) as it:
        assert it.read() == [{"tag": A}]


@pytest.mark.parametrize("version", [0x00, 0xFF, 0xA0])
def test_another_device_at_the_address(version: int) -> None:
    """It is not set up."""
    chip, wire = unit(version=version)
    with pytest.raises(DeviceUnavailable, match=f"its version reads {version:#04x}"):
        harness(wire).open()
    assert chip.inits == 0


def test_a_chip_that_stays_in_its_reset() -> None:
    """It cannot be opened, and that takes no longer than it has to."""
    chip, wire = unit()
    chip.get = lambda register: 0x30 if register == 0x01 else Chip.get(chip, register)  # type: ignore[method-assign]
    it = harness(wire)
    with pytest.raises(DeviceUnavailable, match="does not come out of its reset"):
        it.open()
    assert it.time.now < 0.2


def test_visits() -> None:
    """Numbers of all lengths; held, swapped, several at once, taken."""
    chip, wire = unit()
    table = bench(wire)
    one, two, three = Classic(A), Ntag(B), PlainCard(C)
    chip.lay(one)
    assert table.run_for(10.0) == [{"event": "arrived", "tag": A}]
    chip.lay(two)
    assert [(event["event"], event["tag"]) for event in table.run_for(10.0)] == [("arrived", B), ("left", A)]
    chip.lay(three, two, one)
    assert sorted(event["tag"] for event in table.run_for(10.0)) == [C, A]
    chip.lay()
    assert [event["event"] for event in table.run_for(2.0)] == ["left"] * 3
    assert table.ledger.failed == 0


def test_behind_a_multiplexer() -> None:
    """Two units, whose address is the same."""
    places = {(1, 0x28, 0x70, channel): unit(PlainCard(uid))[1] for channel, uid in enumerate((A, B))}
    hardware = FakeHardware(i2c=places)  # type: ignore[arg-type]
    for channel, uid in enumerate((A, B)):
        with DriverHarness(Ws1850s, hardware=hardware, mux=0x70, mux_channel=channel) as it:
            assert it.read() == [{"tag": uid}]


def test_unplugged_and_back() -> None:
    """Offline; and the card that lay there has neither left nor come."""
    chip, wire = unit()
    table = bench(wire)
    chip.lay(Ntag(B))
    table.run_for(2.0)
    wire.unplug()
    assert table.run_for(30.0) == []
    assert table.status.state is State.OFFLINE
    chip.brown_out()
    wire.plug_in()
    assert table.run_for(90.0) == []
    assert table.status.state is State.ONLINE


def test_a_brown_out() -> None:
    """Set up anew in the same read."""
    chip, wire = unit()
    table = bench(wire)
    chip.lay(PlainCard(A))
    table.run_for(2.0)
    chip.brown_out()
    assert table.run_for(5.0) == []
    assert (chip.inits, table.ledger.failed, table.ledger.reopens) == (2, 0, 0)


def test_what_the_chip_is_set_to() -> None:
    """As M5Stack does it: timer, modulation, the highest gain, the field."""
    chip, wire = unit()
    with harness(wire) as it:
        it.read()
        for register, value in {0x2A: 0x80, 0x2B: 0xA9, 0x2C: 3, 0x2D: 0xE8, 0x15: 0x40, 0x11: 0x3D}.items():
            assert chip.get(register) == value
        assert chip.get(0x26) & 0x70 == 0x70
        assert chip.get(0x14) & 3 == 3


def test_content() -> None:
    """Of a sector and of pages; a wrong key is null with the reason, and a bad reading."""
    text = {8: b"Anna".ljust(16, b"\0")}
    with harness(unit(Classic(A, text))[1], blocks=[8], blocks_as="text") as it:
        assert it.read() == [{"tag": A, "data": "Anna"}]
    with harness(unit(Ntag(B, bytes(64)))[1], blocks=[4]) as it:
        assert it.read() == [{"tag": B, "data": "00" * 16}]
    with harness(unit(Classic(A, text, key=bytes(6)))[1], blocks=[8]) as it:
        assert it.read() == [{"tag": A, "data": None, "data_error": "block 8 of a card: the key A is wrong"}]
        with pytest.raises(BadReading, match="the key A is wrong"):
            it.read()


def test_options_of_both_kinds_are_checked() -> None:
    """Of the bus, and of cards."""
    with pytest.raises(ValueError, match="mux and mux_channel belong together"):
        build_options(Ws1850s, {"mux": 0x70})
    with pytest.raises(ValueError, match="from 0 to 255"):
        build_options(Ws1850s, {"blocks": [300]})


def test_cards_come_and_go_in_a_simulation() -> None:
    """By themselves, at a rhythm that is the same in each run."""
    runs = []
    for _ in range(2):
        table = TagBench("ws1850s")
        runs.append(table.run_for(120.0))
        assert (table.ledger.failed, table.status.state) == (0, State.ONLINE)
    assert runs[0] == runs[1]
    assert len({event["tag"] for event in runs[0]}) > 1
    assert [event["event"] for event in runs[0]][:4] == ["arrived", "left"] * 2


def test_wrong_bits_on_the_bus_make_no_card() -> None:
    """In 1000 reads with a bit turned here and there: the card, nobody, or an error; and then all is well."""
    with Simulated(Ws1850s) as it:
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
