"""Tags on a reader, from the driver through the whole gateway to a real broker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.brokers import Mosquitto
from support.tag_table import TagTable
from support.waiting import wait_until

A, B = "04a23b5c6d7e80", "deadbeef"
SETTLED = 1.5
"""Seconds in which a wrong event would have come."""
Lay = Callable[..., TagTable]


@pytest.fixture
def lay(tmp_path: Path, mosquitto: Mosquitto, finally_do: Callable[[Callable[[], object]], None]) -> Lay:
    """``lay("04a2", keys="...")``: a gateway that has started with these on its reader; ended after the test."""

    def make(*tags: str, keys: str = "") -> TagTable:
        table = TagTable(tmp_path / "site", mosquitto, keys)
        finally_do(table.close)
        table.put(*tags)
        table.start()
        return table

    return make


def test_a_visit(lay: Lay) -> None:
    """A card that lay there at the start, another one, and what the contract says of each."""
    table = lay(A)
    assert table.events(1) == [{"event": "arrived", "tag": A, "at_start": True}]
    time.sleep(0.3)  # the first two reads show what lay there at the start
    table.put(A, B)
    assert table.events(2)[1:] == [{"event": "arrived", "tag": B}]
    table.put(B)
    (event,) = table.events(3)[2:]
    assert 0 < event.pop("dwell_s") < 10
    assert event == {"event": "left", "tag": A}
    table.put()
    assert table.events(4)[3]["tag"] == B
    (device,) = table.newest("gateway/devices").values()
    assert device["kind"] == "event"
    assert [channel["key"] for channel in device["channels"]] == ["event", "tag", "dwell_s", "at_start"]


def test_a_held_card_arrives_once(lay: Lay) -> None:
    """Its process ends twice, then the device is changed by a reload: nothing arrives again, and then it leaves."""
    table = lay("04a2", keys='isolation = "process"')
    table.events(1)
    for restarts in (1, 2):
        table.put("exit")
        wait_until(lambda n=restarts: table.newest("door/status")["restarts"] == n, 20.0, "the process is replaced")
        wait_until(lambda: table.newest("door/status")["state"] == "online", 15.0, "it is back")
    table.configure('isolation = "thread"\ninterval = "60ms"')
    time.sleep(SETTLED)
    assert len(table.events(1)) == 1
    table.put()
    (event,) = table.events(2, timeout=30.0)[1:]
    assert event["event"] == "left"
    assert event["dwell_s"] > SETTLED


def test_a_thread_that_hangs_lets_nothing_arrive_twice(lay: Lay) -> None:
    """Another one takes its place; what the old one brings when it wakes counts for nothing."""
    table = lay("04a2", keys='isolation = "thread"\ntimeout = "300ms"')
    table.events(1)
    table.put("hang")
    wait_until(lambda: table.newest("door/status")["abandoned"] == 1, 20.0, "it is given up")
    wait_until(lambda: table.newest("door/status")["state"] == "online", 15.0, "it is back")
    time.sleep(3.0)  # the old one wakes
    assert len(table.events(1)) == 1
    table.put()
    assert [event["event"] for event in table.events(2)] == ["arrived", "left"]


def test_the_list_serves_while_the_broker_is_away(lay: Lay, mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Events of that time come late, with what the list said then; a list that was broken meanwhile is in the log."""
    file = tmp_path / "site" / "tags.toml"
    file.parent.mkdir()
    file.write_text(f"[tags]\n{A} = 'Anna'\n")
    table = lay(keys='tag_list = "tags.toml"\ngone_after = "100ms"')
    wait_until(lambda: table.newest("door/status")["state"] == "online", 20.0, "it reads")
    time.sleep(0.3)
    mosquitto.kill()
    table.put(A)
    time.sleep(0.5)
    table.put()
    time.sleep(0.5)
    file.write_text("[tags]\nbroken\n")
    table.gateway.wait_log(r"tag list: .*tags\.toml:2: ")
    table.put(B)
    time.sleep(0.5)
    mosquitto.start()
    events = table.events(3, timeout=30.0)
    assert 0 < events[1].pop("dwell_s") < 2
    assert events == [
        {"event": "arrived", "tag": A, "known": True, "label": "Anna", "allowed": True},
        {"event": "left", "tag": A, "known": True, "label": "Anna", "allowed": True},
        {"event": "arrived", "tag": B, "known": False, "allowed": False},
    ]


def test_commands(lay: Lay) -> None:
    """``check`` counts it, ``read`` shows the next event of a running gateway, ``drivers`` its options and channels."""
    table = lay()
    assert "door" in table.command("check").stdout
    shown = json.loads(table.command("drivers", "table", "--json").stdout)
    assert {option["name"] for option in shown["options"]} == {"path", "gone_after", "tag_list", "hash_salt"}
    wait_until(lambda: table.newest("door/status")["state"] == "online", 20.0, "it reads")
    time.sleep(0.3)
    table.gateway.kill()
    table.put(A)
    reading = json.loads(table.command("read", "door", "--json").stdout)
    assert (reading["device"], reading["event"], reading["tag"], reading["at_start"]) == ("door", "arrived", A, True)
