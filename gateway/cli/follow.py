"""Follows the broker until told to stop, and hands what comes to a printer: lines, JSON or the live table."""

from __future__ import annotations

import contextlib
import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

from gateway.cli.feed import Arrival, Feed
from gateway.cli.lines import line
from gateway.cli.output import fancy, note, out, out_json
from gateway.config.settings import MqttSettings
from gateway.delivery.subscriber import LinkNews, Message, Subscriber

ROUND = 0.2
"""Seconds between looks at the stop event, and between two pictures of the table."""


class Printer(contextlib.AbstractContextManager["Printer"], Protocol):
    """Shows readings to somebody."""

    def arrival(self, arrival: Arrival) -> bool:
        """A reading has come; whether it counts as one that was shown."""

    def link(self, news: LinkNews) -> None:
        """The connection was made or lost."""

    def tick(self, now: float) -> bool:
        """Called several times a second; True when the person wants to leave."""


@dataclass(slots=True)
class Outcome:
    """How it went."""

    shown: int = 0
    ever_connected: bool = False
    trouble: str = ""
    """The broker and why it cannot be reached; empty while it can."""


def follow(
    mqtt: MqttSettings,
    feed: Feed,
    printer: Printer,
    stop: threading.Event,
    *,
    seconds: float | None = None,
    count: int | None = None,
    connected: Callable[[], None] | None = None,
) -> Outcome:
    """Show what comes until ``stop`` is set, ``seconds`` have passed, ``count`` were shown or the person leaves.

    ``connected`` is called once, when the broker has accepted us for the first time. ``seconds`` begin anew then: what
    it takes to connect is no part of what somebody wants to listen to.
    """
    inbox: queue.SimpleQueue[Message | LinkNews] = queue.SimpleQueue()
    # a name of its own: a broker that sees a client id twice throws the first one out
    subscriber = Subscriber(mqtt, f"sensorpost-{secrets.token_hex(4)}", feed.subscriptions(), inbox.put)
    outcome = Outcome()
    begun = False
    deadline = None if seconds is None else time.monotonic() + seconds
    with printer:
        subscriber.start()
        try:
            while not stop.is_set() and (count is None or outcome.shown < count):
                now = time.monotonic()
                if printer.tick(now) or (deadline is not None and now >= deadline):
                    break
                wait = ROUND if deadline is None else max(0.0, min(ROUND, deadline - now))
                with contextlib.suppress(queue.Empty):
                    _take(inbox.get(timeout=wait), feed, printer, outcome)
                if outcome.ever_connected and not begun:
                    begun = True
                    deadline = None if seconds is None else time.monotonic() + seconds
                    if connected is not None:
                        connected()
        finally:
            subscriber.stop()
    return outcome


def _take(item: Message | LinkNews, feed: Feed, printer: Printer, outcome: Outcome) -> None:
    if isinstance(item, LinkNews):
        outcome.ever_connected |= item.connected
        outcome.trouble = "" if item.connected else item.text
        printer.link(item)
        return
    arrival = feed.take(item, time.monotonic())
    if arrival is not None and printer.arrival(arrival):
        outcome.shown += 1


class Lines:
    """One line per live reading, text or JSON. What the broker had kept from before is no news and is left out."""

    def __init__(self, feed: Feed, *, as_json: bool) -> None:
        self._feed = feed
        self._as_json = as_json
        self._told = ""
        self._lost = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    def arrival(self, arrival: Arrival) -> bool:
        """Print it."""
        if arrival.retained:
            return False
        if self._as_json:
            out_json({"device": arrival.device, "topic": arrival.topic, **arrival.reading})
        else:
            out(line(arrival.device, arrival.reading, self._feed.views[arrival.device].quantities))
        return True

    def link(self, news: LinkNews) -> None:
        """Say once what is wrong, and once that it is over."""
        if news.connected and self._lost:
            note(f"connected to {news.text}")
        elif not news.connected and news.text != self._told:
            note(f"not connected to {news.text}; trying again")
        self._lost = not news.connected
        self._told = "" if news.connected else news.text

    def tick(self, now: float) -> bool:  # noqa: ARG002 (only the table draws by time)
        """Lines leave by Ctrl-C only."""
        return False


def printer_for(feed: Feed, *, as_json: bool, title: str, about: tuple[str, ...], foot: str) -> Printer:
    """The live table on a terminal, lines anywhere else."""
    if as_json or not fancy():
        return Lines(feed, as_json=as_json)
    from gateway.cli.screen import Screen  # noqa: PLC0415 (rich, only on a terminal)

    return Screen(feed, title=title, about=about, foot=foot)
