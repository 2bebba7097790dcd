"""The live table on the terminal: drawn on the alternate screen, left with q or Ctrl-C, the terminal put back."""

from __future__ import annotations

import contextlib
import logging
import select
import sys
import time
from typing import Any, Self

from rich.console import Console
from rich.live import Live

from gateway.cli.feed import Arrival, Feed
from gateway.cli.output import note
from gateway.cli.table import Frame, Table
from gateway.delivery.subscriber import LinkNews
from gateway.status.text import plain

REFRESH = 0.2
"""Seconds between two pictures: more often only makes numbers unreadable."""
NOTE_FOR = 8.0
"""Seconds that a message of the log stays on the screen."""


class Screen:
    """A printer that draws a table; see :class:`gateway.cli.follow.Printer`."""

    def __init__(self, feed: Feed, *, title: str, about: tuple[str, ...] = (), foot: str = "") -> None:
        self._feed = feed
        self._frame = Frame(title, about, foot)
        self._table = Table(feed)
        self._console = Console(file=sys.stdout, highlight=False)
        self._live = Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._keys = Keys()
        self._log = Notes()
        self._drawn = 0.0

    def __enter__(self) -> Self:
        """Take the terminal. The log goes to the foot of the table meanwhile."""
        self._log.install()
        self._keys.open()
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back as it was, and say what was seen."""
        self._live.stop()
        self._keys.close()
        self._log.remove()
        seen = sum(1 for view in self._feed.views.values() if view.arrivals)
        seconds = time.monotonic() - self._feed.started
        note(f"{self._feed.readings} readings from {seen} devices in {seconds:.0f} s")

    def arrival(self, arrival: Arrival) -> bool:
        """The picture shows it soon."""
        return not arrival.retained

    def link(self, news: LinkNews) -> None:
        """Shown instead of the lines below the title while there is no connection."""
        self._frame.trouble = "" if news.connected else f"not connected to {news.text}; trying again"

    def tick(self, now: float) -> bool:
        """Draw when it is time; True when q was pressed."""
        if now - self._drawn >= REFRESH:
            self._drawn = now
            self._frame.note = self._log.newest(now)
            size = self._console.size
            self._live.update(self._table.draw(self._frame, size.width, size.height, now), refresh=True)
        return "q" in self._keys.pressed()


class Keys:
    """Single key presses, where stdin is a terminal. Ctrl-C stays what it is."""

    def __init__(self) -> None:
        self._saved: list[Any] | None = None

    def open(self) -> None:
        """Take keys as they come, without showing them."""
        if not (sys.stdin and sys.stdin.isatty()):
            return
        with contextlib.suppress(ImportError, OSError):  # no termios: Ctrl-C only
            import termios  # noqa: PLC0415 (not everywhere)
            import tty  # noqa: PLC0415

            self._saved = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin, termios.TCSANOW)

    def close(self) -> None:
        """Put the terminal back."""
        if self._saved is not None:
            import termios  # noqa: PLC0415 (it was there when we opened)

            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._saved)
            self._saved = None

    def pressed(self) -> str:
        """The keys pressed since the last look, as small letters; q when the terminal has gone."""
        if self._saved is None or not select.select([sys.stdin], [], [], 0)[0]:
            return ""
        pressed = sys.stdin.buffer.raw.read(64) if hasattr(sys.stdin.buffer, "raw") else b""
        return pressed.decode("ascii", "ignore").lower() if pressed else "q"


class Notes(logging.Handler):
    """The newest warning, for the foot of the table, in place of what would write across it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._newest = (0.0, "")
        self._others: list[logging.Handler] = []

    def install(self) -> None:
        """Take the place of the handlers that write to the terminal."""
        root = logging.getLogger()
        self._others, root.handlers = root.handlers, [self]

    def remove(self) -> None:
        """Give it back."""
        logging.getLogger().handlers = self._others

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, for any thread."""
        self._newest = (time.monotonic(), plain(record.getMessage()))

    def newest(self, now: float) -> str:
        """The newest one, while it is news."""
        at, text = self._newest
        return text if now - at < NOTE_FOR else ""
