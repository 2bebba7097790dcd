"""One connection to one broker. The only file that knows paho.

Each attempt to connect is a new :class:`Connection` with a new paho client, used once and thrown away: so nothing of an
earlier connection can be sent again behind our back, every connect is a clean start, and a callback of an old
connection is recognised by its number. paho's callbacks run on its own thread, some of them with its locks held
(``on_publish`` holds the one that ``publish`` takes); here they post an event and return, and nothing else.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway import threads
from gateway.config.settings import Endpoint, MqttSettings
from gateway.delivery.listening import told_by_suback
from gateway.delivery.tls import Unusable, explain, tls_context

LARGEST_INBOUND = 256 * 1024
"""The largest packet that we take from a broker; MQTT 5 is told. We only listen to commands and birth messages."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker said in its CONNACK (MQTT 5), or what 3.1.1 implies."""

    receive_maximum: int = 65_535
    """Most unacknowledged publishes at a time."""
    maximum_packet: int | None = None
    """Largest packet in bytes; ``None``: no limit was named."""
    retain_available: bool = True
    maximum_qos: int = 2


@dataclass(frozen=True, slots=True)
class Connected:
    """CONNACK with success."""

    number: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection's thread has ended, whatever the cause; nothing more will come with this number."""

    number: int
    accepted: bool
    """Whether the broker had accepted the connection."""
    code: int | None
    """The reason code of a refusing CONNACK or of the broker's DISCONNECT, in MQTT 5's numbering."""
    reason: str
    ours: bool = False
    """Whether we broke it ourselves."""


@dataclass(frozen=True, slots=True)
class Acked:
    """PUBACK. ``code`` is 0 in MQTT 3.1.1."""

    number: int
    mid: int
    code: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a subscription."""

    number: int
    topic: str
    payload: bytes
    retained: bool


Event = Connected | Closed | Acked | Received


class Unsendable(Exception):
    """A message that no broker can take: bad topic or too large for MQTT."""


class _Client(Client):
    """paho's client, whose network thread cannot end in silence, nor fill the memory with one packet."""

    ended: Callable[[BaseException | None], None]
    too_large: Callable[[int], None]

    def _sock_recv(self, bufsize: int) -> bytes:
        """Receive. paho asks for all that is left of a packet, whatever its size."""
        if bufsize > LARGEST_INBOUND:
            self.too_large(bufsize)
            raise ConnectionAbortedError("too large")
        return super()._sock_recv(bufsize)

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:  # noqa: ARG002, FBT001, FBT002 (paho's signature)
        """Run the loop once through; report the end of the thread, whatever ends it."""
        threads.show_name("paho")
        error: BaseException | None = None
        try:
            return super().loop_forever(timeout, retry_first_connection=False)
        except BaseException as exc:  # noqa: BLE001 (a SystemExit in this thread would be silent, too)
            error = exc
            return MQTTErrorCode.MQTT_ERR_UNKNOWN
        finally:
            self.ended(error)
            del error  # it knows this frame, which knows it: the client would stay until the garbage is collected


