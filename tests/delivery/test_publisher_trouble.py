"""The publisher with brokers that refuse, hang or break, and its own end in each case."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

import pytest
from support.fake_broker import FakeBroker
from support.fake_script import CLOSE, Script
from support.mqtt_wire import Publish
from support.publishing import Rig, sequence
from support.waiting import wait_until

from gateway.driver import Kind

MakeBroker = Callable[..., FakeBroker]
MakeRig = Callable[..., Rig]
ALL_OFFLINE = {"B/gateway/state": b"offline", "B/d/availability": b"offline"}


def _refuse(code: int, topic: str = "B/d") -> Callable[[Publish], object]:
    return lambda publish: code if publish.topic == topic else 0


def _offline(broker: FakeBroker) -> dict[str, bytes]:
    return {topic: broker.retained[topic] for topic in ALL_OFFLINE}


def test_a_reading_too_large_for_the_broker_is_a_dead_letter(rig: MakeRig, fake: MakeBroker) -> None:
    """It is never sent, and delays nothing; one that just fits is sent; a status too large does not go round."""
    broker = fake(Script(maximum_packet=200))
    gateway = rig(broker.url).start()
    gateway.put(value="x")
    gateway.wait_settled()
    room = 200 - (1 + 2 + 2 + len("B/d") + 2 + 1) - len(broker.on("B/d")[0].payload)
    gateway.put(value="x" * (room + 1))
    gateway.put(value="x" * (room + 2))
    gateway.put()
    account = gateway.wait_settled()
    assert (account.acked, account.dead, broker.violations) == (3, 1, [])
    assert sequence(broker.on("B/d")) == [1, 2, 4]
    assert "B/d/status is larger than the broker's maximum packet size" in gateway.alarms.texts()
    assert gateway.rounds() < 15


@pytest.mark.parametrize(("code", "wait"), [(0x87, 30.0), (0x80, 5.0), (0x83, 5.0), (0x91, 5.0)])
def test_a_refused_topic_is_left_alone_and_no_other(rig: MakeRig, fake: MakeBroker, code: int, wait: float) -> None:
    """The device's history and other devices go on; the refused one is tried again, with an alarm meanwhile."""
    broker = fake(Script(answer=_refuse(code)))
    gateway = rig(broker.url, devices={"d": Kind.SAMPLED, "e": Kind.SAMPLED}).start()
    gateway.put(2, age=60)
    gateway.put()
    wait_until(gateway.alarms.texts)
    gateway.put(3, "e")
    assert gateway.wait_settled("e").acked == 3
    broker.wait_for(lambda: sequence(broker.on("B/d/history")) == [1, 2])
    assert len(broker.on("B/d")) == 1
    wait_until(lambda: gateway.in_flight == 0)  # else the broker would owe an answer for as long
    broker.follow(Script(), now=True)
    gateway.skip(wait)
    assert gateway.wait_settled().acked == 3
    wait_until(lambda: gateway.alarms.texts() == [])


def test_what_was_forbidden_is_told_once_it_is_allowed(rig: MakeRig, fake: MakeBroker) -> None:
    """A changed access list ends no connection, and availability is told on a change or a new connection only."""
    topic = "B/d/availability"
    broker = fake(Script(answer=_refuse(0x87, topic)))
    gateway = rig(broker.url).start()
    wait_until(gateway.alarms.texts)
    wait_until(lambda: gateway.in_flight == 0)
    assert topic not in broker.retained
    broker.follow(Script(), now=True)
    gateway.skip(60.0)
    wait_until(lambda: broker.retained.get(topic) == b"online")
    wait_until(lambda: gateway.alarms.texts() == [])


def test_a_forbidden_history_does_not_stop_live(rig: MakeRig, fake: MakeBroker) -> None:
    """The access list of a broker may allow the live topic and nothing below it."""
    broker = fake(Script(answer=_refuse(0x87, "B/d/history")))
    gateway = rig(broker.url).start()
    gateway.put(3, age=60)
    broker.wait_for(lambda: broker.on("B/d/history"))
    gateway.put(5)
    wait_until(lambda: gateway.ledger().queued == 2)
    assert sequence(broker.on("B/d")) == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("batch", [0.0, 1.0], ids=["live", "batch"])
def test_a_poisonous_reading_is_found(rig: MakeRig, fake: MakeBroker, batch: float) -> None:
    """The broker drops the connection at it: it is set aside in the end, alone, and all others arrive."""
    broker = fake(Script(answer=lambda publish: CLOSE if b'"poison"' in publish.payload else 0))
    gateway = rig(
        broker.url, devices={"d": Kind.SAMPLED, "e": Kind.EVENT}, batch=batch, live_window=1e6, stall=1e6
    ).start()
    gateway.put(5, "e")
    gateway.put(5)
    gateway.put(device="e", value="poison")
    gateway.put(5, "e")
    gateway.skip_until(lambda: gateway.ledger("e").queued + gateway.ledger().queued == 0, 20.0, step=30.0)
    assert (gateway.ledger("e").acked, gateway.ledger("e").dead) == (10, 1)
    assert (gateway.ledger().acked, gateway.ledger().dead) == (5, 0)


