"""Cards are written by both drivers on the models of their chips, and over MQTT; nobody comes or goes because of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import Mosquitto, Subscriber
from support.faults.gateway_process import COMMAND, GatewayProcess
from support.tag_bench import TagBench

from gateway.simulation.card import Bits, Classic, Ntag, PlainCard
from gateway.status.board import State

A, B = "deadbeef", "04a23b5c6d7e80"
TEXT = {"blocks": [8, 9, 10], "blocks_as": "text", "block_write": True}
OLD, NEW = "Anna, first floor, from nine to five o'clock....", "Berta, second floor, from ten to six o'clock...."
READERS = pytest.mark.parametrize("driver", ["mfrc522", "ws1850s"])


class Leaving(Classic):
    """A card to which something happens while its block 9 is written."""

    happens: Callable[[], object] = staticmethod(lambda: None)

    def _second_frame(self, data: bytes, block: int) -> Bits:
        answer = super()._second_frame(data, block)
        if block == 9:
            self.happens()
        return answer


def holding(text: str, make: type[Classic] = Classic, **more: Any) -> Any:
    """A card with a text."""
    content = text.encode().ljust(48)
    return make(A, {block: content[16 * n : 16 * n + 16] for n, block in enumerate((8, 9, 10))}, **more)


def text_of(card: Classic) -> str:
    """What it holds."""
    return b"".join(card.blocks[block] for block in (8, 9, 10)).decode()


def bench(driver: str, *cards: PlainCard, **more: Any) -> TagBench:
    """A reader with these on it, which have arrived."""
    table = TagBench(driver, **(TEXT | more))
    assert table.run_for(2.0) == []  # before its first visitor
    table.model.lay(*cards)
    assert {event["tag"] for event in table.run_for(2.0)} == {card.uid.hex() for card in cards}
    return table


@READERS
def test_a_held_card_is_written(driver: str) -> None:
    """Ten times, and it neither leaves nor arrives; its next visit tells what it holds now."""
    card = holding(OLD)
    table = bench(driver, card)
    for number in range(10):
        assert table.write(f"Berta {number}") == ""
        assert table.run_for(0.3) == []
    assert table.run_for(5.0) == []
    table.model.lay()
    (left,) = table.run_for(5.0)
    assert (left["event"], left["dwell_s"]) == ("left", pytest.approx(10.0, abs=0.5))
    table.model.lay(card)
    assert table.run_for(2.0) == [{"event": "arrived", "tag": A, "data": "Berta 9"}]
    assert (table.ledger.failed, table.ledger.reopens, table.status.state) == (0, 0, State.ONLINE)


@READERS
def test_a_card_that_is_written_as_soon_as_it_lies_there(driver: str) -> None:
    """Before any read has seen it: it arrives with what it holds then."""
    table = bench(driver)
    table.model.lay(holding(OLD))
    assert table.write(NEW) == ""
    assert table.values() == [{"event": "arrived", "tag": A, "data": NEW}]
    assert table.run_for(5.0) == []


REFUSED: dict[str, tuple[Callable[[], list[PlainCard]], dict[str, Any], str]] = {
    "nobody": (list, {}, "no card lies on the reader"),
    "two": (lambda: [holding(OLD), Ntag(B)], {}, "2 cards lie on the reader"),
    "NTAG": (lambda: [Ntag(B, bytes(180))], {}, "this card has no blocks that can be written"),
    "DESFire": (lambda: [PlainCard(B)], {}, "this card has no blocks that can be written"),
    "key": (lambda: [holding(OLD, key=bytes(6))], {}, "block 8 of a card: the key A is wrong; nothing is written"),
    "key B": (
        lambda: [holding(OLD, key_b=bytes(6))],
        {"block_key_type": "B"},
        "block 8 of a card: the key B is wrong; nothing is written",
    ),
    "writer": (
        lambda: [holding(OLD, writers="B")],
        {},
        "block 8 of a card: it does not let it be written with the key A; nothing is written",
    ),
}


@READERS
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(driver: str, case: str) -> None:
    """With the reason, which is counted once and goes by; nothing is changed, and nobody comes or goes."""
    make, more, words = REFUSED[case]
    cards = make()
    table = bench(driver, *cards, **more)
    failed = table.ledger.failed
    error = table.write(NEW)
    assert error is not None
    assert error.startswith(words)
    assert all(text_of(card) == OLD for card in cards if isinstance(card, Classic))
    assert table.run_for(0.3) == []
    assert table.run_for(5.0) == []
    assert (table.ledger.failed, table.ledger.reopens, table.status.state) == (failed + 1, 0, State.ONLINE)


@READERS
def test_a_card_that_is_taken_away(driver: str) -> None:
    """What is written by then is said, and true; it has left, and when it is back the rest can be written."""
    card = holding(OLD, Leaving)
    table = bench(driver, card)
    card.happens = table.model.lay
    error = table.write(NEW)
    assert error == "block 9 of a card: it was taken away; written: 8; in doubt: 9; as before: 10"
    assert text_of(card) == NEW[:32] + OLD[32:]
    assert [event["event"] for event in table.run_for(5.0)] == ["left"]
    card.happens = lambda: None
    table.model.lay(card)
    assert [event["data"] for event in table.run_for(2.0)] == [NEW[:32] + OLD[32:]]
    assert table.write(NEW) == ""
    assert text_of(card) == NEW


@READERS
def test_a_chip_that_goes_in_the_middle(driver: str) -> None:
    """The same; the device is offline, and back with the card that has neither left nor arrived."""
    card = holding(OLD, Leaving)
    table = bench(driver, card)
    card.happens = table.model.unplug
    error = table.write(NEW)
    assert error is not None
    assert error.endswith("; written: 8; in doubt: 9; as before: 10")
    assert table.run_for(10.0) == []
    assert table.status.state is State.OFFLINE
    card.happens = lambda: None
    table.model.plug_in()
    assert table.run_for(60.0) == []
    assert table.status.state is State.ONLINE
    assert table.write(NEW) == ""
    assert text_of(card) == NEW


@READERS
def test_a_chip_that_has_lost_its_power_before(driver: str) -> None:
    """It is set up anew, as for a read."""
    card = holding(OLD)
    table = bench(driver, card)
    table.model.brown_out()
    assert table.write(NEW) == ""
    assert text_of(card) == NEW
    assert table.run_for(5.0) == []


@READERS
def test_wrong_bits_on_the_bus(driver: str) -> None:
    """Whatever is turned: what is said to be written is, and no other block is ever touched."""
    card = holding(OLD)
    table = bench(driver, card)
    rest = {block: bytes(content) for block, content in card.blocks.items() if block not in (8, 9, 10)}
    done = 0
    for number in range(150):
        text = f"{number:03}".ljust(40, "x")
        table.model.faults.flips = 0.001
        error = table.write(text)
        table.model.faults.flips = 0.0
        if error == "":
            done += 1
            assert text_of(card) == text.ljust(48)
        table.run_for(1.0 if table.status.state is State.ONLINE else 60.0)
    assert 20 < done < 150
    assert {block: content for block, content in card.blocks.items() if block not in (8, 9, 10)} == rest


CONFIG = """
[gateway]
id = "attic"
clock = "trusted"
[mqtt]
url = "{url}"
[commands]
enabled = true
[devices.door]
driver = "mfrc522"
bus = 3
device = 4
isolation = "thread"
blocks = [8, 9, 10]
blocks_as = "text"
block_write = true
[devices.desk]
driver = "ws1850s"
bus = 5
address = 0x5B
isolation = "process"
blocks = [8, 9, 10]
blocks_as = "text"
block_write = true
[devices.gate]
driver = "mfrc522"
bus = 4
blocks = [8]
"""
CARDS = {"door": "deadbeef", "desk": "9a1c227f"}
"""A card with blocks is the first and the second to come at these places."""


def test_over_mqtt(tmp_path: Path, mosquitto: Mosquitto, finally_do: Callable[[Callable[[], object]], None]) -> None:
    """A gateway on simulated hardware and a broker: asked, answered, written, and read on the next visit."""
    ear = Subscriber(mosquitto.port, ["sensorpost/attic/#"])
    finally_do(ear.close)
    command = [*COMMAND, "--simulate", "--as-real"]
    gateway = GatewayProcess(tmp_path / "site", CONFIG.format(url=mosquitto.url), command=command)
    finally_do(gateway.kill)
    gateway.start()

    def answer(device: str, value: object, id_: str) -> dict[str, Any]:
        body = {"id": id_, "device": device, "channel": "data", "value": value}
        ear.publish("sensorpost/attic/gateway/request/set", json.dumps(body).encode())
        topic = "sensorpost/attic/gateway/response/set"
        came = ear.wait_for(lambda one: one.topic == topic and one.json()["id"] == id_, 15.0)
        return {key: value for key, value in came.json().items() if key != "id"}

    def arrival(device: str, data: str) -> None:
        wanted = {"event": "arrived", "tag": CARDS[device], "data": data}
        ear.wait_for(
            lambda one: one.topic == f"sensorpost/attic/{device}" and wanted.items() <= one.json().items(), 30.0
        )

    for device in CARDS:
        ear.wait_for(lambda one, at=f"sensorpost/attic/{device}/availability": one.topic == at and one.text == "online")
    words = "no card lies on the reader; lay it there first, and leave it until the answer comes"
    assert answer("desk", "Carla", "n1") == {"ok": False, "error": f"desk: {words}"}
    words = "accepted: a text of at most 48 bytes without control characters"
    assert answer("desk", "x" * 49, "n2") == {"ok": False, "error": f'data cannot be "{"x" * 49}"; {words}'}
    assert answer("gate", "Carla", "n3") == {"ok": False, "error": "gate has no channel that can be set"}
    arrival("desk", "Berta           ground floor")
    assert answer("desk", "Carla, 1. Stock, Gr\u00fc\u00dfe", "n4") == {"ok": True, "device": "desk", "channel": "data"}
    arrival("door", "Anna            first floor")
    ear.publish("sensorpost/attic/door/set/data", b"Dora")
    arrival("desk", "Carla, 1. Stock, Gr\u00fc\u00dfe")
    arrival("door", "Dora")
    for device in CARDS:
        events = [message.json()["event"] for message in ear.on(f"sensorpost/attic/{device}")]
        assert events[:3] == ["arrived", "left", "arrived"]
    assert ear.on("sensorpost/attic/desk/status")[-1].json()["failed"] == 1
    code, _ = gateway.terminate()
    assert code == 0
