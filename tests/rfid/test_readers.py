"""Every reader on the model of its chip, in a whole gateway that talks to a real broker: cards are laid and taken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.brokers import Mosquitto
from support.subscriber import Subscriber
from support.waiting import wait_until

from gateway.app import Gateway
from gateway.config.load import loads
from gateway.simulation.arrange import Simulation
from gateway.simulation.card import Classic, Ntag
from gateway.simulation.hardware import SimulatedHardware

HOLD = 1.5
"""Seconds that a card lies there."""
A, B = "deadbeef", "04a23b5c6d7e80"
TEXT = {8: b"Anna".ljust(16)}
CONFIG = """
[gateway]
id = "attic"
clock = "trusted"
[mqtt]
url = "{url}"
[devices.front]
driver = "mfrc522"
blocks = [8]
blocks_as = "text"
[devices.back]
driver = "mfrc522"
device = 1
[devices.desk]
driver = "ws1850s"
[devices.gate]
driver = "rdm6300"
port = "/dev/ttyGATE"
[devices.door]
driver = "pn532"
port = "/dev/ttyDOOR"
"""
READERS = ("front", "back", "desk", "gate", "door")
CARDS_OF: dict[str, tuple[Any, Any]] = {
    **{name: (Classic(A, TEXT), Ntag(B)) for name in ("front", "back", "desk")},
    "gate": ("62e3086ced", "100086f444"),
    "door": (A, B),
}


class House:
    """The gateway, its readers, and what came to the broker."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self._readers: dict[str, SimulatedHardware] = {}
        self._simulation = Simulation(as_real=True)
        self.subscriber = Subscriber(broker.port, ["sensorpost/attic/#"])
        self._stop = threading.Event()
        self._gateway = Gateway(
            loads(CONFIG.format(url=broker.url), folder=folder), hardware_for=self._hardware, state_dir=folder
        )
        self._thread = threading.Thread(target=self._gateway.run, args=(self._stop, None))
        self._thread.start()

    def close(self) -> None:
        """Stop it."""
        self._stop.set()
        self._thread.join()
        self.subscriber.close()

    def _hardware(self, device: str) -> SimulatedHardware:
        self._readers[device] = self._simulation.hardware(device)
        return self._readers[device]

    def model(self, device: str) -> Any:
        """The chip of a reader."""
        wait_until(
            lambda: device in self._readers and self._readers[device].model is not None, 5.0, f"the model of {device}"
        )
        return self._readers[device].model

    def lay(self, device: str, *numbers: int) -> None:
        """Put some of its cards on a reader, and take the others off."""
        self.model(device).lay(*(CARDS_OF[device][number] for number in numbers))

    def events(self, device: str, count: int, timeout: float = 20.0) -> list[dict[str, Any]]:
        """Wait for so many in all; all that have come."""
        topic = f"sensorpost/attic/{device}"
        self.subscriber.wait_for_count(count, lambda message: message.topic == topic, timeout)
        return [message.json() for message in self.subscriber.on(topic)]

    def state(self, device: str) -> str:
        """What the status topic says."""
        found = self.subscriber.on(f"sensorpost/attic/{device}/status")
        return str(found[-1].json()["state"]) if found else ""


@pytest.fixture
def house(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[House]:
    """All readers look at nothing."""
    made = House(tmp_path, mosquitto)
    try:
        for name in READERS:
            made.lay(name)
        for name in READERS:
            wait_until(lambda name=name: made.state(name) == "online", 20.0, f"{name} is online")
        pause(0.7)  # the first two reads show what lay there at the start
        yield made
    finally:
        made.close()


def pause(seconds: float) -> None:
    """Let cards lie for so long."""
    threading.Event().wait(seconds)


def told(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What happened to which tag."""
    return [(event["event"], event["tag"]) for event in events]


def tag(device: str, number: int) -> str:
    """How a card is called."""
    card = CARDS_OF[device][number]
    return card if isinstance(card, str) else card.uid.hex()


def on_all(do: Callable[[str], None]) -> None:
    """The same with every reader."""
    for name in READERS:
        do(name)


@pytest.mark.slow
def test_all_readers_at_once(house: House) -> None:
    """Held, swapped, taken on five readers in five threads; one chip is lost and back while its card lies there."""
    on_all(lambda name: house.lay(name, 0))
    pause(HOLD)
    on_all(lambda name: house.lay(name, 1))
    pause(HOLD)
    for name in READERS:
        first, second = tag(name, 0), tag(name, 1)
        events = house.events(name, 3)
        assert sorted(told(events)) == sorted([("arrived", first), ("arrived", second), ("left", first)])
        (left,) = [event for event in events if event["event"] == "left"]
        assert left["dwell_s"] == pytest.approx(HOLD, abs=0.9)
        assert "at_start" not in events[0]
    assert house.events("front", 1)[0]["data"] == "Anna"
    house.model("front").faults.silent = True
    house.model("front").brown_out()
    wait_until(lambda: house.state("front") == "offline", 20.0, "it is lost")
    house.model("front").faults.silent = False
    wait_until(lambda: house.state("front") == "online", 15.0, "it is back")
    pause(HOLD)
    assert [len(house.events(name, 3)) for name in READERS] == [3] * 5
    on_all(house.lay)
    for name in READERS:
        assert told(house.events(name, 4, timeout=30.0))[-1] == ("left", tag(name, 1))
