"""The list of known tags, read again when its file changes."""

from __future__ import annotations

import logging
from pathlib import Path

from gateway.config.errors import ConfigErrors
from gateway.config.tag_list import NO_ENTRIES, Entries, Entry, Stamp, read_tag_list, stamp

log = logging.getLogger(__name__)

LOOK_EVERY_NS = 1_000_000_000


class TagList:
    """The list of one device over the whole run. A bad file leaves the entries as they were."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        """What is wrong with the file now."""
        self._entries: Entries = NO_ENTRIES
        self._stamp: Stamp | None = None
        self._look_ns: int | None = None

    def look(self, now_ns: int) -> None:
        """Read the file if it has changed; at most once a second. ``now_ns``: boot time."""
        if self._look_ns is not None and now_ns < self._look_ns:
            return
        self._look_ns = now_ns + LOOK_EVERY_NS
        try:
            now = stamp(self.path)
        except OSError as error:
            self._stamp = None
            self._bad(f"{self.path}: {error.strerror or error}")
            return
        if now == self._stamp:
            return
        self._stamp = now
        try:
            self._entries = read_tag_list(self.path)
        except ConfigErrors as error:
            more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
            self._bad(f"{error.problems[0]}{more}")
            return
        if self.trouble:
            log.info("%s: read again: %d tags", self.path, len(self._entries))
        self.trouble = ""

    def find(self, tag: str) -> Entry | None:
        """What is known of a tag."""
        return self._entries.get(tag)

    def _bad(self, why: str) -> None:
        trouble = f"tag list: {why}; the {len(self._entries)} tags known before stay"
        if trouble != self.trouble:
            log.warning("%s", trouble)
        self.trouble = trouble
