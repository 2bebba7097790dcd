"""Finds the reading that makes a broker drop the connection, and only that one.

Some brokers answer a message that they cannot take by closing the connection, and the same message is then the first to
be sent on the next one: for ever. So after a drop with readings in flight, one message at a time is sent until the
broker has acknowledged; the window then doubles with each acknowledgement. Arrays are halved. A reading that was alone
in flight at three drops is set aside as a suspect, and it is a dead letter only once the broker has acknowledged
another reading after it: a broker that keeps crashing must not empty the spool into the dead letters. What is no
reading (status, the live copy of a batch) is left out after three such drops.

With MQTT 3.1.1 mosquitto acknowledges what is larger than its ``message_size_limit``, and drops the connection then. So
a status message that was acknowledged just before is suspected, too, and on the next connection nothing is sent after
it for a moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gateway.delivery.lanes import CHUNK_ROWS, Send, Way

STRIKES = 3
MOST_SUSPECTS = 10
"""So many suspects without an acknowledgement: it is the broker, not the readings."""
WIDE = 65_535
MOMENT_NS = 200_000_000
"""An acknowledgement and the end of the connection within this time may belong together."""


class Probe:
    """Used by the publisher's thread."""

    def __init__(self) -> None:
        self._window = WIDE
        self._chunk = CHUNK_ROWS
        self._strikes: Counter[int] = Counter()
        self._topic_strikes: Counter[str] = Counter()
        self._suspects: list[Send] = []
        self._told = ""
        """The topic that was acknowledged last, if it was a status message."""
        self._told_ns = 0
        self.wait_until_ns = 0
        """Nothing is to be sent before (boot clock): the message acknowledged last is on trial."""
        self.muted: set[str] = set()
        """Topics of status messages that the broker does not stand: not to be sent in this run."""
        self.set_aside: set[int] = set()
        """Row ids of the suspects."""

    @property
    def probing(self) -> bool:
        """Whether the window is narrowed."""
        return self._window < WIDE

    def window(self, window: int) -> int:
        """The window to use instead of ``window``."""
        return min(window, self._window)

    @property
    def chunk(self) -> int:
        """The most readings to put into one array."""
        return self._chunk

    def acked(self) -> list[Send]:
        """The broker has acknowledged a reading: the suspects that are proved by it."""
        if not (self.probing or self._strikes or self._topic_strikes):
            return []
        self._window = min(WIDE, self._window * 2)
        self._chunk = min(CHUNK_ROWS, self._chunk * 2)
        if not self.probing:
            self._strikes.clear()
            self._topic_strikes.clear()
        return self._release()

    def answered(self, send: Send, now_ns: int) -> None:
        """The broker has acknowledged a message, with success or without."""
        self._told, self._told_ns = (send.topic if send.way is Way.CONTROL else ""), now_ns
        if self._told in self._topic_strikes:
            self.wait_until_ns = now_ns + MOMENT_NS

    def may_send(self, now_ns: int) -> bool:
        """Whether nothing is on trial. What the connection has outlived is acquitted."""
        if now_ns < self.wait_until_ns:
            return False
        if self.wait_until_ns:
            self.wait_until_ns = 0
            self._topic_strikes.pop(self._told, None)
        return True

    def dropped(self, sends: Iterable[Send], now_ns: int = 0) -> list[Send]:
        """The connection was dropped under ``sends``: those to be sent again."""
        sends = list(sends)
        self.wait_until_ns = 0
        if self._told and len(sends) <= 1 and now_ns - self._told_ns < MOMENT_NS:
            self._strike(self._told)
        readings = [send for send in sends if send.rows]
        if not readings:
            return self._dropped_without_readings(sends)
        self._window = 1
        if len(readings) > 1:
            return sends
        alone = readings[0]
        if len(alone.rows) > 1:
            self._chunk = max(1, len(alone.rows) // 2)
            return sends
        row_id = alone.rows[0].id
        self._strikes[row_id] += 1
        if self._strikes[row_id] < STRIKES:
            return sends
        self._suspects.append(alone)
        self.set_aside.add(row_id)
        return [send for send in sends if send is not alone]

    def acquitted(self, *, nothing_else: bool) -> list[Send]:
        """Suspects to be sent again, because nothing else was acknowledged and nothing else is left to try."""
        if not self._suspects or not (nothing_else or len(self._suspects) >= MOST_SUSPECTS):
            return []
        self._strikes.clear()
        return self._release()

    def _dropped_without_readings(self, sends: list[Send]) -> list[Send]:
        if len(sends) > 1:
            self._window = 1
        if len(sends) != 1:
            return sends
        return sends if self._strike(sends[0].topic, mute=sends[0].way is Way.CONTROL) else []

    def _strike(self, topic: str, *, mute: bool = True) -> bool:
        """Whether what is published there, and is no reading, may be tried again."""
        self._topic_strikes[topic] += 1
        if self._topic_strikes[topic] < STRIKES:
            return True
        del self._topic_strikes[topic]
        if mute:
            self.muted.add(topic)
        return False

    def _release(self) -> list[Send]:
        suspects, self._suspects = self._suspects, []
        self.set_aside.clear()
        return suspects
