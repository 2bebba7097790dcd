"""Tells Home Assistant of all devices, again whenever it starts, and takes back what is no longer there."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping

from gateway.clocks import Clock
from gateway.config.settings import Settings
from gateway.delivery.discovery.messages import Announcement, announcements, folder
from gateway.delivery.discovery.record import Record
from gateway.delivery.message import Message
from gateway.delivery.mqtt import Received
from gateway.delivery.payload import encode_json
from gateway.delivery.topics import Topics

log = logging.getLogger(__name__)

SECOND = 1_000_000_000
BIRTH = "homeassistant/status"
"""Where Home Assistant says that it has started. Another discovery prefix does not move it; people may."""
JITTER = 5.0
"""Seconds within which all gateways of a house answer Home Assistant's birth message."""
SUBSCRIBING = 3 * SECOND
"""How long Home Assistant takes to listen to the states of what it has just been told of."""
LARGEST = 200_000
"""Bytes of a discovery message. The broker sends it back to us, and we take no packets above 256 KiB."""
MOST_KNOWN = 5000
"""Discovery topics that are remembered: each that a broker invents is a write to the disk."""
FOREVER = 1 << 62


class Announcer:
    """Used by the publisher's thread; what it gives out is for the bulletin.

    Entities that leave a device stay in its message with nothing but their platform, which is how Home Assistant is
    told that they are gone: to leave them out changes nothing there.
    """

    def __init__(
        self, settings: Settings, topics: Topics, record: Record, clock: Clock, rng: random.Random | None = None
    ) -> None:
        self._topics = topics
        self._record = record
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 (jitter, not a secret)
        self._announce_ns = self._states_ns = FOREVER
        self._messages: dict[str, Message] = {}
        self._devices: set[str] = set()
        self._clearing: dict[str, str] = {}
        """Live topics of devices that have left, by the status topic that is cleared last."""
        self._births: tuple[str, ...] = ()
        self._ours = ""
        self._told: dict[str, bytes] = {}
        """What was announced on this connection."""
        self.configure(settings)

    @property
    def subscriptions(self) -> list[str]:
        """Topics to listen to: Home Assistant's birth, and what the broker has kept of our own announcements."""
        return [*self._births, f"{self._ours}+/config"] if self._births else []

    def configure(self, settings: Settings) -> None:
        """These are the devices, and this is what Home Assistant may know of them."""
        prefix = settings.homeassistant.prefix
        self._births = ()
        if settings.homeassistant.discovery:
            self._births = tuple(dict.fromkeys((BIRTH, f"{prefix}/status")))
        self._ours = f"{folder(settings)}/"
        self._devices = {self._topics.live(device.device) for device in settings.devices}
        wanted = announcements(settings, self._topics) if settings.homeassistant.discovery else {}
        broken = {self._topics.live(device.device) for device in settings.devices if device.broken}
        before, self._messages = self._messages, {}
        for topic, announcement in wanted.items():
            ids = set(announcement["components"])
            if announcement.get("state_topic") not in broken:  # what a broken driver had is not gone
                _bury(announcement, self._record.entities.get(topic, set()) - ids)
            payload = encode_json(announcement)
            if len(payload) <= LARGEST:
                self._messages[topic] = Message(topic, payload)
            elif topic not in before:
                log.warning("%s has too many channels for Home Assistant: set homeassistant = false for some", topic)
        self._record.add({topic: _ids(wanted[topic]) for topic in self._messages}, self._devices)

    def announce(self) -> list[Message]:
        """Everything, on a new connection or for a Home Assistant that has just started; then what is gone."""
        self._told = {topic: message.payload for topic, message in self._messages.items()}
        return [*self._messages.values(), *self.take_back()]

    def changed(self) -> list[Message]:
        """What is not as it was told on this connection; then what is gone."""
        before = self._told
        return [message for message in self.announce() if before.get(message.topic) != message.payload]

    def take_back(self) -> list[Message]:
        """What clears the announcements and the retained state of what is no longer there."""
        gone = [Message(topic, b"") for topic in self._record.entities if topic not in self._messages]
        for live in self._record.devices - self._devices:
            self._clearing[f"{live}/status"] = live
            gone.append(Message(f"{live}/availability", b"offline"))
            gone.append(Message(f"{live}/status", b""))
        return gone

    def heard(self, message: Received) -> list[Message]:
        """A message has come; what is to be told because of it."""
        if not self._births:
            return []
        if message.topic in self._births:
            # a retained one is old, and we have just told; and one answer is enough for however many come meanwhile
            if message.payload == b"online" and not message.retained and self._announce_ns == FOREVER:
                self._announce_ns = self._clock.boot_ns() + int(self._rng.uniform(0.0, JITTER) * SECOND)
            return []
        kept = message.retained and message.payload and message.topic.startswith(self._ours)
        known = self._record.entities
        if not kept or message.topic in self._messages or message.topic in known or len(known) >= MOST_KNOWN:
            return []
        self._record.add({message.topic: ()}, ())
        return [Message(message.topic, b"")]

    def due(self, now_ns: int) -> tuple[list[Message], bool]:
        """What is due by time: announcements, and whether all states are to be told again."""
        told: list[Message] = []
        if now_ns >= self._announce_ns:
            self._announce_ns, self._states_ns = FOREVER, now_ns + SUBSCRIBING
            told = self.announce()
        states = now_ns >= self._states_ns
        if states:
            self._states_ns = FOREVER
        return told, states

    def cleared(self, topic: str) -> None:
        """The broker has taken an empty message: that much is gone for good."""
        if topic not in self._messages:
            self._record.forget(topic)
        live = self._clearing.pop(topic, None)
        if live is not None and live not in self._devices:
            self._record.forget(live)

    def closed(self) -> None:
        """The connection is gone; all will be told on the next one."""
        self._announce_ns = self._states_ns = FOREVER
        self._told = {}


def _bury(announcement: Announcement, gone: set[str]) -> None:
    for component in sorted(gone):
        announcement["components"][component] = {"platform": component.partition("-")[0]}


def _ids(announcement: Announcement) -> Mapping[str, object]:
    ids: Mapping[str, object] = announcement["components"]
    return ids
