"""How many readings were dropped, per device of each run: written with the rows, so that it is known after a kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.store import Counts


class Losses:
    """What is not in the file yet. Used by the publisher's thread."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._own: Counter[str] = Counter()
        self._written: dict[str, int] = {}
        self._writing: dict[str, int] = {}
        self._earlier: Counts = Counter()
        self.outside: Callable[[], Mapping[str, int]] = dict
        """Readings of this run that were dropped before they came to the store, per device."""

    @property
    def pending(self) -> bool:
        """Whether losses of earlier runs wait to be written; those of this run go with whatever is written next."""
        return bool(self._earlier)

    def add(self, device: str, run: str, count: int = 1) -> bool:
        """Readings were dropped. Whether they were of an earlier run."""
        if run == self._run:
            self._own[device] += count
            return False
        self._earlier[device, run] += count
        return True

    def earlier(self) -> Iterable[tuple[str, str, int]]:
        """Device, run and count of what is not written."""
        return ((device, run, count) for (device, run), count in self._earlier.items())

    def write(self, file: SpoolFile, run: int, stream_of: Callable[[str], int | None]) -> None:
        """In a transaction: what is new. ``run`` is this run's number. :meth:`written` when it has been committed."""
        self._writing = {}
        for (device, name), count in self._earlier.items():
            file.add_loss(name, device, count)
        for device, count in self._now().items():
            if count != self._written.get(device, 0) and (stream := stream_of(device)) is not None:
                file.set_loss(run, stream, count)
                self._writing[device] = count

    def written(self) -> None:
        """What :meth:`write` wrote is in the file."""
        self._earlier.clear()
        self._written.update(self._writing)

    def again(self) -> None:
        """Another file may be in use: what was written is not known to be there."""
        self._written = {}

    def _now(self) -> dict[str, int]:
        outside = {device: count for device, count in self.outside().items() if count}
        return dict(self._own + Counter(outside)) if outside or self._own else {}
