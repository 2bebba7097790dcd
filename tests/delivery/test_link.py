"""Which broker, which version, when to try, when to give up."""

from __future__ import annotations

import errno
import gc
import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.delivery import LinkDriver
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.share import free_port

from gateway.delivery.mqtt import LARGEST_INBOUND, Acked, Connected, Event, Limits

MakeBroker = Callable[..., FakeBroker]
MakeLink = Callable[..., LinkDriver]


def _versions(broker: FakeBroker) -> list[int]:
    return [client.connect.version for client in broker.clients if client.connect is not None]


def test_it_connects_and_says_so(fake: MakeBroker, make_link: MakeLink) -> None:
    """MQTT 5, clean start, the client id, keepalive and will of the settings; status and limits follow."""
    broker = fake(Script(receive_maximum=20, maximum_packet=1000))
    driver = make_link(broker.url, keepalive=7.0, username="pi")
    assert (driver.link.up, driver.link.status.connected, driver.link.limits) == (False, False, Limits())
    driver.connect()
    connect = broker.clients[0].connect
    assert connect is not None
    assert (connect.version, connect.client_id, connect.keepalive, connect.clean) == (5, "sensorpost-t", 7, True)
    assert (connect.username, connect.password) == ("pi", None)
    assert connect.properties == b"\x27" + LARGEST_INBOUND.to_bytes(4, "big")  # Maximum Packet Size
    will = connect.will
    assert will is not None
    assert (will.topic, will.payload, will.qos, will.retain) == ("B/gateway/state", b"offline", 1, True)
    status = driver.link.status
    assert (status.url, status.protocol, status.connected, status.reconnects) == (broker.url, "5", True, 0)
    assert driver.link.limits == Limits(receive_maximum=20, maximum_packet=1000)


def test_publish_needs_a_connection(fake: MakeBroker, make_link: MakeLink) -> None:
    """``None`` before there is one; then a message id."""
    driver = make_link(fake().url)
    assert driver.link.publish("t", b"x", retain=False) is None
    driver.connect()
    assert driver.link.publish("t", b"x", retain=False) is not None


def test_connection_refused_is_asked_for_every_four_seconds(make_link: MakeLink) -> None:
    """With nobody listening the waits stay at or below 4 s for ever, and the reason is plain."""
    driver = make_link(f"mqtt://127.0.0.1:{free_port()}")
    assert set(driver.fail(20)) == {"connection refused"}
    assert max(driver.waits) <= 4.0
    assert driver.link.status.last_error == "connection refused"


@pytest.mark.parametrize(
    ("code", "version", "reason"),
    [
        (0x87, "5", "refused: Not authorized"),
        (0x86, "5", "refused: Bad user name or password"),
        (0x8A, "5", "refused: Banned"),
        (5, "3.1.1", "refused: Not authorized"),
        (4, "3.1.1", "refused: Bad user name or password"),
    ],
)
def test_a_refusal_slows_down_to_thirty_seconds(
    fake: MakeBroker, make_link: MakeLink, code: int, version: str, reason: str
) -> None:
    """Where the broker does not want us it is asked ever less often, at least every 30 s; the reason is told."""
    broker = fake(*[Script(connack=code)] * 9, Script())
    driver = make_link(broker.url, protocol=version)
    driver.connect()
    assert driver.reasons() == [reason] * 9
    assert 20.0 < max(driver.waits) <= 30.0
    assert driver.link.status.last_error == reason


def test_a_busy_broker_is_no_refusal(fake: MakeBroker, make_link: MakeLink) -> None:
    """Server unavailable and busy pass: the waits stay at or below 4 s."""
    driver = make_link(fake(Script(connack=0x88)).url)
    driver.fail(10)
    assert max(driver.waits) <= 4.0


