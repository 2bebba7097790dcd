"""The oracle of the fault suite finds what it is there to find."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from support.brokers import Mosquitto
from support.faults import Oracle, Recorder, SpoolContent, Verdict, read_spool
from support.faults.prefill import RUN, prefill
from support.faults.spool_content import StoredRun


class Mouth:
    """Publishes as a gateway would, and asks for the verdict."""

    def __init__(self, port: int) -> None:
        self.recorder = Recorder(port, "b")
        self.oracle = Oracle()
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def close(self) -> None:
        """End both clients."""
        self.client.disconnect()
        self.client.loop_stop()
        del self.client  # paho keeps a pair of sockets open for as long as somebody refers to it
        self.recorder.close()

    def say(self, *seqs: int, topic: str = "b/d", time: str = "2026-11-22T07:00:00.000Z", value: float = 1.5) -> None:
        """Publish readings of run ``r``: one as an object, several as an array."""
        readings = [{"time": time, "run": "r", "seq": seq, "v": value} for seq in seqs]
        text = json.dumps(readings[0] if len(readings) == 1 else readings)
        self.client.publish(topic, text, qos=1).wait_for_publish(5.0)

    def verdict(self, content: SpoolContent | None = None) -> Verdict:
        """What the oracle says, with this spool at the end."""
        self.recorder.wait_quiet()
        self.oracle.look(content or SpoolContent())
        return self.oracle.verdict(self.recorder.record, {0: "r"})


@pytest.fixture
def mouth(mosquitto: Mosquitto) -> Iterator[Mouth]:
    """A gateway's mouth and the oracle's ear."""
    made = Mouth(mosquitto.port)
    yield made
    made.close()


def _run(last_seq: int, dropped: int = 0) -> dict[str, StoredRun]:
    return {"r": StoredRun({"d": last_seq}, exact=True, dropped={"d": dropped})}


def test_all_is_well(mouth: Mouth) -> None:
    """Live, in arrays, in the spool or dead: everything has its place; a second copy is a duplicate and no more."""
    mouth.say(1)
    mouth.say(2, 3, topic="b/d/history")
    mouth.say(2, topic="b/d/batch")
    content = SpoolContent(waiting={("d", "r", 4): b""}, dead={("d", "r", 5): "why"}, runs=_run(5))
    found = mouth.verdict(content)
    assert found == Verdict(5, 3, 1, 1, 0, 1, [], [])


@pytest.mark.parametrize(("last_seq", "dropped", "lost"), [(4, 0, [2, 4]), (3, 0, [2]), (4, 1, [4]), (4, 2, [])])
def test_what_is_missing(mouth: Mouth, last_seq: int, dropped: int, lost: list[int]) -> None:
    """A gap, and what only the spool knows to have been accepted; what was counted as dropped is not missed."""
    mouth.say(1)
    mouth.say(3)
    assert mouth.verdict(SpoolContent(runs=_run(last_seq, dropped))).lost == [("d", "r", seq) for seq in lost]


def test_a_gap_that_only_a_subscriber_can_see(mouth: Mouth) -> None:
    """The spool has forgotten the run: the highest that was seen says what must have been."""
    mouth.say(3)
    assert mouth.verdict().lost == [("d", "r", 1), ("d", "r", 2)]


def test_another_payload_under_the_same_identity(mouth: Mouth) -> None:
    """In one life not a byte may differ, after a restart the time may."""
    mouth.say(1)
    mouth.say(1, time="2026-11-22T07:00:01.000Z")
    mouth.recorder.wait_quiet()
    mouth.recorder.begin_life()
    mouth.say(1, time="2026-11-22T07:00:02.000Z")
    mouth.say(1, value=2.5)
    first, second = mouth.verdict().violations
    assert "07:00:01" in first
    assert '"v": 2.5' in second


def test_a_live_topic_that_runs_backwards(mouth: Mouth) -> None:
    """The same reading again is no step back."""
    for seq in (1, 2, 2, 1):
        mouth.say(seq)
    assert mouth.verdict().violations == ["d r: live 1 after 2"]


def test_a_last_seq_that_goes_back(mouth: Mouth) -> None:
    """What the spool has said once holds."""
    mouth.oracle.look(SpoolContent(runs=_run(5)))
    assert mouth.verdict(SpoolContent(runs=_run(4))).violations == ["d r: last_seq went back from 5 to 4"]


def test_a_runs_message_that_says_something_else(mouth: Mouth) -> None:
    """``gateway/runs`` and the spool must agree."""
    mouth.client.publish("b/gateway/runs", '[{"run": "r", "last_seq": {"d": 4}, "queued": 0}]', qos=1)
    mouth.say(1)
    assert "gateway/runs says of r: {'d': 4}" in mouth.verdict(SpoolContent(runs=_run(5))).violations[0]


def test_a_spool_is_read_as_it_lies_there(tmp_path: Path) -> None:
    """Rows, runs and damage, from a copy: not a byte of the original changes."""
    spool = tmp_path / "state" / "spool.db"
    assert read_spool(spool) == SpoolContent()
    prefill(spool, "d", 10)
    before = {path.name: path.read_bytes() for path in spool.parent.iterdir()}
    content = read_spool(spool)
    assert sorted(content.waiting) == [("d", RUN, seq) for seq in range(1, 11)]
    assert content.runs == {RUN: StoredRun({"d": 10}, exact=True, dropped={})}
    assert (content.damaged, content.integrity) == (0, "ok")
    assert {path.name: path.read_bytes() for path in spool.parent.iterdir()} == before
