"""The few MQTT packets that the fake broker reads and writes, of 3.1.1 and 5. No more is checked than is needed."""

from __future__ import annotations

import struct
from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 10, 11, 12, 13, 14


@dataclass(frozen=True)
class Packet:
    """One packet as it came."""

    kind: int
    flags: int
    body: bytes
    size: int
    """Bytes of the whole packet, the fixed header included."""


@dataclass(frozen=True)
class Will:
    """What the broker publishes when the client goes without DISCONNECT."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True)
class Connect:
    """What a client said when it connected. ``version`` is 4 (MQTT 3.1.1) or 5."""

    version: int
    client_id: str
    keepalive: int
    clean: bool
    will: Will | None
    username: str | None
    password: bytes | None
    properties: bytes
    """Those of MQTT 5, not decoded."""


@dataclass(frozen=True)
class Publish:
    """A publish as it came."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int
    at: float
    """``time.monotonic()`` of its arrival."""
    connection: int
    """Number of the connection, from 0."""


def encode(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A packet with its fixed header."""
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def varint(number: int) -> bytes:
    """MQTT's variable byte integer."""
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | (128 if number else 0))
        if not number:
            return bytes(out)


def text(value: str) -> bytes:
    """A string with its length before it."""
    raw = value.encode()
    return struct.pack("!H", len(raw)) + raw


def publish(topic: str, payload: bytes, *, version: int, qos: int = 0, mid: int = 1, retain: bool = False) -> bytes:
    """A PUBLISH towards a client."""
    number = struct.pack("!H", mid) if qos else b""
    properties = b"\0" if version == 5 else b""
    return encode(PUBLISH, text(topic) + number + properties + payload, qos << 1 | retain)


def take_packet(buffer: bytearray) -> Packet | None:
    """Cut the first whole packet off the buffer; ``None`` when there is none yet."""
    length, shift, at = 0, 0, 1
    while True:
        if at >= len(buffer):
            return None
        length |= (buffer[at] & 127) << shift
        at += 1
        if buffer[at - 1] < 128:
            break
        shift += 7
    if len(buffer) < at + length:
        return None
    packet = Packet(buffer[0] >> 4, buffer[0] & 15, bytes(buffer[at : at + length]), at + length)
    del buffer[: at + length]
    return packet


class Reader:
    """Walks through the body of a packet."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def byte(self) -> int:
        """One byte."""
        return self.raw(1)[0]

    def number(self) -> int:
        """Two bytes."""
        return int.from_bytes(self.raw(2), "big")

    def raw(self, count: int) -> bytes:
        """That many bytes."""
        self._at += count
        return self._body[self._at - count : self._at]

    def binary(self) -> bytes:
        """Bytes with their length before them."""
        return self.raw(self.number())

    def text(self) -> str:
        """A string."""
        return self.binary().decode()

    def properties(self) -> bytes:
        """The properties of MQTT 5, not decoded."""
        length, shift = 0, 0
        while True:
            digit = self.byte()
            length |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return self.raw(length)

    def rest(self) -> bytes:
        """All that is left."""
        return self.raw(len(self._body) - self._at)


def read_connect(body: bytes) -> Connect:
    """Decode a CONNECT."""
    reader = Reader(body)
    reader.text()  # "MQTT"
    version, flags, keepalive = reader.byte(), reader.byte(), reader.number()
    properties = reader.properties() if version == 5 else b""
    client_id = reader.text()
    will = None
    if flags & 4:
        if version == 5:
            reader.properties()
        will = Will(reader.text(), reader.binary(), flags >> 3 & 3, bool(flags & 32))
    username = reader.text() if flags & 128 else None
    password = reader.binary() if flags & 64 else None
    return Connect(version, client_id, keepalive, bool(flags & 2), will, username, password, properties)


def read_publish(packet: Packet, version: int, at: float, connection: int) -> Publish:
    """Decode a PUBLISH."""
    reader = Reader(packet.body)
    topic = reader.text()
    qos = packet.flags >> 1 & 3
    mid = reader.number() if qos else 0
    if version == 5:
        reader.properties()
    return Publish(topic, reader.rest(), qos, bool(packet.flags & 1), bool(packet.flags & 8), mid, at, connection)