class Connection:
    """One attempt to connect, and the connection that comes of it."""

    def __init__(
        self,
        number: int,
        endpoint: Endpoint,
        version: str,
        mqtt: MqttSettings,
        *,
        client_id: str,
        post: Callable[[Event], None],
        will: tuple[str, bytes] | None = None,
        will_retain: bool = True,
        subscriptions: Sequence[str] = (),
        connect_timeout: float = 2.0,
    ) -> None:
        """``version`` is ``5`` or ``3.1.1``. ``post`` is called on paho's thread and must not block."""
        self.number = number
        self.endpoint = endpoint
        self.version = version
        self._mqtt = mqtt
        self._post = post
        self._subscriptions = subscriptions
        self._accepted = False
        self._abandoned = False
        self._code: int | None = None
        self._reason = ""
        self._properties: dict[int, Properties] = {}
        self._keepalive = max(1, round(mqtt.keepalive))
        self._client = client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if version == "5" else MQTTProtocolVersion.MQTTv311,
            transport="websockets" if endpoint.scheme in ("ws", "wss") else "tcp",
            reconnect_on_failure=False,
        )
        client.ended = self._ended
        client.too_large = self._too_large
        client.connect_timeout = 5.0 if endpoint.secure else connect_timeout
        client.max_inflight_messages_set(0)  # else paho walks all messages in flight on every PUBACK
        client.max_queued_messages_set(2 * mqtt.window + 1000)
        if endpoint.scheme in ("ws", "wss"):
            client.ws_set_options(path=endpoint.path)
        if mqtt.username is not None:
            client.username_pw_set(mqtt.username, mqtt.password.reveal() if mqtt.password else None)
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=will_retain)
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message

    def start(self) -> None:
        """Begin to connect: name look-up, TCP and TLS happen on paho's thread, never on the caller's.

        Where not even that can begin (no certificate file, no descriptor, no thread), ``Closed`` comes at once.
        """
        try:
            self._start()
        except (Unusable, OSError, RuntimeError, ValueError) as exc:
            self._ended(exc)

    def _start(self) -> None:
        if self.endpoint.secure:
            self._client.tls_set_context(tls_context(self._mqtt.ca_file, self._mqtt.cert_file, self._mqtt.key_file))
        properties = None
        if self.version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = LARGEST_INBOUND
        self._client.connect_async(
            self.endpoint.host, self.endpoint.port, keepalive=self._keepalive, properties=properties
        )
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, *, retain: bool, expiry: int | None = None) -> int | None:
        """Send with QoS 1; the message id, or ``None`` when paho has no room for it now. Raises ``Unsendable``.

        ``expiry``: seconds after which the broker forgets it; MQTT 3.1.1 knows no such thing.
        """
        properties = None if expiry is None or self.version != "5" else self._expiring(expiry)
        try:
            info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        except (ValueError, UnicodeError) as exc:
            raise Unsendable(str(exc)) from exc
        return None if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE else info.mid

    def _expiring(self, expiry: int) -> Properties:
        """The properties of a message that expires; made and packed once, since that costs as much as a publish."""
        properties = self._properties.get(expiry)
        if properties is None:
            properties = self._properties[expiry] = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expiry
            packed = properties.pack()  # type: ignore[no-untyped-call]
            object.__setattr__(properties, "pack", lambda: packed)  # it refuses attributes that are no property of MQTT
        return properties

    def disconnect(self) -> None:
        """Say DISCONNECT; the broker then does not publish the will. ``Closed`` follows."""
        self._client.disconnect()

    def abort(self) -> None:
        """Shut the socket down, so that paho's thread notices at once. ``Closed`` follows.

        The descriptor is left open: paho's thread may be using it, and closing it here would let the kernel give its
        number to somebody else.
        """
        self._abandoned = True
        sock = self._client.socket()
        if sock is not None:
            raw: Any = getattr(sock, "_socket", sock)  # paho wraps websockets
            with contextlib.suppress(OSError, ValueError):
                socket.socket.shutdown(raw, socket.SHUT_RDWR)
        self._client.disconnect()

    # On paho's thread ------------------------------------------------------------------------------------------------

    def _on_socket_open(self, _client: Client, _data: Any, _sock: Any) -> None:
        if self._abandoned:  # before CONNECT is sent: it would throw our own newer connection out
            raise ConnectionAbortedError("given up")

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._code, self._reason = reason.value, f"refused: {reason.getName()}"
            return
        self._accepted = True
        if self._subscriptions:
            client.on_subscribe = told_by_suback(self._subscriptions)
            if self.version == "5":  # what we publish ourselves need not come back
                news = SubscribeOptions(qos=1, noLocal=True)
                client.subscribe([(topic, news) for topic in self._subscriptions])
            else:
                client.subscribe([(topic, 1) for topic in self._subscriptions])
        said = vars(properties) if properties is not None else {}
        self._post(
            Connected(
                self.number,
                Limits(
                    receive_maximum=said.get("ReceiveMaximum", 65_535),
                    maximum_packet=said.get("MaximumPacketSize"),
                    retain_available=bool(said.get("RetainAvailable", 1)),
                    maximum_qos=said.get("MaximumQoS", 2),
                ),
            )
        )

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if self._reason:  # what came first says more
            return
        if flags.is_disconnect_packet_from_server:
            self._code = reason.value
        self._reason = "connection lost" if reason.getName() == "Unspecified error" else reason.getName().lower()

    def _on_publish(self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Properties) -> None:
        self._post(Acked(self.number, mid, reason.value))

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._post(Received(self.number, message.topic, bytes(message.payload), message.retain))

    def _too_large(self, size: int) -> None:
        self._reason = f"the broker sends a packet of {size} bytes; at most {LARGEST_INBOUND} are taken"

    def _ended(self, error: BaseException | None) -> None:
        reason = self._reason
        if error is not None:
            reason = explain(error)
        # The client refers to us and we to it. Without this, both would keep their descriptors open until the garbage
        # is collected, which in a quiet process takes thousands of connections.
        client = self._client
        client.on_socket_open = client.on_connect = client.on_disconnect = client.on_publish = client.on_message = None
        client.ended = client.too_large = _nothing
        self._post(Closed(self.number, self._accepted, self._code, reason or "connection closed"))


def _nothing(_: object) -> None:
    """Nobody is interested any more."""
