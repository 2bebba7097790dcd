"""Commands over MQTT: a real gateway and a real broker, as anybody with a client sees them."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Mosquitto, Subscriber, wait_until

BASE = "sensorpost/attic"
HEAD = """
[gateway]
id = "attic"
clock = "trusted"
[mqtt]
url = "{url}"
[spool]
keep = "1h"
[commands]
enabled = {enabled}
"""
OFFICE = """
[devices.office]
driver = "mock"
interval = "100ms"
signals.level = { shape = "constant", value = 20, min = 5, max = 30, unit = "°C", writable = true }
signals.relay = { shape = "constant", value = false, writable = true }
signals.mode = { shape = "constant", value = "eco", values = ["boost"], writable = true }
"""
APART = """
[devices.apart]
driver = "mock"
isolation = "process"
interval = "1h"
signals.relay = { shape = "constant", value = false, writable = true }
"""
STUCK = """
[devices.stuck]
driver = "mock"
isolation = "thread"
interval = "100ms"
timeout = "300ms"
faults = [{ kind = "hang", at = "1s", for = "1h" }]
"""
APART_BY = 0.21
"""Seconds from one request to the next."""
FLOOD_LIMIT = 20 * 1024
"""KiB: what a flood may add to the memory."""


class House:
    """A gateway, and somebody who asks it."""

    def __init__(self, folder: Path, broker: Mosquitto, start: Callable[..., subprocess.Popen[str]]) -> None:
        self.folder = folder
        self._url = broker.url
        self._start = start
        self.ear = Subscriber(broker.port, [f"{BASE}/#"])
        self._number = 0
        self._next = 0.0
        self._log = (folder / "gateway.log").open("w")
        self.gateway: subprocess.Popen[str] | None = None

    def run(self, devices: str = OFFICE, *, enabled: bool = True) -> House:
        """Start it, and wait for its first reading."""
        self.configure(devices, enabled=enabled)
        self.gateway = self._start("run", stdout=subprocess.DEVNULL, stderr=self._log)
        self.ear.wait_for(lambda message: message.topic == f"{BASE}/office", timeout=20)
        return self

    def configure(self, devices: str, *, enabled: bool = True) -> None:
        """Write the configuration."""
        text = HEAD.format(url=self._url, enabled=str(enabled).lower()) + devices
        (self.folder / "sensorpost.toml").write_text(text)

    def ask(self, verb: str, timeout: float = 20.0, **body: Any) -> Any:
        """A request, at most five a second, and its answer without the id."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + APART_BY
        self._number += 1
        id_ = f"n{self._number}"
        self.ear.publish(f"{BASE}/gateway/request/{verb}", json.dumps({"id": id_, **body}).encode())
        return self.answer(verb, id_, timeout)

    def answer(self, verb: str, id_: str | None, timeout: float = 20.0) -> Any:
        """The answer to a request, which is retained by nobody."""
        topic = f"{BASE}/gateway/response/{verb}"
        came = self.ear.wait_for(lambda one: one.topic == topic and one.json()["id"] == id_, timeout)
        assert (came.retain, came.qos) == (False, 1)
        return {key: value for key, value in came.json().items() if key != "id"}

    def wait_state(self, device: str, state: str, since: int = 0) -> None:
        """Wait until a device is in that state, told after the first ``since`` messages."""
        topic = f"{BASE}/{device}/status"

        def there() -> bool:
            told = [one for one in self.ear.messages[since:] if one.topic == topic]
            return bool(told) and told[-1].json()["state"] == state

        wait_until(there, 15.0, f"{device} {state}")

    def readings(self, device: str = "office") -> list[dict[str, Any]]:
        """Those that have come live."""
        return [one.json() for one in self.ear.on(f"{BASE}/{device}")]

    def wait_reading(self, wanted: Callable[[dict[str, Any]], bool], device: str = "office") -> None:
        """Wait for a reading like that."""
        self.ear.wait_for(lambda one: one.topic == f"{BASE}/{device}" and wanted(one.json()), 20.0)

    def log(self) -> str:
        """What the gateway has said."""
        return (self.folder / "gateway.log").read_text()

    def close(self) -> None:
        """End it cleanly."""
        if self.gateway is not None:
            self.gateway.terminate()
            assert self.gateway.wait(30) == 0
        self._log.close()
        self.ear.close()


@pytest.fixture
def house(
    tmp_path: Path, make_mosquitto: Callable[..., Mosquitto], start: Callable[..., subprocess.Popen[str]]
) -> Iterator[House]:
    """One that the test starts."""
    made = House(tmp_path, make_mosquitto(), start)
    with contextlib.closing(made):
        yield made


