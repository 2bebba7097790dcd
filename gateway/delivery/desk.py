"""The verbs of the control socket that are about delivery: the ledger, and what a person asks of the spool."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gateway.delivery.publisher import Publisher
from gateway.delivery.queue import Inbox
from gateway.delivery.spool.care import NOTHING_KEPT, PATIENCE, per_device
from gateway.delivery.store import Caretaker, Counts, Follow, Row, Unavailable, What
from gateway.delivery.task import on_publisher
from gateway.status.control import ControlError, Request, Verb
from gateway.status.ledger import Ledger


class Desk:
    """Carries requests to the publisher's thread and lets the ledgers follow. For the control socket's threads."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        publisher: Publisher,
        caretaker: Caretaker,
        ledgers: Callable[[], Mapping[str, Ledger]],
        follow: Follow,
        run: str,
        runs: Callable[[], list[dict[str, object]]],
        keeps: Callable[[], bool],
    ) -> None:
        """``keeps``: acknowledged readings are kept for ``spool.resend``."""
        self._inbox = inbox
        self._publisher = publisher
        self._caretaker = caretaker
        self._ledgers = ledgers
        self._follow = follow
        self._run = run
        self._runs = runs
        self._keeps = keeps

    def verbs(self) -> dict[str, Verb]:
        """By name."""
        return {
            "ledger": self.ledger,
            "spool.retry": self.retry,
            "spool.resend": self.resend,
            "spool.purge": self.purge,
        }

    def ledger(self, _request: Request) -> Iterator[dict[str, Any]]:
        """One line: ``run``; ``devices``: their figures; ``runs``: earlier ones.

        And which readings are ``in_flight``, and which are ``waiting`` or ``dead`` in memory only, where nobody sees
        them in the spool: each a list of [device, run, first seq, last seq].
        """
        yield self._do(self._account)

    def retry(self, _request: Request) -> Iterator[dict[str, Any]]:
        """Dead letters wait again. One line per device: ``device``, ``readings``."""
        return per_device(self._do(lambda: self._followed(self._caretaker.retry(), Ledger.revived)))

    def resend(self, request: Request) -> Iterator[dict[str, Any]]:
        """``{"since": seconds}``: kept readings of the last so many seconds are sent again. Answers as ``retry``."""
        if not self._keeps():
            raise ControlError(NOTHING_KEPT)
        since_ns = time.time_ns() - int(_number(request, "since") * 1e9)
        return per_device(self._do(lambda: self._followed(self._caretaker.resend(since_ns), Ledger.reopened)))

    def purge(self, request: Request) -> Iterator[dict[str, Any]]:
        """``{"what": "queued" | "dead" | "kept"}``: delete. Answers as ``retry``."""
        try:
            what = What(str(request.get("what")))
        except ValueError:
            raise ControlError(f"what to purge: one of {', '.join(What)}") from None
        follow: dict[What, Callable[[Ledger, int], None]] = {
            What.QUEUED: lambda ledger, count: ledger.dropped("purged", count),
            What.DEAD: lambda ledger, count: ledger.discarded("purged", count),
            What.KEPT: lambda _ledger, _count: None,
        }
        return per_device(self._do(lambda: self._followed(self._caretaker.purge(what), follow[what])))

    def _account(self) -> dict[str, Any]:
        self._caretaker.flush()
        waiting, dead = self._caretaker.in_memory()
        return {
            "run": self._run,
            "devices": {device: dataclasses.asdict(one.snapshot()) for device, one in self._ledgers().items()},
            "runs": self._runs(),
            "in_flight": _spans(self._publisher.under_way()),
            "waiting": _spans(waiting),
            "dead": _spans(dead),
        }

    def _followed(self, counts: Counts, step: Callable[[Ledger, int], None]) -> Counts:
        """Let the ledgers follow, before anything else happens to these readings."""
        self._follow(counts, step)
        return counts

    def _do(self, what: Callable[[], Any]) -> Any:
        try:
            return on_publisher(self._inbox, what, PATIENCE)
        except Unavailable:
            raise ControlError("the disk refuses now, see the alarms in gateway/health; nothing was changed") from None
        except TimeoutError:
            raise ControlError(f"the publisher did not come round within {PATIENCE:g} s; try again") from None


def _spans(rows: Iterable[Row]) -> list[list[Any]]:
    """Rows as [device, run, first seq, last seq]: neighbours are one."""
    spans: list[list[Any]] = []
    for device, run, seq in sorted((row.device, row.run, row.seq) for row in rows):
        if spans and spans[-1][:2] == [device, run] and spans[-1][3] == seq - 1:
            spans[-1][3] = seq
        else:
            spans.append([device, run, seq, seq])
    return spans


def _number(request: Request, key: str) -> float:
    value = request.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise ControlError(f"{key}: seconds, a number")
    return float(value)
