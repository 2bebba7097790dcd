"""Reads the configuration again while the gateway runs, for SIGHUP and ``sensorpost reload``.

Reading it runs the files of drivers, which may take their time or hang, so a thread of its own does that; what comes of
it is applied on the main thread, between two looks of the supervisor. A file with mistakes changes nothing.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gateway import threads
from gateway.config.changes import Changes, changes
from gateway.config.errors import ConfigErrors
from gateway.config.settings import Settings
from gateway.status.control import ControlError, Request

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""Seconds that ``sensorpost reload`` waits for its end."""
INVALID = "the configuration is invalid; nothing was changed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a reload."""

    changes: Changes | None
    mistakes: tuple[str, ...] = ()
    """Why nothing was changed."""


class Reloader:
    """Any thread may ask; the main thread calls ``tick``. However often it is asked meanwhile, it reads once more."""

    def __init__(self, load: Callable[[], Settings] | None, apply: Callable[[Changes], None]) -> None:
        """``load`` gives the configuration as it is now, or raises ``ConfigErrors``; ``None``: there is no file.

        ``apply`` is called on the main thread.
        """
        self._load = load
        self._apply = apply
        self._lock = threading.Lock()
        self._asked: list[queue.SimpleQueue[Outcome]] = []
        self._answering: list[queue.SimpleQueue[Outcome]] = []
        self._loaded: queue.SimpleQueue[Settings | tuple[str, ...]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def under_way(self) -> bool:
        """Whether the configuration is being read."""
        return self._thread is not None

    def request(self) -> queue.SimpleQueue[Outcome]:
        """Ask for a reload; the outcome will be in the queue."""
        answer: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        with self._lock:
            self._asked.append(answer)
        return answer

    def tick(self, now: Settings) -> None:
        """Do what is due. ``now`` is the configuration that is in force."""
        if self._thread is not None:
            try:
                loaded = self._loaded.get_nowait()
            except queue.Empty:
                return
            self._thread = None
            self._finish(loaded, now)
        with self._lock:
            asked, self._asked = self._asked, []
        if asked and self._load is None:
            _answer(asked, Outcome(None, ("this gateway was not started from a file",)))
        elif asked:
            self._answering = asked
            self._thread = threads.start("reload", self._read)

    def verb(self, _request: Request) -> Iterator[dict[str, Any]]:
        """``reload`` on the control socket: one line with what changed, or one for each mistake and a refusal."""
        try:
            outcome = self.request().get(timeout=PATIENCE)
        except queue.Empty:
            raise ControlError(f"the configuration is not read within {PATIENCE:g} s; see the gateway's log") from None
        if outcome.changes is None:
            yield from ({"mistake": mistake} for mistake in outcome.mistakes)
            raise ControlError(INVALID)
        yield {
            "added": [device.device for device in outcome.changes.added],
            "changed": [device.device for device in outcome.changes.changed],
            "removed": list(outcome.changes.removed),
            "restart": list(outcome.changes.restart),
            "text": outcome.changes.text,
        }

    def _read(self) -> None:
        """On the thread of its own."""
        assert self._load is not None
        try:
            self._loaded.put(self._load())
        except ConfigErrors as exc:
            self._loaded.put(tuple(str(problem) for problem in exc.problems))
        except BaseException as exc:  # noqa: BLE001 (a driver's file can do anything, and somebody waits for the outcome)
            self._loaded.put((f"{type(exc).__name__}: {exc}",))

    def _finish(self, loaded: Settings | tuple[str, ...], now: Settings) -> None:
        if isinstance(loaded, tuple):
            for mistake in loaded:
                log.error("%s", mistake)
            log.error("reload: %s", INVALID)
            outcome = Outcome(None, loaded)
        else:
            for warning in loaded.warnings:
                log.warning("%s", warning)
            found = changes(now, loaded)
            self._apply(found)
            (log.warning if found.restart else log.info)("reloaded: %s", found.text)
            outcome = Outcome(found)
        _answer(self._answering, outcome)
        self._answering = []


def _answer(asked: list[queue.SimpleQueue[Outcome]], outcome: Outcome) -> None:
    for answer in asked:
        answer.put(outcome)
