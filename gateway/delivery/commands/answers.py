"""Answers on their way to the broker: unlike everything else that is told, each of them matters."""

from __future__ import annotations

from collections import deque

from gateway.delivery.message import Message

MOST = 100
"""Answers that wait; while the broker is away, the oldest make room."""


class Answers:
    """Used by the publisher's thread. One of a topic is in flight at a time, so that they arrive in their order."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque(maxlen=MOST)
        self._in_flight: dict[str, Message] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting or self._in_flight)

    def add(self, message: Message) -> None:
        """Another one."""
        self._waiting.append(message)

    def next_message(self) -> Message | None:
        """The next one to send; it counts as in flight from now on."""
        for message in self._waiting:
            if message.topic not in self._in_flight:
                self._waiting.remove(message)
                self._in_flight[message.topic] = message
                return message
        return None

    def put_back(self, message: Message) -> bool:
        """It could not be sent now. False when it is none of ours."""
        if self._in_flight.get(message.topic) is not message:
            return False
        del self._in_flight[message.topic]
        self._waiting.appendleft(message)
        return True

    def settled(self, topic: str) -> None:
        """The broker has answered."""
        self._in_flight.pop(topic, None)

    def closed(self) -> None:
        """The connection is gone: what was in flight may not have arrived."""
        self._waiting.extendleft(reversed(self._in_flight.values()))
        self._in_flight.clear()
