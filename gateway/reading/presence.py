"""From the tags that lie on a reader to events: each visit has one ``arrived`` and one ``left``.

A driver says what is there at this moment. What happened is worked out here, and kept in the device's memory for the
whole run: so another thread, another process or a reload does not let anything arrive twice.

- A tag has left when it was missing in two good reads running and was not seen for ``gone_after``. Failed reads and the
  time in which the reader is offline say nothing, and while nothing is known nobody leaves.
- After the reader was opened again, a tag of before has ``BACK`` to be seen: then its visit goes on without an event.
- What is seen in the first two good reads of the run lay there ``at_start``.
- A reader that reports a tag only once (``holds`` is false) has no ``left``: each report is an ``arrived``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from gateway.config.settings import PresenceSettings
from gateway.config.tag_list import is_tag
from gateway.driver import Scalar
from gateway.reading.freeze import BadReturn, Frozen

if TYPE_CHECKING:
    from gateway.reading.memory import DeviceMemory, Report

BACK_NS = 5_000_000_000
"""A tag of before that is seen so long after the reader was opened again has not been away."""
MISSES = 2
"""Good reads without a tag; one alone says nothing: some chips answer only every other time."""
LOOKS = 2
"""Good reads that show what lay there at the start, for the same reason."""
HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Visit:
    """One tag that lies on the reader."""

    shown: str
    """How its events name it."""
    since_ns: int
    """When it was first seen, on boot time."""
    seen_ns: int
    """When it was last seen."""
    misses: int = 0
    """Good reads since then."""


@dataclass(frozen=True, slots=True)
class Visits:
    """What lies on a reader, as far as is known."""

    present: Mapping[str, Visit] = field(default_factory=lambda: MappingProxyType({}))
    looks: int = 0
    """Good reads in this run, as far as they are counted."""


class Presence:
    """One generation's view of a device's visits. ``see`` changes nothing; ``settle`` keeps what was seen last."""

    def __init__(self, settings: PresenceSettings, report: Report, memory: DeviceMemory) -> None:
        self._settings = settings
        self._report = report
        self._memory = memory
        self._gone_ns = round(settings.gone_after * 1e9)
        self._opened_ns = 0
        self._next = memory.visits
        self._list = None if settings.tag_list is None else memory.tag_list(settings.tag_list)
        self._salt = None if settings.salt is None else settings.salt.reveal().encode()

    def opened(self, now_ns: int) -> None:
        """The reader was opened, on boot time."""
        self._opened_ns = now_ns

    def see(self, frozen: Frozen, now_ns: int) -> Frozen:
        """The events of one good read. Raises ``BadReading`` where the driver returned something that is no tag."""
        before = self._memory.visits
        seen = _tags(frozen)
        if self._list is not None:
            self._list.look(now_ns)
        events: list[dict[str, Scalar]] = []
        present: dict[str, Visit] = {}
        for tag, visit in before.present.items():
            if tag in seen and (self._settings.holds or not self._is_over(visit, now_ns)):
                present[tag] = dataclasses.replace(visit, seen_ns=now_ns, misses=0)
            elif not self._is_over(visit, now_ns):
                present[tag] = dataclasses.replace(visit, misses=min(visit.misses + 1, MISSES))
            elif self._settings.holds:
                events.append(self._left(tag, visit))
        for tag, extras in seen.items():
            if tag not in present:
                present[tag] = Visit(self._shown(tag), now_ns, now_ns)
                events.append({**self._arrived(tag, present[tag], before), **extras})
        self._next = Visits(MappingProxyType(present), min(before.looks + 1, LOOKS))
        trouble = (self._list.trouble,) if self._list is not None and self._list.trouble else ()
        return Frozen(tuple(events), frozen.notes + trouble)

    def settle(self) -> None:
        """What ``see`` said last is on its way. Without effect for a generation that was given up."""
        self._report.keep(self._next)

    def _left(self, tag: str, visit: Visit) -> dict[str, Scalar]:
        dwell = round((visit.seen_ns - visit.since_ns) / 1e9, 3)
        return {"event": "left", "tag": visit.shown, "dwell_s": dwell, **self._known(tag, visit)}

    def _arrived(self, tag: str, visit: Visit, before: Visits) -> dict[str, Scalar]:
        start: dict[str, Scalar] = {"at_start": True} if self._settings.holds and before.looks < LOOKS else {}
        return {"event": "arrived", "tag": visit.shown, **start, **self._known(tag, visit)}

    def _is_over(self, visit: Visit, now_ns: int) -> bool:
        """Whether the read of now, in which the tag is missing, ends its visit."""
        if now_ns - visit.seen_ns < self._gone_ns:
            return False
        if not self._settings.holds:
            return True
        if visit.seen_ns < self._opened_ns and now_ns - self._opened_ns < BACK_NS:
            return False
        return visit.misses + 1 >= MISSES

    def _shown(self, tag: str) -> str:
        if self._salt is None:
            return tag
        return hmac.new(self._salt, bytes(tag, "ascii"), hashlib.sha256).hexdigest()[: 2 * HASH_BYTES]

    def _known(self, tag: str, visit: Visit) -> dict[str, Scalar]:
        """What the list says of a tag, which may be in it as it is or as it is published."""
        if self._list is None:
            return {}
        entry = self._list.find(tag) or self._list.find(visit.shown)
        if entry is None:
            return {"known": False, "allowed": False}
        label: dict[str, Scalar] = {} if entry.label is None else {"label": entry.label}
        return {"known": True, **label, "allowed": entry.allowed}


def _tags(frozen: Frozen) -> dict[str, dict[str, Scalar]]:
    """What was seen: tag to what the driver says of it beside."""
    seen: dict[str, dict[str, Scalar]] = {}
    for sample in frozen.samples:
        extras = dict(sample)
        tag = extras.pop("tag", None)
        if not isinstance(tag, str) or not is_tag(tag.lower()):
            raise BadReturn("read returned a tag that is not a text of hexadecimal digits")
        seen.setdefault(tag.lower(), extras)
    return seen
