"""A client that collects what a broker sends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode


@dataclass(frozen=True)
class Message:
    """One message as it came."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    """True for what the broker had kept and sent because of the subscription."""
    properties: Properties | None = None

    @property
    def text(self) -> str:
        """The payload as text."""
        return self.payload.decode()

    def json(self) -> Any:
        """The payload as JSON; NaN and Infinity are refused."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{self.topic}: {constant} is no JSON")

        return json.loads(self.payload, parse_constant=refuse)


class Subscriber:
    """Subscribed when the constructor returns. It connects again by itself when the broker comes back."""

    def __init__(self, port: int, topics: Iterable[str] = ("#",), *, protocol: int = 5, qos: int = 1) -> None:
        self._changed = threading.Condition()
        self._messages: list[Message] = []
        self._topics = [(topic, qos) for topic in topics]
        self._granted = 0
        self._refusal = ""
        version = MQTTProtocolVersion.MQTTv5 if protocol == 5 else MQTTProtocolVersion.MQTTv311
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=version)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]  # fractions work
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        try:
            self.wait_subscribed(1)
        except AssertionError:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect and end its thread."""
        self._client.disconnect()
        self._client.loop_stop()
        del self._client  # paho keeps a pair of sockets open for as long as somebody refers to it

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a message as another client would; returns when the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5.0)

    @property
    def messages(self) -> list[Message]:
        """All so far, in order of arrival."""
        with self._changed:
            return list(self._messages)

    def on(self, topic: str) -> list[Message]:
        """Those of one topic."""
        return [message for message in self.messages if message.topic == topic]

    def clear(self) -> None:
        """Forget what has come."""
        with self._changed:
            self._messages.clear()

    def wait_for(self, predicate: Callable[[Message], object], timeout: float = 20.0) -> Message:
        """The first message, of those that have come or come yet, for which ``predicate`` is true."""
        return self.wait_for_count(1, predicate, timeout)[0]

    def wait_for_count(
        self, count: int, predicate: Callable[[Message], object] = lambda _: True, timeout: float = 20.0
    ) -> list[Message]:
        """At least ``count`` messages for which ``predicate`` is true; ``AssertionError`` after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        found: list[Message] = []
        seen = 0
        with self._changed:
            while True:
                found += [message for message in self._messages[seen:] if predicate(message)]
                seen = len(self._messages)
                if len(found) >= count:
                    return found
                if not self._changed.wait(deadline - time.monotonic()):
                    last = "".join(f"\n  {message.topic} {message.payload[:200]!r}" for message in self._messages[-10:])
                    raise AssertionError(
                        f"{len(found)} of {count} messages within {timeout:g} s; {seen} came in all, the last:{last}"
                    )

    def wait_subscribed(self, times: int, timeout: float = 20.0) -> None:
        """Wait until it has subscribed ``times`` times in all: 2 after the broker has come back once."""
        with self._changed:
            self._changed.wait_for(lambda: self._granted >= times or self._refusal, timeout)
            if self._granted < times:
                raise AssertionError(self._refusal or f"the broker has not let us subscribe within {timeout:g} s")

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _properties: object
    ) -> None:
        if not code.is_failure:
            client.subscribe(self._topics)
            return
        with self._changed:
            self._refusal = f"the broker refuses the connection: {code}"
            self._changed.notify_all()

    def _on_subscribe(self, *_: object) -> None:
        with self._changed:
            self._granted += 1
            self._changed.notify_all()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            self._messages.append(
                Message(message.topic, bytes(message.payload), message.qos, message.retain, message.properties)
            )
            self._changed.notify_all()
