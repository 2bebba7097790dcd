"""What the broker does not take: how long to leave it or the topic alone, and the alarms that tell a person."""

from __future__ import annotations

from gateway.clocks import Clock
from gateway.delivery.lanes import Lanes, Send
from gateway.delivery.link import TAKEN_OVER
from gateway.delivery.outcome import QUOTA_EXCEEDED, Outcome
from gateway.status.alarms import Alarms

FORBIDDEN_RETRY_NS = 30_000_000_000
"""How often a topic that the broker does not allow is tried again."""
RETRY_NS = 1_000_000_000
"""The same for whatever else it does not take now."""
QUOTA_OVER_NS = 10_000_000_000
"""So long after the last reading over the quota it counts as over; else its alarm would come and go every second."""
TWIN_GONE_NS = 60_000_000_000
"""A connection that lasts so long has no rival for its client id any more."""


class Refusals:
    """Used by the publisher's thread."""

    def __init__(self, lanes: Lanes, alarms: Alarms, clock: Clock) -> None:
        self._lanes = lanes
        self._alarms = alarms
        self._clock = clock
        self._connected_ns = 0
        self.hold_until_ns = 0
        """Before this time of the boot clock no reading is to be sent at all."""

    def refused(self, send: Send, outcome: Outcome, code: int) -> None:
        """The broker does not take it now: leave its topic alone for a while or, for a quota, the broker."""
        now_ns = self._clock.boot_ns()
        if code == QUOTA_EXCEEDED:
            self.hold_until_ns = now_ns + RETRY_NS
            self._alarms.set("quota", f"the broker does not take readings now (reason code 0x{code:02X})")
        elif outcome is Outcome.FORBIDDEN:
            self._lanes.hold(send, now_ns + FORBIDDEN_RETRY_NS)
            self._alarms.set(f"topic:{send.topic}", f"the broker does not allow us to publish on {send.topic}")
        else:
            self._lanes.hold(send, now_ns + RETRY_NS)
            text = f"the broker does not take what we publish on {send.topic} (reason code 0x{code:02X})"
            self._alarms.set(f"topic:{send.topic}", text)

    def forbidden(self, topic: str) -> None:
        """A message that is no reading is not allowed; it is tried again."""
        where = _group(topic)
        self._alarms.set(f"topic:{where}", f"the broker does not allow us to publish on {where}")

    def too_large(self, topic: str) -> None:
        """A message that is no reading is larger than the broker allows."""
        self._alarms.set(f"size:{topic}", f"{topic} is larger than the broker's maximum packet size")

    def not_stood(self, topic: str) -> None:
        """A message that is no reading made the broker drop the connection each time."""
        self._alarms.set(f"size:{topic}", f"the broker drops the connection whenever {topic} is published")

    def taken(self, topic: str) -> None:
        """The broker has taken something on this topic."""
        if not self._alarms.any:
            return
        self._alarms.clear(f"topic:{_group(topic)}")
        self._alarms.clear(f"size:{topic}")
        now_ns = self._clock.boot_ns()
        if now_ns >= self.hold_until_ns + QUOTA_OVER_NS:
            self._alarms.clear("quota")
        if now_ns >= self._connected_ns + TWIN_GONE_NS:
            self._alarms.clear("twin")

    def connected(self) -> None:
        """A connection was made."""
        self._connected_ns = self._clock.boot_ns()

    def closed(self, code: int | None, reason: str) -> None:
        """It has ended; with ``code`` the broker has told why."""
        if code == TAKEN_OVER:
            self._alarms.set("twin", reason)


def _group(topic: str) -> str:
    """One alarm for all announcements to Home Assistant: an access list has them in one line."""
    above, _, leaf = topic.rpartition("/")
    return f"{above.rpartition('/')[0]}/+/config" if leaf == "config" else topic
