"""``sensorpost reload`` and SIGHUP, on a running gateway."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Mosquitto, Subscriber, free_port, wait_until

HEAD = """
[gateway]
id = "attic"
clock = "trusted"
drivers_dir = "own"
[mqtt]
url = "{url}"
[defaults]
interval = "50ms"
durability = "full"
"""
BASE = "sensorpost/attic"
OWN = '''"""Mine."""
from gateway.driver import Channel, Driver

class Mine(Driver):
    channels = (Channel("depth"),)
    interval = "50ms"

    def read(self):
        return {"depth": 1}
'''
Sensorpost = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


class House:
    """A gateway, its configuration, and what it publishes."""

    def __init__(self, folder: Path, broker: Mosquitto, start: Start) -> None:
        self.folder = folder
        self.url = broker.url
        self.subscriber = Subscriber(broker.port, [f"{BASE}/#"])
        (folder / "own").mkdir()
        (folder / "own" / "mine.py").write_text(OWN)
        self.configure("[devices.a]\n[devices.b]\n[devices.mine]\ndriver = 'mine'\n")
        self._log = (folder / "gateway.log").open("w")
        self.gateway = start("run", stdout=subprocess.DEVNULL, stderr=self._log)
        self.wait_readings("a", "b", "mine")

    def configure(self, devices: str, url: str = "") -> None:
        """Write the configuration; devices with a name of one letter are mocks."""
        mocks = re.sub(r"(\[devices\.\w\])", r'\1\ndriver = "mock"', devices)
        (self.folder / "sensorpost.toml").write_text(HEAD.format(url=url or self.url) + mocks)

    def seqs(self, device: str) -> list[int]:
        """The readings of a device that came live, in the order in which they came."""
        topic = f"{BASE}/{device}"
        return [json.loads(m.payload)["seq"] for m in self.subscriber.messages if m.topic == topic and not m.retain]

    def wait_readings(self, *devices: str) -> None:
        """Wait for a new reading of each."""
        before = {device: len(self.seqs(device)) for device in devices}
        wait_until(lambda: all(len(self.seqs(one)) > before[one] + 1 for one in devices), 20.0, "readings")

    def last(self, leaf: str) -> str:
        """The newest payload on a topic."""
        found = [m.payload.decode() for m in self.subscriber.messages if m.topic == f"{BASE}/{leaf}"]
        return found[-1] if found else "(never)"

    def hang_up(self) -> None:
        """SIGHUP."""
        self.gateway.send_signal(signal.SIGHUP)

    def log(self) -> str:
        """What the gateway has said."""
        return (self.folder / "gateway.log").read_text()

    def threads_and_files(self) -> tuple[int, int]:
        """How many it has."""
        process = Path(f"/proc/{self.gateway.pid}")
        return len(os.listdir(process / "task")), len(os.listdir(process / "fd"))  # noqa: PTH208 (a count is all)

    def close(self) -> None:
        """End it cleanly."""
        self.gateway.terminate()
        assert self.gateway.wait(30) == 0
        self._log.close()
        self.subscriber.close()


@pytest.fixture
def house(tmp_path: Path, make_mosquitto: Callable[..., Mosquitto], start: Start) -> Iterator[House]:
    """Three devices that run."""
    made = House(tmp_path, make_mosquitto(), start)
    with contextlib.closing(made):
        yield made


def lines(done: subprocess.CompletedProcess[str]) -> Any:
    """The one JSON object."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_only_what_is_different_begins_anew(house: House, sensorpost: Sensorpost) -> None:
    """A device that is as it was loses no reading; numbers go on; one that left is offline and without a status."""
    house.configure("[devices.a]\n[devices.b]\nseed = 5\n[devices.c]\n")
    assert lines(sensorpost("reload", "--json")) == {
        "added": ["c"],
        "changed": ["b"],
        "removed": ["mine"],
        "restart": [],
    }
    house.wait_readings("a", "b", "c")
    for device in ("a", "b", "c"):
        seqs = house.seqs(device)
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), device
    assert house.seqs("c")[0] == 1
    assert json.loads(house.last("a/status"))["restarts"] == 0
    wait_until(lambda: house.last("mine/availability") == "offline", what="the end of mine")
    wait_until(lambda: house.last("mine/status") == "", what="no status")
    wait_until(lambda: sorted(json.loads(house.last("gateway/devices"))) == ["a", "b", "c"])
    before = house.seqs("mine")[-1]
    house.configure("[devices.a]\n[devices.b]\nseed = 5\n[devices.c]\n[devices.mine]\ndriver = 'mine'\n")
    assert sensorpost("reload").stdout == "reloaded: 1 added (mine)\n"
    house.wait_readings("mine")
    assert house.seqs("mine")[-1] > before
    assert sorted(house.seqs("mine")) == house.seqs("mine")


