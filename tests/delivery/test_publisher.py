"""The publisher with its own thread against brokers that behave and brokers that do not."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from support.brokers import Mosquitto
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.mqtt_wire import Publish
from support.plugin import MakeMosquitto, MakeSubscriber
from support.publishing import Rig, readings, sequence
from support.share import free_port
from support.waiting import wait_until

from gateway.driver import Kind

MakeBroker = Callable[..., FakeBroker]
MakeRig = Callable[..., Rig]


def _refuse(code: int | None, topic: str = "B/d") -> Callable[[Publish], object]:
    return lambda publish: code if publish.topic == topic else 0


def _balanced(status: dict[str, Any]) -> bool:
    accounted = status["acked"] + status["queued"] + status["dead"] + sum(status["dropped"].values())
    return bool(status["read"] == accounted)


def test_every_reading_arrives_in_order(
    rig: MakeRig, make_mosquitto: MakeMosquitto, subscriber: MakeSubscriber
) -> None:
    """10,000 readings of five devices through a real broker: every number once, in order; the books balance."""
    mosquitto = make_mosquitto("max_queued_messages 0")  # else it drops what a slow subscriber has not taken
    listener = subscriber(mosquitto, "B/#")
    gateway = rig(mosquitto.url, devices=dict.fromkeys("abcde", Kind.SAMPLED)).start()
    for _ in range(20):
        for device in "abcde":
            gateway.put(100, device)
    for device in "abcde":
        gateway.wait_settled(device)
    gateway.stop()
    listener.wait_for(lambda message: message.topic == "B/gateway/state" and message.payload == b"offline", 15.0)
    for device in "abcde":
        assert sequence(listener.on(f"B/{device}")) == list(range(1, 2001))
        statuses = [message.json() for message in listener.on(f"B/{device}/status")]
        assert statuses
        assert all(map(_balanced, statuses))


def test_puback_twice_unknown_and_in_the_wrong_order(rig: MakeRig, fake: MakeBroker) -> None:
    """They are ignored: everything is sent once and counted once."""
    broker = fake(Script(times=2, reverse=5))
    gateway = rig(broker.url).start()
    broker.send(b"\x40\x02\x7f\xff")
    gateway.put(500)
    wait_until(lambda: gateway.ledger().queued < 5)
    broker.follow(Script(), now=True)
    gateway.put()
    broker.acknowledge()
    gateway.wait_settled()
    assert gateway.ledger().acked == 501
    assert sequence(broker.on("B/d")) == list(range(1, 502))


def test_a_withheld_puback_breaks_the_connection(rig: MakeRig, fake: MakeBroker) -> None:
    """1 of 20 withheld: after the stall time a new connection, and that one again with the same bytes, others not."""
    held: list[Publish] = []

    def answer(publish: Publish) -> object:
        if publish.topic == "B/e" and b'"seq":7,' in publish.payload and not held:
            held.append(publish)
            return None
        return 0

    broker = fake(Script(answer=answer))
    gateway = rig(broker.url, devices={"e": Kind.EVENT}).start()
    gateway.put(20, "e")
    wait_until(lambda: gateway.ledger("e").acked == 19)
    gateway.skip(29.0)
    time.sleep(0.05)
    assert len(broker.clients) == 1
    gateway.skip(2.0)
    gateway.wait_settled("e")
    assert gateway.link.status.last_error == "the broker does not acknowledge"
    again = broker.publishes[[p.connection for p in broker.publishes].index(1) :]
    assert [p.payload for p in again if p.topic == "B/e/history"] == [b"[" + held[0].payload + b"]"]
    assert sequence(broker.on("B/e") + broker.on("B/e/history")) == [*range(1, 21), 7]


@pytest.mark.parametrize("most", [1, 20, 65_535])
def test_the_receive_maximum_is_never_exceeded(rig: MakeRig, fake: MakeBroker, most: int) -> None:
    """Status messages count as well; live and late readings share what there is."""
    broker = fake(Script(receive_maximum=most, delay=0.0005, reverse=1))
    gateway = rig(broker.url, devices={"d": Kind.SAMPLED, "e": Kind.EVENT}).start()
    for _ in range(10):
        gateway.put(20)
        gateway.put(20, "e", age=60)
        gateway.boards["d"].set(gateway.boards["d"].state, str(random.random()))
    gateway.wait_settled()
    gateway.wait_settled("e")
    assert broker.violations == []
    assert broker.clients[0].most_unacked <= min(most, 1000)
    assert len(broker.clients) == 1


def test_over_the_quota_all_readings_wait_a_second(rig: MakeRig, fake: MakeBroker) -> None:
    """0x97: nothing is sent for a second, nothing is lost, one alarm; it is over when the broker takes them again."""
    broker = fake(Script(answer=_refuse(0x97)))
    gateway = rig(broker.url, devices={"d": Kind.SAMPLED, "e": Kind.SAMPLED}).start()
    gateway.put()
    broker.wait_for(lambda: broker.on("B/d"))
    wait_until(gateway.alarms.texts)
    gateway.put(device="e")
    time.sleep(0.1)
    assert (len(broker.on("B/d")), len(broker.on("B/e"))) == (1, 0)
    assert gateway.alarms.texts() == ["the broker does not take readings now (reason code 0x97)"]
    assert gateway.rounds() < 15
    broker.follow(Script(), now=True)
    gateway.skip(1.0)
    assert (gateway.wait_settled("e").acked, gateway.wait_settled().acked) == (1, 1)
    assert gateway.alarms.texts() != []
    gateway.skip(10.0)
    gateway.put()
    wait_until(lambda: gateway.alarms.texts() == [])


@pytest.mark.parametrize("code", [0x90, 0x99])
def test_what_the_broker_will_never_take_is_a_dead_letter(rig: MakeRig, fake: MakeBroker, code: int) -> None:
    """It is counted as dead, not sent again, and the next ones flow."""
    broker = fake(Script(answer=lambda publish: code if b'"seq":2,' in publish.payload else 0))
    gateway = rig(broker.url).start()
    gateway.put(3)
    account = gateway.wait_settled()
    assert (account.acked, account.dead, sequence(broker.on("B/d"))) == (2, 1, [1, 2, 3])


def test_nobody_listens(rig: MakeRig, fake: MakeBroker) -> None:
    """0x10 is a delivery, and counted as unheard."""
    gateway = rig(fake(Script(answer=_refuse(0x10))).url).start()
    gateway.put(3)
    account = gateway.wait_settled()
    assert (account.acked, account.unheard) == (3, 3)


def test_a_status_that_was_refused_for_now_is_told_again(rig: MakeRig, fake: MakeBroker) -> None:
    """Else a gateway could stay offline for everybody after a moment over the quota."""
    broker = fake(Script(answer=_refuse(0x97, "B/gateway/state")))
    gateway = rig(broker.url).start()
    broker.wait_for(lambda: broker.on("B/gateway/state"))
    wait_until(lambda: gateway.in_flight == 0)
    broker.follow(Script(), now=True)
    gateway.skip(5.0)
    broker.wait_for(lambda: broker.retained.get("B/gateway/state") == b"online")


def test_connections_lost_under_load_lose_nothing(rig: MakeRig, fake: MakeBroker) -> None:
    """Dropped 20 times by FIN, RST and in the middle of a packet: all arrive, and no topic runs backwards."""
    rng = random.Random(7)
    broker = fake()
    gateway = rig(broker.url, devices={"d": Kind.SAMPLED, "e": Kind.EVENT}, window=50).start()
    for number in range(20):
        gateway.put(50)
        gateway.put(50, "e")
        if number % 3 == 2:
            broker.follow(Script(close_after_bytes=rng.randint(3_000, 20_000)), Script())
        broker.drop(reset=number % 2 == 0)
        for _ in range(5):
            gateway.skip(4.0)  # the back-off
            time.sleep(0.01)
    gateway.wait_settled()
    gateway.wait_settled("e")
    for device in "de":
        assert gateway.ledger(device).acked == 1000
        found = readings([*broker.on(f"B/{device}"), *broker.on(f"B/{device}/history")])
        assert {one["seq"] for one in found} == set(range(1, 1001))
        bodies = {one["seq"]: json.dumps(one) for one in found}
        assert all(bodies[one["seq"]] == json.dumps(one) for one in found)
    live = sequence(broker.on("B/d"))
    assert live == sorted(live)


def test_a_broker_that_is_killed_again_and_again(rig: MakeRig, mosquitto: Mosquitto) -> None:
    """SIGKILL and restart 20 times under load: every reading is acknowledged in the end, and memory is empty."""
    gateway = rig(mosquitto.url).start()
    for _ in range(20):
        gateway.put(100)
        mosquitto.kill()
        gateway.put(20)
        mosquitto.start()
        gateway.skip(4.0)
    gateway.skip_until(lambda: gateway.ledger().queued == 0)
    assert gateway.ledger().acked == 2400
    assert gateway.store.status().bytes == 0


def test_a_stopped_broker_is_found_out(rig: MakeRig, mosquitto: Mosquitto, subscriber: MakeSubscriber) -> None:
    """SIGSTOP under load: the stall is noticed, and everything arrives when it goes on."""
    listener = subscriber(mosquitto, "B/d", "B/d/history")
    gateway = rig(mosquitto.url).start()
    gateway.put(10)
    gateway.wait_settled()
    wait_until(lambda: gateway.in_flight == 0)
    mosquitto.pause()
    gateway.put(10)
    wait_until(lambda: gateway.in_flight >= 10)
    gateway.skip(31.0)
    wait_until(lambda: not gateway.link.up)
    assert gateway.link.status.last_error == "the broker does not acknowledge"
    mosquitto.resume()
    gateway.skip_until(lambda: gateway.ledger().queued == 0)
    listener.wait_for(lambda message: 20 in sequence([message]))
    wait_until(lambda: len(set(sequence(listener.messages))) >= 20)  # the newest comes first, the others as history
    assert set(sequence(listener.messages)) == set(range(1, 21))


def test_a_broker_that_forgot_is_whole_again(rig: MakeRig, fake: MakeBroker) -> None:
    """On every connection: all that is retained, the newest readings with the same bytes, events not."""
    broker = fake()
    gateway = rig(broker.url, devices={"d": Kind.SAMPLED, "s": Kind.STATE, "e": Kind.EVENT}).start()
    for device in "dse":
        gateway.put(3, device)
        gateway.wait_settled(device)
    before = dict(broker.retained)
    broker.retained.clear()
    broker.drop()
    broker.wait_for(lambda: len(broker.retained) == len(before), what="everything again")
    assert {topic: broker.retained[topic] for topic in ("B/d", "B/s")} == {t: before[t] for t in ("B/d", "B/s")}
    assert set(before) == {
        *(f"B/{device}/{leaf}" for device in "dse" for leaf in ("availability", "status")),
        *(f"B/gateway/{leaf}" for leaf in ("state", "health", "runs", "devices")),
        *("B/d", "B/s"),
    }
    assert broker.retained["B/gateway/state"] == b"online"


def test_after_an_outage_the_newest_is_live_at_once(rig: MakeRig) -> None:
    """Started without a broker; when it comes the newest reading is live and the rest is history, oldest first."""
    port = free_port()
    gateway = rig(f"mqtt://127.0.0.1:{port}").start(connected=False)
    gateway.put(300)
    wait_until(lambda: gateway.store.status().queued == 300)
    gateway.skip(60)
    gateway.put(1, age=20)
    broker = FakeBroker(port=port)
    try:
        gateway.skip_until(lambda: gateway.link.up)
        gateway.wait_settled()
        assert sequence(broker.on("B/d")) == [301]
        assert sequence(broker.on("B/d/history")) == list(range(1, 301))
        assert max(len(readings([message])) for message in broker.on("B/d/history")) == 100
    finally:
        gateway.stop(flush=0.1)
        broker.close()


def test_history_leaves_room_for_live(rig: MakeRig, fake: MakeBroker) -> None:
    """A backlog uses at most half of the window, so a live reading never waits for it."""
    broker = fake(Script(answer=lambda publish: None if publish.topic.endswith("/history") else 0))
    gateway = rig(broker.url, devices={"e": Kind.EVENT, "d": Kind.SAMPLED}, window=10).start()
    gateway.put(2000, "e", age=60)
    broker.wait_for(lambda: len(broker.on("B/e/history")) == 5)
    gateway.put(50)
    assert gateway.wait_settled().acked == 50
    assert len(broker.on("B/e/history")) == 5


def test_a_full_memory_drops_the_oldest_of_the_largest(rig: MakeRig) -> None:
    """A device that floods loses its own oldest readings; a calm one loses none; the losses are counted."""
    devices = {"flood": Kind.EVENT, "calm": Kind.EVENT}
    gateway = rig(f"mqtt://127.0.0.1:{free_port()}", devices=devices, most_bytes=200_000).start(connected=False)
    gateway.put(20, "calm")
    gateway.put(5_000, "flood")
    wait_until(lambda: gateway.store.status().queued + gateway.ledger("flood").dropped.get("spool_full", 0) == 5_020)
    assert gateway.ledger("calm").dropped == {}
    assert gateway.ledger("flood").dropped["spool_full"] > 4_000
    assert gateway.store.status().bytes <= 200_000


def test_a_twin_is_an_alarm_for_a_minute(rig: MakeRig, fake: MakeBroker) -> None:
    """Another client under our id is told to people, and forgotten when a connection lasts."""
    broker = fake()
    gateway = rig(broker.url).start()
    broker.say_disconnect(0x8E)
    wait_until(gateway.alarms.texts)
    assert gateway.alarms.texts()[0].startswith("another client connected with the same client id")
    gateway.skip_until(lambda: gateway.link.up)
    gateway.put()  # it goes after all that is told on a new connection
    gateway.wait_settled()
    wait_until(lambda: gateway.in_flight == 0)  # else the broker would owe an answer for a minute
    assert gateway.alarms.texts() != []
    gateway.skip(61.0)
    gateway.put()
    wait_until(lambda: gateway.alarms.texts() == [])


@pytest.mark.parametrize("situation", ["connected", "no broker", "batch collected", "batch due, window full", "held"])
def test_it_rests_when_there_is_nothing_to_do(rig: MakeRig, fake: MakeBroker, situation: str) -> None:
    """The loop comes round a few times a second, whatever it waits for."""
    broker = fake(Script(answer=_refuse(0x87)) if situation == "held" else Script())
    url = f"mqtt://127.0.0.1:{free_port()}" if situation == "no broker" else broker.url
    batch = 60.0 if situation == "batch collected" else 0.0
    gateway = rig(url, batch=batch, window=5).start(connected=situation != "no broker")
    gateway.put(3)
    time.sleep(0.2)
    assert gateway.rounds() < 12


def test_a_reading_that_is_no_json_stops_no_other(
    rig: MakeRig, fake: MakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """It should never come so far; if it does it is dropped, counted, and named once."""
    broker = fake()
    gateway = rig(broker.url).start()
    for value in (float("nan"), "\ud800", 1.0, float("inf")):
        gateway.put(value=value)
    account = gateway.wait_settled()
    assert (account.acked, account.dropped, sequence(broker.on("B/d"))) == (1, {"unwritable": 3}, [3])
    assert len([record for record in caplog.records if "cannot be written as JSON" in record.getMessage()]) == 1


def test_readings_of_a_removed_device_still_drain(rig: MakeRig, fake: MakeBroker) -> None:
    """A new set of routes without it does not take its topic away."""
    broker = fake()
    gateway = rig(broker.url).start()
    gateway.publisher.set_routes({})
    gateway.put(3)
    assert gateway.wait_settled().acked == 3


@pytest.mark.alone
def test_a_clean_stop_says_goodbye(rig: MakeRig, fake: MakeBroker) -> None:
    """Everything is delivered, all is offline, DISCONNECT is said; within a second."""
    broker = fake()
    gateway = rig(broker.url).start()
    gateway.put(500)
    assert gateway.stop() < 1.0
    assert (gateway.ledger().acked, gateway.publisher.lost_at_stop) == (500, 0)
    broker.wait_for(lambda: broker.clients[0].clean_end)
    assert (broker.retained["B/gateway/state"], broker.retained["B/d/availability"]) == (b"offline", b"offline")
    assert broker.wills == []


@pytest.mark.alone
def test_a_stop_without_a_broker_is_prompt_and_counts_what_is_lost(rig: MakeRig) -> None:
    """Half a second for a connection that may just come, then the end; also what had not left the queue is counted."""
    gateway = rig(f"mqtt://127.0.0.1:{free_port()}").start(connected=False)
    gateway.put(5_000)
    assert gateway.stop() < 1.0
    assert gateway.publisher.lost_at_stop == 5_000