def test_every_verb(house: House) -> None:
    """Each does what it says, is answered with its id, and is in the log."""
    house.run(OFFICE + APART)
    answer = house.ask("read", device="office")
    assert answer["ok"]
    reading = answer["reading"]
    assert (reading["device"], reading["level"], reading["mode"]) == ("office", 20.0, "eco")
    house.wait_reading(lambda one: one["seq"] == reading["seq"])

    health = house.ask("health")
    assert health["ok"]
    assert health["health"]["devices"]["total"] == 2
    house.wait_reading(lambda _: True, "apart")

    told = len(house.ear.messages)
    assert house.ask("disable", device="apart") == {"ok": True, "device": "apart"}
    house.wait_state("apart", "disabled", told)
    assert house.ask("restart", device="apart")["error"] == "apart: it is disabled; enable it instead"
    told = len(house.ear.messages)
    assert house.ask("enable", device="apart") == {"ok": True, "device": "apart"}
    house.wait_state("apart", "online", told)
    wait_until(lambda: len(house.readings("apart")) >= 2, what="a reading with each start")

    told = len(house.ear.messages)
    assert house.ask("restart", device="apart") == {"ok": True, "device": "apart"}
    house.wait_state("apart", "online", told)
    wait_until(lambda: len(house.readings("apart")) >= 3, what="a reading with each start")

    answer = house.ask("resend", since="1h")
    assert answer["ok"]
    assert answer["readings"]["office"] > 5

    assert house.ask("set", device="office", channel="level", value=21.5) == {
        "ok": True,
        "device": "office",
        "channel": "level",
    }
    house.wait_reading(lambda one: one["level"] == 21.5)
    assert house.ask("set", device="office", channel="level", value=99) == {
        "ok": False,
        "error": "level cannot be 99; accepted: from 5 to 30 °C",
    }
    log = house.log()
    for verb in ("read", "health", "disable", "enable", "restart", "resend", "set"):
        assert f'command {verb}: {{"id": "n' in log
    assert "command set refused: level cannot be 99" in log


def test_a_plain_payload(house: House) -> None:
    """On the device's own topic, in a thread and in a process of its own; an hour before the next poll is due."""
    house.run(OFFICE + APART)
    house.wait_state("apart", "online")
    for device, channel, payload, value in (
        ("office", "relay", b"on", True),
        ("office", "mode", b"boost", "boost"),
        ("office", "level", b"7.5", 7.5),
        ("apart", "relay", b"true", True),
    ):
        house.ear.publish(f"{BASE}/{device}/set/{channel}", payload)
        house.wait_reading(lambda one, channel=channel, value=value: one[channel] == value, device)  # type: ignore[misc]
    house.ear.publish(f"{BASE}/office/set/level", b"hot")
    wait_until(lambda: 'command office/set/level refused: level cannot be "hot"' in house.log())


def test_reload(house: House) -> None:
    """What has changed, or what is wrong with the file; a device that was disabled is what its new settings say."""
    house.run(OFFICE + APART)
    told = len(house.ear.messages)
    house.ask("disable", device="apart")
    house.wait_state("apart", "disabled", told)
    assert house.ask("reload")["text"] == "no device changed"
    house.configure(OFFICE + APART + "seed = 3\n")
    told = len(house.ear.messages)
    answer = house.ask("reload")
    assert (answer["ok"], answer["changed"]) == (True, ["apart"])
    house.wait_state("apart", "online", told)
    house.configure(OFFICE + "intervall = 3\n")
    answer = house.ask("reload")
    assert not answer["ok"]
    assert "nothing was changed; " in answer["error"]
    assert "intervall" in answer["error"]


def test_off_unless_enabled(house: House) -> None:
    """Nobody listens before; a reload switches it on and off, and no reading is lost by that."""
    house.run(enabled=False)
    house.ear.publish(f"{BASE}/gateway/request/health", b'{"id":"early"}')
    house.configure(OFFICE)
    assert house.gateway is not None
    house.gateway.send_signal(signal.SIGHUP)
    wait_until(lambda: "what is listened to has changed" in house.log())
    wait_until(lambda: house.log().count("connected to") == 2)
    house.ear.publish(f"{BASE}/gateway/request/health", b'{"id":"on"}')
    house.answer("health", "on")
    house.configure(OFFICE, enabled=False)
    house.ask("reload")  # the answer survives the connection that is begun anew because of it
    wait_until(lambda: house.log().count("connected to") == 3)
    house.ear.publish(f"{BASE}/gateway/request/health", b'{"id":"late"}')
    count = len(house.readings())
    wait_until(lambda: len(house.readings()) > count + 10)
    answered = {one.json()["id"] for one in house.ear.on(f"{BASE}/gateway/response/health")}
    assert answered == {"on"}
    numbers = {one["seq"] for one in house.readings()}
    assert numbers == set(range(1, max(numbers) + 1))