def test_several_brokers_are_tried_in_turn(fake: MakeBroker, make_link: MakeLink) -> None:
    """All of them are asked before there is a wait; it stays on the one that works, also over a reconnect."""
    good = fake()
    dead = [f"mqtt://127.0.0.1:{free_port()}" for _ in range(2)]
    driver = make_link(dead[0], dead[1], good.url)
    driver.connect()
    assert (driver.waits, driver.reasons()) == ([], ["connection refused"] * 2)
    good.drop()
    driver.fail()
    driver.connect()
    assert (len(good.clients), len(driver.reasons())) == (2, 3)
    assert driver.link.status.reconnects == 1


def test_the_turn_goes_on_after_the_last(make_link: MakeLink) -> None:
    """With all brokers away there is one wait for each round, not one for each broker."""
    driver = make_link(*[f"mqtt://127.0.0.1:{free_port()}" for _ in range(3)])
    driver.fail(12)
    assert len(driver.waits) == 3


@pytest.mark.parametrize(
    ("unknown", "attempts"),
    [(0x84, [5, 4]), (1, [5, 4]), (None, [5, 5, 4])],
    ids=["reason code 0x84", "return code 1", "closes without a word"],
)
def test_a_broker_without_mqtt_5_gets_3_1_1(
    fake: MakeBroker, make_link: MakeLink, unknown: int | None, attempts: list[int]
) -> None:
    """Whatever way it says that it knows no MQTT 5; and it is remembered for the next connections."""
    broker = fake(Script(versions=(4,), unknown_version=unknown))
    driver = make_link(broker.url)
    driver.connect()
    assert _versions(broker) == attempts
    assert driver.link.status.protocol == "3.1.1"
    broker.drop()
    driver.fail()
    driver.connect()
    assert _versions(broker) == [*attempts, 4]


def test_mqtt_5_is_tried_again_after_an_hour(fake: MakeBroker, make_link: MakeLink) -> None:
    """The broker may have been replaced: then the next connection asks for 5 again."""
    broker = fake(Script(versions=(4,)))
    driver = make_link(broker.url)
    driver.connect()
    broker.follow(Script())
    driver.skip(3601)
    broker.drop()
    driver.fail()
    driver.connect()
    assert _versions(broker) == [5, 4, 5]


def test_a_version_that_was_asked_for_is_kept(fake: MakeBroker, make_link: MakeLink) -> None:
    """With ``protocol = "5"`` nothing else is tried, and the reason is told."""
    broker = fake(Script(versions=(4,)))
    driver = make_link(broker.url, protocol="5")
    driver.fail(3)
    assert _versions(broker) == [5, 5, 5]
    assert driver.link.status.last_error == "refused: Unsupported protocol version"


def test_a_broker_that_is_restarting_does_not_cost_mqtt_5(fake: MakeBroker, make_link: MakeLink) -> None:
    """Where 3.1.1 does not work either, the silent closes had another cause: back to 5."""
    broker = fake(*[Script(close_on="connect")] * 4, Script())
    driver = make_link(broker.url)
    driver.connect()
    assert _versions(broker)[-1] == 5
    assert driver.link.status.protocol == "5"


@pytest.mark.parametrize("connack", [None, b"\x20", b"\x20\x7f\0\0"], ids=["nothing", "half", "too little"])
def test_no_connack_has_an_end(fake: MakeBroker, make_link: MakeLink, connack: bytes | None) -> None:
    """A broker that accepts and says nothing, or half of it, is given up after 5 s; the next attempt may work."""
    broker = fake(Script(connack=connack), Script())
    driver = make_link(broker.url)
    driver.run_until(lambda: broker.clients and broker.clients[0].connect)
    assert 4.0 < driver.link.next_due() - driver.now <= 5.0
    driver.skip(5.0)
    assert driver.fail() == ["no CONNACK within the time limit"]
    driver.connect()


