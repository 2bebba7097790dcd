"""What was sent and is not acknowledged yet, in the order of sending."""

from __future__ import annotations

from gateway.delivery.lanes import Send, Way

LATE_BYTES = 64 * 1024
"""Most bytes of late readings under way: more would only stand in front of a live one in the socket's buffer."""


class InFlight:
    """Messages by their MQTT message id, valid for one connection."""

    def __init__(self) -> None:
        self._sends: dict[int, Send] = {}
        self._late = 0
        self._late_bytes = 0

    def __len__(self) -> int:
        return len(self._sends)

    def add(self, mid: int, send: Send, now_ns: int) -> None:
        """``send`` went out at ``now_ns`` (boot clock)."""
        send.sent_ns = now_ns
        self._sends[mid] = send
        if send.way is Way.LATE:
            self._late += 1
            self._late_bytes += len(send.payload)

    def pop(self, mid: int) -> Send | None:
        """An acknowledgement came; ``None`` when it came twice, or for something that was never sent."""
        send = self._sends.pop(mid, None)
        if send is not None and send.way is Way.LATE:
            self._late -= 1
            self._late_bytes -= len(send.payload)
        return send

    def sends(self) -> list[Send]:
        """Everything that is in flight, oldest first."""
        return list(self._sends.values())

    def clear(self) -> list[Send]:
        """The connection has ended: everything that was in flight, oldest first."""
        sends = self.sends()
        self._sends.clear()
        self._late = self._late_bytes = 0
        return sends

    def late_fits(self, window: int) -> bool:
        """Whether one more late message may go: they use at most half the window."""
        return self._late < max(1, window // 2) and self._late_bytes < LATE_BYTES

    def oldest_ns(self) -> int | None:
        """When the oldest message that is still unacknowledged was sent."""
        for send in self._sends.values():
            return send.sent_ns
        return None
