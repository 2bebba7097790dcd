"""The publisher's end: first what still waits, then the good-bye, then DISCONNECT."""

from __future__ import annotations

from gateway.delivery.bulletin import Bulletin
from gateway.delivery.link import Link

CONNECT_GRACE_NS = 500_000_000
"""How long a stop waits for a connection that is not there."""
DISCONNECT_NS = 1_000_000_000
"""How long it waits for the connection to end after DISCONNECT."""


class Farewell:
    """One stop. ``step`` is called in every round of the publisher until it says that all is done."""

    def __init__(self, link: Link, bulletin: Bulletin, now_ns: int, flush: float) -> None:
        """At most ``flush`` seconds are spent on what waits."""
        self._link = link
        self._bulletin = bulletin
        self._began_ns = now_ns
        self._until_ns = now_ns + int(flush * 1e9)
        self._said_goodbye = False
        self._leaving = False

    def closed(self) -> bool:
        """The connection has ended; whether that was the last thing to wait for."""
        return self._leaving

    def step(self, now_ns: int, *, in_flight: int, queued: int) -> bool:
        """Go on as far as possible now; True at the end."""
        if self._leaving:
            return now_ns >= self._until_ns
        lonely = not self._link.up and now_ns >= self._began_ns + CONNECT_GRACE_NS
        if lonely or now_ns >= self._until_ns:
            self._link.abort("stopping")  # no DISCONNECT: the broker publishes the will
            return True
        idle = in_flight == 0 and self._bulletin.idle
        if self._link.up and idle and not self._said_goodbye and queued == 0:
            self._said_goodbye = True
            self._bulletin.goodbye()
        elif self._said_goodbye and idle:
            self._leaving = True
            self._until_ns = now_ns + DISCONNECT_NS
            return not self._link.end()
        return False
