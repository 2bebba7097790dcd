"""The publisher's end: first what still waits, then the good-bye, then DISCONNECT.

Where not all that waits can be sent in time, the rest stays and the good-bye is said all the same. Only a broker that
does not answer gets neither good-bye nor DISCONNECT: then it publishes the will.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.delivery.bulletin import Bulletin
from gateway.delivery.link import Link

CONNECT_GRACE_NS = 500_000_000
"""How long a stop waits for a connection that is not there."""
GOODBYE_NS = 500_000_000
"""How long a good-bye may take that is said while readings still wait."""
DISCONNECT_NS = 1_000_000_000
"""How long it waits for the connection to end after DISCONNECT."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Posted to the inbox: flush within ``flush`` seconds, say good-bye, end."""

    flush: float


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
        self.hurried = False
        """No time for readings any more."""

    def closed(self) -> bool:
        """The connection has ended; whether that was the last thing to wait for."""
        self._said_goodbye = False  # the next connection begins by telling that all is online
        return self._leaving

    def step(self, now_ns: int, *, in_flight: int, queued: int) -> bool:
        """Go on as far as possible now; True at the end."""
        if self._leaving:
            return now_ns >= self._until_ns
        lonely = not self._link.up and now_ns >= self._began_ns + CONNECT_GRACE_NS
        late = now_ns >= self._until_ns
        if lonely or (late and (self.hurried or not self._link.up)):
            self._link.give_up("stopping")
            return True
        if late:
            self.hurried = True
            self._until_ns = now_ns + GOODBYE_NS
        idle = self._bulletin.idle and (in_flight == 0 or self.hurried)
        if self._link.up and not self._said_goodbye and (self.hurried or (idle and queued == 0)):
            self._said_goodbye = True
            self._bulletin.goodbye()
        elif self._said_goodbye and idle:
            self._leaving = True
            self._until_ns = now_ns + DISCONNECT_NS
            return not self._link.end()
        return False