def test_a_drivers_file_that_changed(house: House) -> None:
    """Its device begins anew with the new one, and no other; a file that was only touched changes nothing."""
    (house.folder / "own" / "mine.py").touch()
    house.hang_up()
    wait_until(lambda: "reloaded: no device changed" in house.log(), what="the first reload")
    (house.folder / "own" / "mine.py").write_text(OWN.replace('"depth"', '"height"'))
    house.hang_up()
    wait_until(lambda: "reloaded: 1 changed (mine)" in house.log(), what="the second")
    wait_until(lambda: "height" in json.loads(house.last("mine")), what="a reading of the new driver")
    assert json.loads(house.last("a/status"))["restarts"] == 0


def test_mistakes_change_nothing(house: House, sensorpost: Sensorpost) -> None:
    """Printed with file and line, exit code 78, and in the gateway's log; it goes on as before."""
    house.configure("[devices.a]\nintervall = '1s'\n[devices.b]\nseed = 'x'\n")
    done = sensorpost("reload")
    assert done.returncode == 78
    told = done.stderr.splitlines()
    assert len(told) == 3
    assert "sensorpost.toml:" in told[0]
    assert "devices.a.intervall" in told[0]
    assert told[2] == "sensorpost: the configuration is invalid; nothing was changed"
    assert "devices.a.intervall" in house.log()
    house.wait_readings("a", "b", "mine")
    assert "restarts" in json.loads(house.last("a/status"))


def test_quiet_leaves_it_to_the_log(house: House, sensorpost: Sensorpost) -> None:
    """What systemd runs: the exit code alone, since the gateway's own lines are in the journal already."""
    house.configure("[devices.a]\nintervall = '1s'\n")
    done = sensorpost("reload", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (78, "", "")
    assert "devices.a.intervall" in house.log()
    house.configure("[devices.a]\n[devices.b]\n")
    done = sensorpost("reload", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "reloaded: 1 removed (mine)" in house.log()


def test_another_broker(house: House, make_mosquitto: Callable[..., Mosquitto], sensorpost: Sensorpost) -> None:
    """The connection moves, and nothing is lost on the way."""
    other = make_mosquitto()
    there = Subscriber(other.port, [f"{BASE}/a"])
    with contextlib.closing(there):
        house.configure("[devices.a]\n[devices.b]\n[devices.mine]\ndriver = 'mine'\n", url=other.url)
        assert lines(sensorpost("reload", "--json"))["restart"] == []
        wait_until(lambda: len(there.messages) > 5, 20.0, "readings at the other broker")
        here, moved = house.seqs("a"), [json.loads(m.payload)["seq"] for m in there.messages]
        assert set(range(1, max(moved) + 1)) <= {*here, *moved}


def test_what_waits_for_a_restart_is_said(house: House, sensorpost: Sensorpost) -> None:
    """In the answer and in the log; the rest takes effect."""
    house.configure("[devices.a]\n[spool]\npath = 'elsewhere.db'\n")
    done = sensorpost("reload")
    assert done.stdout == "reloaded: 2 removed (b, mine); a restart is needed for spool.path\n"
    assert "a restart is needed for spool.path" in house.log()


def test_a_storm_of_reloads_leaves_nothing_behind(house: House) -> None:
    """No thread and no descriptor, whatever is changed back and forth."""
    before = house.threads_and_files()
    for number in range(60):
        house.configure(f"[devices.a]\n[devices.b]\nseed = {number}\n[devices.mine]\ndriver = 'mine'\n")
        house.hang_up()
        if number % 10 == 9:
            told = house.log().count("reloaded:")
            house.hang_up()
            wait_until(lambda told=told: house.log().count("reloaded:") > told, 20.0, "a reload")  # type: ignore[misc]
    house.wait_readings("a", "b", "mine")
    wait_until(lambda: house.threads_and_files() == before, 20.0, "the threads and files of before")
    seqs = house.seqs("b")
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def test_no_gateway(sensorpost: Sensorpost, tmp_path: Path) -> None:
    """One line."""
    (tmp_path / "sensorpost.toml").write_text(HEAD.format(url=f"mqtt://127.0.0.1:{free_port()}"))
    done = sensorpost("reload")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"sensorpost: no gateway runs here: nothing answers on {tmp_path}/state/control.sock\n"
