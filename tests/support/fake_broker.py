"""An MQTT broker (3.1.1 and 5) that does wrong on demand, and remembers everything that it was told.

It delivers nothing to anybody: it is there to see what a publisher does. Each connection follows a :class:`Script`::

    broker = FakeBroker(Script(connack=0x87), Script())        # refuses once, then behaves
    broker = FakeBroker(Script(answer=lambda publish: 0x97 if b"7" in publish.payload else 0))
    broker.wait_for(lambda: len(broker.publishes) >= 3)

One thread does it all. What it has recorded may be read at any time from any thread.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable

from support import mqtt_wire as wire
from support.fake_script import CLOSE, Client, Script
from support.mqtt_wire import Connect, Packet, Publish, Will


class FakeBroker:
    """Listens on a free port of 127.0.0.1 from its construction until ``close``."""

    def __init__(self, *scripts: Script, port: int = 0) -> None:
        """The first connection follows the first script and so on; the last script is for all that follow."""
        self.clients: list[Client] = []
        """Every connection there was, in order."""
        self.publishes: list[Publish] = []
        """Every publish, in order of arrival, over all connections."""
        self.violations: list[str] = []
        """What a client did that it was told not to do."""
        self.retained: dict[str, bytes] = {}
        """What a subscriber would be given now: acknowledged and retained publishes, and wills."""
        self.wills: list[Will] = []
        """Wills that were published."""
        self._scripts = list(scripts) or [Script()]
        self._changed = threading.Condition()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._thawed = threading.Event()
        self._thawed.set()
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._wake_out, self._wake_in = socket.socketpair()
        self._leaving: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="fake-broker", daemon=True)
        self._thread.start()

    # For the test ----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """What ``[mqtt] url`` is set to."""
        return f"mqtt://127.0.0.1:{self.port}"

    def on(self, topic: str) -> list[Publish]:
        """The publishes of one topic."""
        return [publish for publish in list(self.publishes) if publish.topic == topic]

    def wait_for(self, predicate: Callable[[], object], timeout: float = 20.0, what: str = "") -> None:
        """Return when ``predicate()`` is true; it is asked after whatever happens here."""
        with self._changed:
            if not self._changed.wait_for(predicate, timeout):
                last = "".join(f"\n  {p.topic} {p.payload[:100]!r}" for p in self.publishes[-10:])
                raise AssertionError(
                    f"{what or 'it'} did not come within {timeout:g} s; {len(self.clients)} connections, "
                    f"{len(self.publishes)} publishes, violations {self.violations}, the last publishes:{last}"
                )

    def follow(self, *scripts: Script, now: bool = False) -> None:
        """New scripts for the connections to come; with ``now`` the first holds for the present ones, too."""

        def act() -> None:
            self._scripts = list(scripts)
            for client in self.clients if now else ():
                client.script = scripts[0]

        self._do(act)

    def acknowledge(self, code: int = 0) -> None:
        """Send the PUBACKs that were withheld."""

        def act(client: Client) -> None:
            for mid in tuple(client.unacked):
                self._puback(client, mid, code)

        self._do_each(act)

    def send(self, data: bytes) -> None:
        """Send bytes on every open connection."""
        self._do_each(lambda client: self._send(client, data))

    def drop(self, *, reset: bool = False) -> None:
        """Close every connection; with ``reset`` by RST."""
        self._do_each(lambda client: self._close(client, reset=reset))

    def say_disconnect(self, code: int) -> None:
        """Send DISCONNECT with a reason code (MQTT 5) on every connection and close it."""
        self._do_each(lambda client: self._throw_out(client, code))

    def freeze(self) -> None:
        """Do nothing from now on. The kernel still accepts connections and buffers what is sent."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Go on after ``freeze``."""
        self._thawed.set()

    def close(self) -> None:
        """End the broker."""
        self._closing = True
        self.thaw()
        self._wake()
        self._thread.join(5.0)

    # The thread ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing:
            timeout = max(0.0, self._later[0][0] - time.monotonic()) if self._later else None
            ready = self._selector.select(timeout)
            self._thawed.wait()
            with self._changed:
                for key, _ in ready:
                    if key.fileobj is self._wake_in:
                        self._wake_in.recv(4096)
                    elif key.fileobj is self._listener:
                        self._accept()
                    elif key.data.open:
                        self._read(key.data)
                while self._later and self._later[0][0] <= time.monotonic():
                    heapq.heappop(self._later)[2]()
                self._changed.notify_all()
        for client in self._open():
            self._close(client)
        for sock in (self._listener, self._wake_in, self._wake_out, *self._leaving):
            sock.close()
        self._selector.close()

    def _do_each(self, act: Callable[[Client], None]) -> None:
        def for_all() -> None:
            for client in self._open():
                act(client)

        self._do(for_all)

    def _do(self, act: Callable[[], None]) -> None:
        """Have the thread do something, and wait until it is done."""
        done = threading.Event()
        self._at(0.0, act)
        self._at(0.0, done.set)
        self._wake()
        assert done.wait(5.0), "the fake broker is frozen or has ended"

    def _at(self, delay: float, act: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._later, (time.monotonic() + delay, next(self._order), act))

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_out.send(b".")

    def _open(self) -> list[Client]:
        return [client for client in self.clients if client.open]

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(5.0)  # a client that never reads must not hold us for ever
        client = Client(len(self.clients), self._scripts[0], sock)
        if len(self._scripts) > 1:
            del self._scripts[0]
        self.clients.append(client)
        self._selector.register(sock, selectors.EVENT_READ, client)
        if client.script.close_on == "accept":
            self._close(client)

    def _read(self, client: Client) -> None:
        try:
            data = client.sock.recv(65536)
        except OSError:
            data = b""
        limit = client.script.close_after_bytes
        enough = not data or (limit is not None and client.received + len(data) >= limit)
        client.bytes += data if limit is None else data[: limit - client.received]
        client.received += len(data)
        while client.open and (packet := wire.take_packet(client.bytes)) is not None:
            self._handle(client, packet)
        if enough:
            self._close(client)

    def _handle(self, client: Client, packet: Packet) -> None:
        most = client.script.maximum_packet
        if most is not None and packet.size > most:
            self.violations.append(f"a packet of {packet.size} bytes, allowed are {most}")
            self._throw_out(client, 0x95)
        elif packet.kind == wire.CONNECT:
            client.connect = wire.read_connect(packet.body)
            self._connack(client, client.connect)
        elif packet.kind == wire.PUBLISH:
            self._publish(client, wire.read_publish(packet, client.version, time.monotonic(), client.number))
        elif packet.kind == wire.SUBSCRIBE:
            properties = b"\0" if client.version == 5 else b""
            self._send(client, wire.encode(wire.SUBACK, packet.body[:2] + properties + client.script.suback))
        elif packet.kind == wire.PINGREQ:
            self._send(client, wire.encode(wire.PINGRESP, b""))
        elif packet.kind == wire.DISCONNECT:
            client.clean_end = packet.body[:1] != b"\x04"  # 4: with the will
            self._close(client)

    def _connack(self, client: Client, connect: Connect) -> None:
        script = client.script
        answer = script.answer_to_connect(connect)
        if answer is CLOSE:
            self._close(client)
        elif isinstance(answer, bytes):
            self._send(client, answer)
        elif isinstance(answer, int):
            self._send(client, wire.encode(wire.CONNACK, script.connack_body(connect.version, answer)))
            if answer:
                self._close(client, will=False)
                return
            for other in self._open():
                if other is not client and other.connect is not None and other.connect.client_id == connect.client_id:
                    self._throw_out(other, 0x8E)

    def _publish(self, client: Client, publish: Publish) -> None:
        script = client.script
        self.publishes.append(publish)
        client.publishes += 1
        if publish.qos:
            client.unacked[publish.mid] = publish
            client.most_unacked = max(client.most_unacked, len(client.unacked))
        if script.receive_maximum is not None and len(client.unacked) > script.receive_maximum:
            self.violations.append(f"{len(client.unacked)} unacknowledged, allowed are {script.receive_maximum}")
            self._throw_out(client, 0x93)
            return
        if publish.retain and not script.retain_available:
            self.violations.append(f"{publish.topic} is retained, which is not available")
            self._throw_out(client, 0x9A)
            return
        answer = script.answer(publish) if publish.qos else None
        if answer is CLOSE:
            self._close(client)
        elif isinstance(answer, bytes):
            self._send(client, answer)
        elif isinstance(answer, int):
            if script.delay:
                self._at(script.delay, lambda: self._puback(client, publish.mid, answer))
            else:
                self._puback(client, publish.mid, answer)
        if client.open and client.publishes == script.close_after_publishes:
            self._close(client)

    def _puback(self, client: Client, mid: int, code: int) -> None:
        publish = client.unacked.pop(mid, None)
        if publish is not None and publish.retain and code < 0x80:
            self.retained[publish.topic] = publish.payload
        body = struct.pack("!H", mid) + (bytes([code]) if client.version == 5 and code else b"")
        client.collected.append(wire.encode(wire.PUBACK, body) * client.script.times)
        if len(client.collected) >= client.script.reverse:
            data = b"".join(reversed(client.collected))
            client.collected.clear()
            self._send(client, data)

    def _throw_out(self, client: Client, code: int) -> None:
        if client.version == 5:
            self._send(client, wire.encode(wire.DISCONNECT, bytes([code, 0])))
        self._close(client, at_ease=True)

    def _send(self, client: Client, data: bytes) -> None:
        if client.open:
            try:
                client.sock.sendall(data)
            except OSError:
                self._close(client)

    def _close(self, client: Client, *, reset: bool = False, will: bool = True, at_ease: bool = False) -> None:
        """``at_ease``: what it is just sending is no reason for a reset, which could come before our last packet."""
        if not client.open:
            return
        client.open = False
        self._selector.unregister(client.sock)
        if reset:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if at_ease:
            with contextlib.suppress(OSError):
                client.sock.shutdown(socket.SHUT_WR)
            self._leaving.append(client.sock)
        else:
            client.sock.close()
        told = client.connect.will if client.connect is not None else None
        if will and told is not None and not client.clean_end:
            self.wills.append(told)
            if told.retain:
                self.retained[told.topic] = told.payload