@pytest.mark.parametrize(
    "connack", [b"\xff\xff\xff\xff\xff\xff", b"\x20\x03\0\x55\0", b"\x20\x03\0\0\x09", b"SSH-2.0-OpenSSH_9.2\r\n" * 9]
)
def test_a_garbage_connack_ends_the_attempt(fake: MakeBroker, make_link: MakeLink, connack: bytes) -> None:
    """What is no CONNACK ends the attempt by itself, with a reason, and the next one works."""
    driver = make_link(fake(Script(connack=connack), Script()).url)
    assert driver.fail()[0] != ""
    driver.connect()


def test_a_first_reconnect_has_less_patience(fake: MakeBroker, make_link: MakeLink) -> None:
    """A broker that is just going down may swallow it: 3 s instead of 5 s, once."""
    broker = fake(Script(), Script(connack=None))
    driver = make_link(broker.url)
    driver.connect()
    broker.drop()
    driver.fail()
    for number, patience in ((2, 3.0), (3, 5.0)):
        driver.run_until(lambda number=number: len(broker.clients) == number)  # type: ignore[misc]  # mypy cannot tell the type of a default
        assert patience - 1.0 < driver.link.next_due() - driver.now <= patience
        driver.skip(patience)
        driver.fail()


def test_being_taken_over_is_named(fake: MakeBroker, make_link: MakeLink) -> None:
    """Another client with our id is the reason that a person can act on, and we come back ever less often."""
    broker = fake()
    driver = make_link(broker.url)
    for _ in range(8):
        driver.connect()
        broker.say_disconnect(0x8E)
        driver.fail()
    assert driver.link.status.last_error.startswith("another client connected with the same client id")
    assert max(driver.waits) > 20.0


def test_a_will_that_cannot_be_retained_is_sent_unretained(fake: MakeBroker, make_link: MakeLink) -> None:
    """0x9A: at once again with a will that is not retained; and nothing is published retained."""
    broker = fake(Script(retain_available=False))
    driver = make_link(broker.url)
    driver.connect()
    assert driver.waits == []
    connect = broker.clients[1].connect
    assert connect is not None
    assert connect.will is not None
    assert not connect.will.retain
    driver.link.publish("t", b"x", retain=True)
    broker.wait_for(lambda: broker.publishes)
    assert (broker.publishes[0].retain, broker.violations) == (False, [])


