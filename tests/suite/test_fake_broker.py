"""The scriptable broker, told apart with plain sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Self

import pytest
from support import mqtt_wire as wire
from support.fake_broker import FakeBroker
from support.fake_script import CLOSE, Script


class Peer:
    """A bare MQTT client."""

    def __init__(self, broker: FakeBroker, version: int = 5, client_id: str = "peer", *, will: bool = False) -> None:
        self.version = version
        self.socket = socket.create_connection(("127.0.0.1", broker.port), timeout=5.0)
        self._bytes = bytearray()
        properties = b"\0" if version == 5 else b""
        body = (
            wire.text("MQTT") + bytes([version, 2 | (0x2C if will else 0), 0, 60]) + properties + wire.text(client_id)
        )
        if will:
            body += properties + wire.text("gone") + b"\0\3bye"
        self.send(wire.encode(wire.CONNECT, body))

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def publish(self, topic: str, payload: bytes = b"x", *, mid: int = 1, retain: bool = False) -> None:
        """Publish with QoS 1."""
        self.send(wire.publish(topic, payload, version=self.version, qos=1, mid=mid, retain=retain))

    def packet(self) -> tuple[int, bytes] | None:
        """Kind and body of the next packet; ``None`` at the end of the connection."""
        while (packet := wire.take_packet(self._bytes)) is None:
            try:
                data = self.socket.recv(4096)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._bytes += data
        return packet.kind, packet.body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


@pytest.fixture
def broker() -> Iterator[FakeBroker]:
    """A broker that behaves, until ``follow`` says otherwise."""
    broker = FakeBroker()
    yield broker
    broker.close()


OK = (wire.CONNACK, b"\0\0\0")


def test_a_good_broker_accepts_and_records(broker: FakeBroker) -> None:
    """CONNACK, PUBACK, PINGRESP and SUBACK; what came is on record, a retained publish is kept."""
    with Peer(broker, will=True) as peer:
        assert peer.packet() == OK
        peer.publish("t", b"1", mid=7, retain=True)
        assert peer.packet() == (wire.PUBACK, b"\0\7")
        peer.send(wire.encode(wire.PINGREQ, b""))
        assert peer.packet() == (wire.PINGRESP, b"")
        peer.send(wire.encode(wire.SUBSCRIBE, b"\0\1\0" + wire.text("a") + b"\1", 2))
        assert peer.packet() == (wire.SUBACK, b"\0\1\0\1")
        connect = broker.clients[0].connect
        assert connect is not None
        assert (connect.client_id, connect.version, connect.keepalive, connect.clean) == ("peer", 5, 60, True)
        assert connect.will == wire.Will("gone", b"bye", 1, retain=True)
        (seen,) = broker.publishes
        assert (seen.topic, seen.payload, seen.mid, seen.retain, seen.qos) == ("t", b"1", 7, True, 1)
        assert broker.retained == {"t": b"1"}
    broker.wait_for(lambda: broker.wills)
    assert broker.retained["gone"] == b"bye"


def test_a_clean_end_has_no_will(broker: FakeBroker) -> None:
    """DISCONNECT withdraws the will."""
    with Peer(broker, version=4, will=True) as peer:
        assert peer.packet() == (wire.CONNACK, b"\0\0")
        peer.send(wire.encode(wire.DISCONNECT, b""))
        assert peer.packet() is None
    assert (broker.clients[0].clean_end, broker.wills) == (True, [])


@pytest.mark.parametrize(
    ("script", "version", "expected"),
    [
        (Script(connack=0x87), 5, [(wire.CONNACK, b"\0\x87\0"), None]),
        (Script(connack=5), 4, [(wire.CONNACK, b"\0\5"), None]),
        (Script(versions=(4,)), 5, [(wire.CONNACK, b"\0\x84\0"), None]),
        (Script(versions=(4,), unknown_version=1), 5, [(wire.CONNACK, b"\0\1"), None]),
        (Script(versions=(4,), unknown_version=None), 5, [None]),
        (Script(versions=(4,)), 4, [(wire.CONNACK, b"\0\0")]),
        (Script(close_on="accept"), 5, [None]),
        (Script(close_on="connect"), 5, [None]),
        (Script(close_after_bytes=5), 5, [None]),
        (Script(connack=b"\x20\x03\0\0\0"), 5, [OK]),
        (Script(receive_maximum=20, maximum_packet=1000), 5, [(wire.CONNACK, b"\0\0\x08\x21\0\x14\x27\0\0\x03\xe8")]),
        (Script(maximum_qos=0, retain_available=False), 5, [(wire.CONNACK, b"\0\0\4\x24\0\x25\0")]),
    ],
)
def test_the_answer_to_connect(
    broker: FakeBroker, script: Script, version: int, expected: list[tuple[int, bytes] | None]
) -> None:
    """Each way to accept, refuse, announce, or hang up."""
    broker.follow(script)
    with Peer(broker, version) as peer:
        assert [peer.packet() for _ in expected] == expected


def test_scripts_follow_each_other(broker: FakeBroker) -> None:
    """One script for each connection, the last for all that come after."""
    broker.follow(Script(connack=0x88), Script())
    answers = []
    for _ in range(3):
        with Peer(broker, client_id="") as peer:
            answers.append(peer.packet())
    assert answers == [(wire.CONNACK, b"\0\x88\0"), OK, OK]


def test_answers_to_publishes(broker: FakeBroker) -> None:
    """Reason codes, nothing, raw bytes and the end of the connection, as the script's function says."""
    answers = {b"ok": 0, b"quota": 0x97, b"wait": None, b"raw": b"\x40\x02\0\x63", b"poison": CLOSE}
    broker.follow(Script(answer=lambda publish: answers[publish.payload]))
    with Peer(broker) as peer:
        peer.packet()
        for mid, payload in enumerate(answers, 1):
            peer.publish("t", payload, mid=mid)
        assert [peer.packet() for _ in range(4)] == [
            (wire.PUBACK, b"\0\1"),
            (wire.PUBACK, b"\0\2\x97"),
            (wire.PUBACK, b"\0\x63"),
            None,
        ]


