"""What has been announced, kept over restarts: what leaves the configuration while we are off has to go, too."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

log = logging.getLogger(__name__)

NAME = "announced.json"
"""In the state directory."""


class Record:
    """A file that is read once and written when something changes. Used by one thread.

    Without it the gateway works as well, so a file that cannot be read or written is a line in the log and no more.
    """

    def __init__(self, path: Path | None) -> None:
        """``None``: for this run only."""
        self._path = path
        self._refused = False
        self.entities: dict[str, set[str]] = {}
        """Discovery topics, each with the ids of the components that Home Assistant was told of."""
        self.devices: set[str] = set()
        """Live topics of the devices that were there."""
        self._load()

    def add(self, entities: Mapping[str, Iterable[str]], devices: Iterable[str]) -> None:
        """These have been announced, or are about to be."""
        before = self._content()
        for topic, components in entities.items():
            self.entities.setdefault(topic, set()).update(components)
        self.devices.update(devices)
        if self._content() != before:
            self._save()

    def forget(self, topic: str) -> None:
        """A discovery topic, or the live topic of a device, has been cleared."""
        if topic in self.entities or topic in self.devices:
            self.entities.pop(topic, None)
            self.devices.discard(topic)
            self._save()

    def _content(self) -> str:
        return json.dumps(
            {
                "entities": {topic: sorted(self.entities[topic]) for topic in sorted(self.entities)},
                "devices": sorted(self.devices),
            },
            indent=1,
        )

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            with contextlib.suppress(FileNotFoundError):
                with open(self._path, encoding="utf-8", opener=_no_link) as file:
                    found = json.load(file)
                self.entities = {topic: set(map(str, ids)) for topic, ids in found["entities"].items() if _sound(topic)}
                self.devices = {topic for topic in found["devices"] if _sound(topic)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            log.warning("%s cannot be read (%s): devices that left meanwhile stay in Home Assistant", self._path, exc)

    def _save(self) -> None:
        """Whole or not at all, also when the power goes."""
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)  # as all files of ours there
                file.write(self._content() + "\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as exc:
            if not self._refused:
                self._refused = True
                log.warning("%s cannot be written (%s): what is announced is not remembered", self._path, exc)
        else:
            self._refused = False


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _sound(topic: object) -> bool:
    """Whether it can be published to: a broker ends the connection with whoever tries a wildcard, again and again."""
    return isinstance(topic, str) and topic != "" and topic.isprintable() and not {"+", "#"} & set(topic)
