"""What the fake broker does with a connection, and what it knows of one."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from support import mqtt_wire as wire
from support.mqtt_wire import Connect, Publish

CLOSE = object()
"""The answer to a publish that makes the broker drop the connection at once."""


def accept(_publish: Publish) -> object:
    """The answer of a good broker."""
    return 0


@dataclass(frozen=True, kw_only=True)
class Script:
    """What the broker does with one connection."""

    connack: int | bytes | None = 0
    """Reason code (MQTT 5) or return code (3.1.1) of its CONNACK; bytes are sent as they are; ``None``: no answer."""
    versions: tuple[int, ...] = (4, 5)
    """Versions that it knows. Any other is refused with ``unknown_version``."""
    unknown_version: int | bytes | None = 0x84
    """Its CONNACK then; ``None``: it closes the connection without one."""
    close_on: str = ""
    """``accept``: close at once. ``connect``: close when CONNECT has come, without an answer."""
    receive_maximum: int | None = None
    """Announced and enforced (0x93)."""
    maximum_packet: int | None = None
    """Announced and enforced (0x95)."""
    suback: bytes = b"\1"
    """Its codes for the topics of a SUBSCRIBE."""
    retain_available: bool = True
    """When not, a retained will is refused with 0x9A and a retained publish with DISCONNECT 0x9A."""
    maximum_qos: int | None = None
    answer: Callable[[Publish], object] = accept
    """To a QoS 1 publish: a reason code; bytes, sent as they are; ``None``: no answer now; or ``CLOSE``."""
    delay: float = 0.0
    """Seconds before each PUBACK."""
    times: int = 1
    """How often each PUBACK is sent."""
    reverse: int = 1
    """PUBACKs are collected up to this number and sent in reverse order."""
    close_after_bytes: int | None = None
    close_after_publishes: int | None = None
    """Close when that many have been answered."""

    def answer_to_connect(self, connect: Connect) -> object:
        """Code or bytes of the CONNACK, ``None`` for silence, or ``CLOSE``."""
        if self.close_on == "connect":
            return CLOSE
        if connect.version not in self.versions:
            return CLOSE if self.unknown_version is None else self.unknown_version
        will_retained = connect.will is not None and connect.will.retain
        return 0x9A if will_retained and connect.version == 5 and not self.retain_available else self.connack

    def connack_body(self, version: int, code: int) -> bytes:
        """The body of a CONNACK with what this script announces."""
        if version != 5 or code == 1:  # 1 is how a 3.1.1 server refuses a version that it does not know
            return bytes([0, code])
        said = b""
        if self.receive_maximum is not None:
            said += b"\x21" + struct.pack("!H", self.receive_maximum)
        if self.maximum_packet is not None:
            said += b"\x27" + struct.pack("!I", self.maximum_packet)
        if self.maximum_qos is not None:
            said += b"\x24" + bytes([self.maximum_qos])
        if not self.retain_available:
            said += b"\x25\0"
        return bytes([0, code]) + wire.varint(len(said)) + said


class Client:
    """One connection, as the broker sees it."""

    def __init__(self, number: int, script: Script, sock: socket.socket) -> None:
        self.number = number
        self.script = script
        self.connect: Connect | None = None
        self.clean_end = False
        """Whether the client has said DISCONNECT."""
        self.open = True
        self.opened_at = time.monotonic()
        self.received = 0
        self.bytes = bytearray()
        self.publishes = 0
        self.unacked: dict[int, Publish] = {}
        """Publishes without a PUBACK."""
        self.most_unacked = 0
        self.collected: list[bytes] = []
        self.sock = sock

    @property
    def version(self) -> int:
        """4 or 5."""
        return self.connect.version if self.connect else 5
