"""What is wrong now and needs a person, for health. Raised and cleared by whoever notices it, from any thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Alarms:
    """Texts by key, so that the same trouble is one alarm however often it is noticed."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """``changed`` is called, outside the lock, when the list has become another one."""
        self._changed = changed
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}

    @property
    def any(self) -> bool:
        """Whether there is an alarm."""
        return bool(self._texts)

    def set(self, key: str, text: str) -> None:
        """Raise an alarm, or change its text. Logged once."""
        with self._lock:
            if self._texts.get(key) == text:
                return
            self._texts[key] = text
        log.warning("alarm: %s", text)
        self._changed()

    def clear(self, key: str) -> None:
        """The trouble is over. Nothing happens when there was none."""
        with self._lock:
            text = self._texts.pop(key, None)
        if text is not None:
            log.info("alarm over: %s", text)
            self._changed()

    def by_key(self) -> dict[str, str]:
        """The same with their keys."""
        with self._lock:
            return dict(self._texts)

    def texts(self) -> list[str]:
        """All alarms, oldest first."""
        with self._lock:
            return list(self._texts.values())
