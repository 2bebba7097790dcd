"""For tests of ``gateway/delivery``: settings for brokers, rows and readings, a link that never waits."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from gateway.config.settings import Endpoint, MqttSettings
from gateway.delivery.link import Link
from gateway.delivery.mqtt import Acked, Closed, Connected, Event, Received
from gateway.delivery.queue import Inbox
from gateway.delivery.store import Row
from gateway.driver import Kind, Scalar
from gateway.reading.reading import Reading, Sample

SECOND = 1_000_000_000


def mqtt_settings(*urls: str, **more: Any) -> MqttSettings:
    """Settings for brokers at these URLs."""
    parts = [urlsplit(url) for url in urls]
    endpoints = tuple(Endpoint(part.scheme, part.hostname or "", part.port or 1883, part.path) for part in parts)
    return MqttSettings(endpoints=endpoints, **{"client_id": "sensorpost-t", **more})


def sample(
    values: Scalar | dict[str, Scalar] = 1.5, *, boot_ns: int = 1000 * SECOND, clock: str | None = None
) -> Sample:
    """A sample; a bare value is the channel ``value``."""
    pairs = values if isinstance(values, dict) else {"value": values}
    return Sample(tuple(pairs.items()), 1_700_000_000_123_456_789, boot_ns, clock)


def reading(seq: int, device: str = "d", kind: Kind = Kind.SAMPLED, *, boot_ns: int = 1000 * SECOND) -> Reading:
    """A reading."""
    return Reading(device, "run1", seq, kind, sample(float(seq), boot_ns=boot_ns))


def row(
    number: int,
    device: str = "d",
    kind: Kind = Kind.SAMPLED,
    *,
    boot_ns: int = 0,
    batched: bool = False,
    body: bytes | None = None,
    topic: str | None = None,
) -> Row:
    """A row with this id and, as its body, this id."""
    return Row(
        id=number,
        device=device,
        run="run1",
        seq=number,
        kind=kind,
        topic=topic or f"B/{device}",
        retain=kind is not Kind.EVENT,
        batched=batched,
        body=b"%d" % number if body is None else body,
        boot_ns=boot_ns,
    )


class LinkDriver:
    """Runs a :class:`Link` on the test's thread. Time that it would only wait away is skipped, and noted."""

    def __init__(
        self,
        *urls: str,
        subscriptions: Sequence[str] = (),
        will: bool = True,
        trouble: Callable[[Event], None] = lambda _event: None,
        **more: Any,
    ) -> None:
        """``trouble`` is called with each event on paho's thread before it is posted, and may raise."""
        self.inbox = Inbox()
        self.waits: list[float] = []
        """Seconds that the link waited before an attempt, one for each attempt that was not at once."""
        self.events: list[Event] = []
        self._reasons: list[str] = []
        self._skipped = 0.0
        self._trouble = trouble
        self.link = Link(
            mqtt_settings(*urls, **more),
            "sensorpost-t",
            self._post,
            time.time_ns,
            will=("B/gateway/state", b"offline") if will else None,
            subscriptions=subscriptions,
            rng=random.Random(1),
        )

    def _post(self, event: Event) -> None:
        self._trouble(event)
        self.inbox.post(event)

    @property
    def now(self) -> float:
        """The link's clock."""
        return time.monotonic() + self._skipped

    def skip(self, seconds: float) -> None:
        """Let time pass at one stroke."""
        self._skipped += seconds

    def step(self) -> None:
        """One round, as the publisher makes it."""
        link = self.link
        wait = link.next_due() - self.now
        if link._connection is None and wait > 0:
            self.waits.append(wait)
            self.skip(wait)
        link.tick(self.now)
        item = self.inbox.get(0.01)
        match item:
            case Connected():
                link.connected(item, self.now)
            case Closed():
                if link.closed(item, self.now):
                    self._reasons.append(link.status.last_error)
        if isinstance(item, (Connected, Closed, Acked, Received)):
            self.events.append(item)

    def run_until(self, predicate: Callable[[], object], timeout: float = 20.0) -> None:
        """Go on until ``predicate()`` is true."""
        deadline = time.monotonic() + timeout
        while not predicate():
            assert time.monotonic() < deadline, f"not within {timeout:g} s; {self.link.status}, {self.events[-5:]}"
            self.step()

    def connect(self) -> None:
        """Until it is connected."""
        self.run_until(lambda: self.link.up)

    def reasons(self) -> list[str]:
        """Why connections ended, in order, each as the link reports it."""
        return list(self._reasons)

    def fail(self, times: int = 1) -> list[str]:
        """Until that many more attempts or connections have ended; their reasons."""
        before = len(self.reasons())
        self.run_until(lambda: len(self.reasons()) >= before + times)
        return self.reasons()[before:]

    def end(self) -> None:
        """Stop for good, and see its thread out."""
        connection = self.link._connection
        if self.link.end():
            self.run_until(lambda: self.link._connection is None)
        del connection