def test_withheld_delayed_doubled_and_reversed(broker: FakeBroker) -> None:
    """PUBACKs that were withheld come when the test says so; twice and in reverse order when the script does."""
    broker.follow(Script(answer=lambda _: None))
    with Peer(broker) as peer:
        peer.packet()
        peer.publish("t", mid=1)
        broker.wait_for(lambda: broker.publishes)
        broker.acknowledge()
        assert peer.packet() == (wire.PUBACK, b"\0\1")
        broker.follow(Script(times=2, reverse=2, delay=0.01), now=True)
        peer.publish("t", mid=2)
        peer.publish("t", mid=3)
        assert [peer.packet() for _ in range(4)] == [(wire.PUBACK, bytes([0, mid])) for mid in (3, 3, 2, 2)]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (Script(receive_maximum=1, answer=lambda _: None), 0x93),
        (Script(maximum_packet=20), 0x95),
        (Script(retain_available=False), 0x9A),
    ],
)
def test_limits_are_enforced(broker: FakeBroker, script: Script, code: int) -> None:
    """Whoever exceeds what was announced is thrown out with the right code, and it is on record."""
    broker.follow(script)
    with Peer(broker, client_id="") as peer:
        peer.packet()
        peer.publish("t", b"1", mid=1)
        peer.publish("t", b"a long payload", mid=2, retain=True)
        answers = iter(peer.packet, None)
        assert next(body for kind, body in answers if kind == wire.DISCONNECT) == bytes([code, 0])
    assert len(broker.violations) == 1


def test_closing_by_count_by_order_and_by_takeover(broker: FakeBroker) -> None:
    """After n publishes; on demand, by FIN, RST or with a reason; and when the same client id connects again."""
    broker.follow(Script(close_after_publishes=1), Script())
    with Peer(broker) as peer:
        peer.packet()
        peer.publish("t")
        assert [peer.packet(), peer.packet()] == [(wire.PUBACK, b"\0\1"), None]
    for reset in (False, True):
        with Peer(broker) as peer:
            peer.packet()
            broker.drop(reset=reset)
            assert peer.packet() is None
    with Peer(broker) as peer:
        peer.packet()
        broker.say_disconnect(0x89)
        assert peer.packet() == (wire.DISCONNECT, b"\x89\0")
    with Peer(broker) as first, Peer(broker) as second:
        assert [first.packet(), first.packet()] == [OK, (wire.DISCONNECT, b"\x8e\0")]
        assert second.packet() == OK


def test_freezing(broker: FakeBroker) -> None:
    """A frozen broker answers nothing before it is thawed."""
    with Peer(broker) as peer:
        peer.packet()
        broker.freeze()
        peer.publish("t")
        peer.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            peer.packet()
        peer.socket.settimeout(5.0)
        broker.thaw()
        assert peer.packet() == (wire.PUBACK, b"\0\1")