def test_a_name_that_is_not_found(make_link: MakeLink, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says that it is the name."""

    def not_found(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    assert make_link("mqtt://nowhere.invalid:1883").fail() == ["host name not found (Name or service not known)"]


def test_an_attempt_that_was_given_up_never_says_connect(
    fake: MakeBroker, make_link: MakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up that hangs and answers later must not throw our newer connection out."""
    broker = fake()
    real, released = socket.getaddrinfo, threading.Event()
    calls: list[object] = []

    def hanging(*args: Any, **more: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            assert released.wait(10.0)
        return real(*args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    driver = make_link(broker.url)
    driver.run_until(lambda: calls)
    first = driver.link._connection
    assert first is not None
    hung = first._client._thread
    assert hung is not None
    del first  # as nobody else does, so that its socket can close
    driver.skip(5.0)
    assert driver.fail() == ["no CONNACK within the time limit"]
    driver.connect()
    released.set()
    hung.join(5.0)
    broker.wait_for(lambda: len(broker.clients) == 2 and not broker.clients[1].open)
    assert broker.clients[1].connect is None
    assert driver.link.up
    assert [event for event in driver.events if isinstance(event, Connected)] == [Connected(2, Limits())]


@pytest.mark.parametrize("during", [Acked, Connected])
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, RuntimeError])
def test_the_death_of_pahos_thread_is_noticed(
    fake: MakeBroker, make_link: MakeLink, during: type[Event], error: type[BaseException]
) -> None:
    """Whatever ends it, in whichever callback: ``Closed`` comes at once and names it, and the next attempt works."""
    deaths = [error("oh")]

    def trouble(event: Event) -> None:
        if isinstance(event, during) and deaths:
            raise deaths.pop()

    driver = make_link(fake().url, trouble=trouble)
    if during is Acked:
        driver.connect()
        driver.link.publish("t", b"x", retain=False)
    assert driver.fail() == [f"{error.__name__}: oh"]
    driver.connect()


def test_nothing_grows_over_many_reconnects(fake: MakeBroker, make_link: MakeLink) -> None:
    """200 connections later there are as many descriptors and threads as after the first, without a collection."""
    broker = fake(Script(close_after_publishes=1))
    driver = make_link(broker.url)

    def once() -> tuple[int, int]:
        driver.connect()
        driver.link.publish("t", b"x", retain=False)
        driver.fail()
        for thread in threading.enumerate():
            if thread.name.startswith("paho"):
                thread.join(5.0)
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    gc.collect()
    gc.disable()
    try:
        once()
        first = once()
        for _ in range(200):
            last = once()
    finally:
        gc.enable()
    assert last == first


def test_a_certificate_file_that_is_missing_is_a_reason(make_link: MakeLink, fake: MakeBroker, tmp_path: Path) -> None:
    """It ends no thread: it is tried again, and the reason names setting and file."""
    driver = make_link(fake().url.replace("mqtt:", "mqtts:"), ca_file=tmp_path / "none.pem")
    reason = f"TLS: ca_file {tmp_path / 'none.pem'}: no such file or directory"
    assert driver.fail(3) == [reason] * 3
    assert driver.waits


def test_no_descriptors_left_is_a_reason(
    make_link: MakeLink, fake: MakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the machine gives no socket now, it is tried again later."""
    driver = make_link(fake().url)
    with monkeypatch.context() as patch:

        def none_left(*_: object, **__: object) -> Any:
            raise OSError(errno.EMFILE, "Too many open files")

        patch.setattr(socket, "socketpair", none_left)
        patch.setattr(socket, "socket", none_left)
        assert driver.fail() == ["too many open files"]
    driver.connect()


def test_no_threads_left_is_a_reason(make_link: MakeLink, fake: MakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine gives no thread now, it is tried again later."""
    driver = make_link(fake().url)
    with monkeypatch.context() as patch:

        def none_left(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", none_left)
        assert driver.fail() == ["RuntimeError: can't start new thread"]
    driver.connect()


def test_each_reason_is_logged_once(fake: MakeBroker, make_link: MakeLink, caplog: pytest.LogCaptureFixture) -> None:
    """Twenty refusals for two reasons in turn are two lines; a connection is one line; a clean end is none."""
    caplog.set_level(logging.INFO, "gateway.delivery.link")
    broker = fake(*[Script(connack=0x87), Script(connack=0x88)] * 10, Script())
    driver = make_link(broker.url)
    driver.connect()
    driver.end()
    assert [record.getMessage() for record in caplog.records] == [
        f"{broker.url}: refused: Not authorized; trying again",
        f"{broker.url}: refused: Server unavailable; trying again",
        f"connected to {broker.url} with MQTT 5",
    ]


def test_the_end_says_disconnect(fake: MakeBroker, make_link: MakeLink) -> None:
    """No will is published, and no further attempt is made."""
    broker = fake()
    driver = make_link(broker.url)
    driver.connect()
    driver.end()
    broker.wait_for(lambda: broker.clients[0].clean_end)
    driver.link.tick(driver.now + 1000)
    assert (broker.wills, len(broker.clients), driver.link.end()) == ([], 1, False)


def test_an_aborted_connection_leaves_the_will(fake: MakeBroker, make_link: MakeLink) -> None:
    """``abort`` says no DISCONNECT, so that the broker tells everybody."""
    broker = fake()
    driver = make_link(broker.url)
    driver.connect()
    driver.link.abort("the test says so")
    assert driver.fail() == ["the test says so"]
    broker.wait_for(lambda: broker.wills)
    assert not broker.clients[0].clean_end