def test_a_retained_request_is_ignored(house: House) -> None:
    """Also a value that lies on the topic of a channel: nothing happens at a start that nobody wants now."""
    house.ear.publish(f"{BASE}/gateway/request/disable", b'{"id":"old","device":"office"}', retain=True)
    house.ear.publish(f"{BASE}/office/set/relay", b"on", retain=True)
    house.run()
    wait_until(lambda: house.log().count("ignored, because it is retained") == 2)
    assert house.ask("health")["ok"]
    assert not any(one.topic.endswith("response/disable") for one in house.ear.messages)
    assert not any(one["relay"] for one in house.readings())


def test_garbage(house: House) -> None:
    """Each gets one clear line; the gateway goes on."""
    house.run()
    for verb, payload, words in (
        ("read", b"garbage", "no JSON"),
        ("restart", b'{"device":"office"}', '"id": a text'),
        ("health", b" " * 70_000, "70000 bytes; 65536 is the most"),
        ("set", b"[" * 60_000, "no JSON"),
    ):
        house.ear.publish(f"{BASE}/gateway/request/{verb}", payload)
        answer = house.answer(verb, None)
        assert not answer["ok"]
        assert words in answer["error"]
    time.sleep(1.0)  # five in a second are taken, and these come in the next
    assert house.ask("reboot")["error"].startswith('there is no "reboot"; verbs are read,')
    assert house.ask("restart", device="ofice")["error"] == 'there is no device "ofice"; did you mean office?'
    assert house.ask("read", device="office\x1b[2J\n2026-01-01T00:00:00Z error forged")["error"].startswith(
        'there is no device "office\\x1b[2J\\x0a2026'
    )
    assert house.ask("health")["ok"]
    log = house.log()
    assert "\x1b" not in log
    assert not any(line.startswith("2026-01-01") for line in log.splitlines())
    assert "Traceback" not in log


def test_a_hung_device_is_restarted(house: House) -> None:
    """Its thread is left behind, another one begins; the others lose nothing by it."""
    house.run(OFFICE + STUCK)
    house.wait_state("stuck", "hung")
    before = house.ask("health")["health"]["devices"]["hung"]
    assert before == 1
    told = len(house.ear.messages)
    assert house.ask("restart", device="stuck") == {"ok": True, "device": "stuck"}
    house.ear.wait_for(lambda one: one.topic == f"{BASE}/stuck/status" and one.json()["abandoned"] >= 1, 15.0)
    assert len(house.ear.messages) > told
    assert house.ask("set", device="stuck", channel="temperature", value=1)["error"] == (
        "stuck has no channel that can be set"
    )
    numbers = [one["seq"] for one in house.readings()]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.alone
def test_a_flood(house: House) -> None:
    """Of a thousand requests five a second are carried out; readings come on time, the memory stays."""
    house.run()
    assert house.gateway is not None
    status = Path(f"/proc/{house.gateway.pid}/status")

    def resident() -> int:
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))

    house.ask("health")
    memory, first = resident(), len(house.readings())
    began = time.monotonic()
    sent = [
        house.ear._client.publish(f"{BASE}/gateway/request/health", json.dumps({"id": f"f{number}"}), qos=1)
        for number in range(1000)
    ]
    sent[-1].wait_for_publish(20.0)
    assert time.monotonic() - began < 20, "that was no flood"
    time.sleep(1.1)  # the next second
    assert house.ask("health")["ok"]
    seconds = time.monotonic() - began
    answers = [one.json() for one in house.ear.on(f"{BASE}/gateway/response/health") if one.json()["id"][0] == "f"]
    assert 5 <= sum(one["ok"] for one in answers) <= 5 * (int(seconds) + 1)
    assert len(answers) <= 10 * (int(seconds) + 1)
    assert {one["error"] for one in answers if not one["ok"]} == {
        "too many requests: at most 5 are carried out in a second"
    }
    assert resident() - memory < FLOOD_LIMIT
    assert len(house.readings()) - first >= seconds * 10 - 5
    numbers = [one["seq"] for one in house.readings()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "more request(s) ignored: more than 5 in a second" in house.log()
    assert house.log().count("command health") < 50 * (int(seconds) + 1)
