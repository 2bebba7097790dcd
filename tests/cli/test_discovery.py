"""``sensorpost discovery``, and a gateway that announces its devices."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Mosquitto, Subscriber, free_port, wait_until

HEAD = '[gateway]\nid = "attic"\nclock = "trusted"\n[mqtt]\nurl = "{url}"\n[homeassistant]\ndiscovery = true\n'
OFFICE = '[devices.office]\ndriver = "mock"\nname = "Office"\ninterval = "100ms"\n'
BELL = '[devices.bell]\ndriver = "mock"\nkind = "event"\ninterval = "100ms"\n'
ABOVE = "homeassistant/device/sensorpost_attic"
Sensorpost = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


class House:
    """A configuration, a broker, and what is on it."""

    def __init__(self, folder: Path, broker: Mosquitto, start: Start) -> None:
        self.folder, self.broker, self._start = folder, broker, start
        self.subscriber = Subscriber(broker.port, ["#"])

    def configure(self, devices: str, head: str = HEAD) -> None:
        """Write the configuration."""
        (self.folder / "sensorpost.toml").write_text(head.format(url=self.broker.url) + devices)

    def run(self, seconds: str = "1s") -> None:
        """Run the gateway for a moment."""
        assert self._start("run", "--for", seconds, stderr=subprocess.DEVNULL).wait(20) == 0

    def kept(self, topic: str) -> bytes:
        """What the broker keeps on a topic."""
        fresh = Subscriber(self.broker.port, [topic, "sensorpost/attic/gateway/state"])
        try:
            fresh.wait_for(lambda message: message.topic == "sensorpost/attic/gateway/state")
            found = fresh.on(topic)
        finally:
            fresh.close()
        return found[-1].payload if found else b""

    def announced(self, device: str) -> Any:
        """What Home Assistant knows of a device; ``None``: nothing."""
        found = self.kept(f"{ABOVE}/{device}/config")
        return json.loads(found) if found else None


@pytest.fixture
def house(tmp_path: Path, make_mosquitto: Callable[..., Mosquitto], start: Start) -> Iterator[House]:
    """A house with a broker."""
    made = House(tmp_path, make_mosquitto(), start)
    yield made
    made.subscriber.close()


@pytest.mark.slow
def test_what_leaves_while_the_gateway_is_off_disappears(house: House, sensorpost: Sensorpost) -> None:
    """Announced, kept by the broker, taken back by the next run, and cleared by the command."""
    house.configure(OFFICE + BELL)
    house.run()
    assert house.announced("office")["device"]["name"] == "Office"
    assert house.announced("bell")["components"]["event-event"]["event_types"] == ["arrived"]
    house.configure(BELL)
    house.run()
    assert house.announced("office") is None
    assert house.announced("bell")
    assert house.kept("sensorpost/attic/office/status") == b""
    done = sensorpost("discovery", "clear")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"cleared {ABOVE}/{name}/config" for name in ("bell", "gateway")]
    assert "discovery is on" in done.stderr
    assert house.announced("bell") is None
    assert "nothing to clear" in sensorpost("discovery", "clear").stderr


@pytest.mark.slow
def test_a_birth_message_is_answered(house: House, start: Start) -> None:
    """With announcements, then with states and the newest readings, on the same connection."""
    house.configure(OFFICE)
    gateway = start("run", stderr=subprocess.DEVNULL)
    try:
        config = f"{ABOVE}/office/config"
        house.subscriber.wait_for(lambda message: message.topic == config)
        house.subscriber.wait_for(lambda message: message.topic == "sensorpost/attic/office")
        before = len(house.subscriber.on("sensorpost/attic/gateway/devices"))
        house.subscriber.publish("homeassistant/status", b"online")
        wait_until(lambda: len(house.subscriber.on(config)) == 2, 20.0, "the announcement")
        wait_until(lambda: len(house.subscriber.on("sensorpost/attic/gateway/devices")) > before, 20.0, "states")
    finally:
        gateway.terminate()
        assert gateway.wait(30) == 0


@pytest.mark.slow
def test_a_broker_that_forbids_it(tmp_path: Path, make_mosquitto: Callable[..., Mosquitto], start: Start) -> None:
    """One alarm for all devices that names what an access list has to allow; readings are not touched."""
    access = tmp_path / "acl"
    access.write_text("topic readwrite sensorpost/#\ntopic read homeassistant/#\n")
    access.chmod(0o644)
    house = House(tmp_path, make_mosquitto(f"acl_file {access}"), start)
    try:
        house.configure(OFFICE + BELL)
        house.run("3s")
        alarms = house.subscriber.on("sensorpost/attic/gateway/health")[-1].json()["alarms"]
        assert alarms == [f"the broker does not allow us to publish on {ABOVE}/+/config"]
        assert house.subscriber.on("sensorpost/attic/office")
    finally:
        house.subscriber.close()


@pytest.mark.slow
def test_retained_readings_expire_and_others_do_not(house: House) -> None:
    """With MQTT 5 a broker forgets a retained reading of a sampled device; not an event, not a status."""
    house.configure(OFFICE + BELL)
    house.run()

    def expiry(topic: str) -> int | None:
        properties = vars(house.subscriber.on(topic)[0].properties)
        found: int | None = properties.get("MessageExpiryInterval")
        return found

    assert 86_000 < (expiry("sensorpost/attic/office") or 0) <= 86_400
    assert expiry("sensorpost/attic/bell") is None
    assert expiry("sensorpost/attic/office/status") is None


def test_show(house: House, sensorpost: Sensorpost) -> None:
    """Entities as text and as JSON, without a broker; a device by name; what is switched off is said."""
    house.configure(OFFICE + BELL)
    text = sensorpost("discovery", "show", "office").stdout
    assert text.startswith(f"Office (mock) on {ABOVE}/office/config\n  sensor ")
    lines = [json.loads(line) for line in sensorpost("discovery", "show", "--json").stdout.splitlines()]
    before = sensorpost("discovery", "--json", "-c", "sensorpost.toml", "show").stdout
    assert [json.loads(line) for line in before.splitlines()] == lines
    assert [line["topic"] for line in lines] == [f"{ABOVE}/{name}/config" for name in ("gateway", "office", "bell")]
    off = HEAD.replace("discovery = true", "discovery = false")
    house.configure(OFFICE + "homeassistant = false\n", off)
    done = sensorpost("discovery", "show")
    assert "office" not in done.stdout
    assert done.stderr.splitlines() == [
        "discovery is off: nothing of this is published; to have it: [homeassistant] discovery = true",
        "office: homeassistant = false, so Home Assistant is not told of it",
    ]
    wrong = sensorpost("discovery", "show", "offce")
    assert (wrong.returncode, "did you mean office?" in wrong.stderr) == (1, True)


@pytest.mark.slow
def test_clear_without_a_broker(house: House, sensorpost: Sensorpost) -> None:
    """One line with the reason."""
    house.configure(OFFICE, HEAD.replace("{url}", f"mqtt://127.0.0.1:{free_port()}"))
    done = sensorpost("discovery", "clear", timeout=40)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("connection refused")