def test_a_poisonous_live_copy_does_not_keep_its_batch_from_being_looked_at(rig: MakeRig, fake: MakeBroker) -> None:
    """The newest reading of a batch device goes live first; that alone must not drop the connection for ever."""
    broker = fake(Script(answer=lambda publish: CLOSE if b'"poison"' in publish.payload else 0))
    gateway = rig(
        broker.url, devices={"d": Kind.SAMPLED, "o": Kind.SAMPLED}, batch=5.0, live_window=1e6, stall=1e6
    ).start()
    gateway.put(value="poison")
    gateway.put(device="o")
    gateway.skip_until(lambda: len(broker.on("B/d/batch")) >= 3, 20.0, step=30.0)
    gateway.put(device="o")  # only what is acknowledged after it proves that it is the reading, and not the broker
    gateway.skip_until(lambda: gateway.ledger().dead == 1, 20.0, step=30.0)
    gateway.put()
    gateway.skip_until(lambda: gateway.ledger().queued + gateway.ledger("o").queued == 0, 20.0, step=30.0)
    assert (gateway.ledger().acked, gateway.ledger("o").acked) == (1, 2)


def test_a_status_that_the_broker_does_not_stand_is_left_out(rig: MakeRig, fake: MakeBroker) -> None:
    """A 3.1.1 broker drops the connection at a message that is too large for it: readings go on without that."""
    broker = fake(Script(answer=lambda publish: CLOSE if publish.topic == "B/gateway/devices" else 0))
    gateway = rig(broker.url, protocol="3.1.1", stall=1e6).start(connected=False)
    gateway.put()
    gateway.skip_until(lambda: gateway.ledger().acked == 1, 20.0, step=30.0)
    assert gateway.alarms.texts() == ["the broker drops the connection whenever B/gateway/devices is published"]
    wait_until(lambda: broker.retained.get("B/gateway/state") == b"online")


@pytest.mark.parametrize("error", [RuntimeError("oh"), SystemExit("oh"), KeyboardInterrupt("oh")])
def test_whatever_breaks_the_loop_is_told(
    rig: MakeRig, fake: MakeBroker, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """One line at error, the traceback at debug, ``failure`` for the main thread, and the will for everybody."""
    caplog.set_level(logging.DEBUG, "gateway.delivery.publisher")
    broker = fake()
    gateway = rig(broker.url).start()

    def broken(now_ns: int) -> None:
        raise error

    gateway.store.tick = broken  # type: ignore[method-assign]
    wait_until(lambda: not gateway.running)
    assert gateway.publisher.failure is error
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (line.getMessage(), line.exc_info) == (f"the publisher broke: {type(error).__name__}: oh", None)
    assert any(record.exc_info for record in caplog.records if record.levelno == logging.DEBUG)
    broker.wait_for(lambda: broker.wills)


@pytest.mark.alone
@pytest.mark.parametrize("how", ["frozen", "withholding"])
def test_a_stop_with_a_broker_that_hangs_leaves_the_will(rig: MakeRig, fake: MakeBroker, how: str) -> None:
    """No DISCONNECT, so that the broker says that we are gone; in the time that was given and half a second."""
    broker = fake(Script(answer=(lambda _: None) if how == "withholding" else _refuse(0)))
    gateway = rig(broker.url).start()
    if how == "frozen":
        broker.freeze()
    gateway.put(10)
    assert gateway.stop(flush=0.3) < 1.3
    broker.thaw()
    broker.wait_for(lambda: broker.wills)
    assert not broker.clients[0].clean_end
    assert gateway.publisher.lost_at_stop == 10


@pytest.mark.alone
def test_a_stop_with_readings_that_cannot_go_says_goodbye_all_the_same(rig: MakeRig, fake: MakeBroker) -> None:
    """A topic that is forbidden must not leave the devices online for ever."""
    broker = fake(Script(answer=lambda publish: 0x87 if b'"seq"' in publish.payload else 0))
    gateway = rig(broker.url).start()
    gateway.put(3)
    wait_until(gateway.alarms.texts)
    assert gateway.stop(flush=0.3) < 1.3
    broker.wait_for(lambda: broker.clients[0].clean_end)
    assert _offline(broker) == ALL_OFFLINE
    assert gateway.publisher.lost_at_stop == 3


def test_a_reconnect_during_the_goodbye_leaves_nobody_online(rig: MakeRig, fake: MakeBroker) -> None:
    """The connection breaks at the good-bye: on the next one it is said again after everything was told online."""
    broker = fake(Script(answer=lambda publish: CLOSE if publish.payload == b"offline" else 0), Script())
    gateway = rig(broker.url).start()
    gateway.skip(11.0)  # after a good connection the next one is made at once
    gateway.stop()
    broker.wait_for(lambda: not broker.clients[-1].open)
    assert len(broker.clients) == 2
    assert _offline(broker) == ALL_OFFLINE
    assert Counter(p.payload for p in broker.on("B/gateway/state") if p.connection) == {b"online": 1, b"offline": 1}
