"""Where the account comes from: the running gateway and its spool on this machine, or what it says on MQTT."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from gateway.audit.account import Account, Figures, Identity, RunFigures, figures_of, runs_of
from gateway.delivery.spool.lock import SpoolError
from gateway.delivery.spool.view import Entry, View
from gateway.status.control import ControlError, NotRunning, call

PATIENCE = 30.0


class Source(Protocol):
    """Gives the account as it is now."""

    def account(self) -> Account:
        """Everything at one instant."""


class Local:
    """A gateway of this machine, running or not. Its spool tells which readings wait, not only how many."""

    def __init__(self, socket: Path, spool: Path) -> None:
        self._socket = socket
        self._spool = spool

    def account(self) -> Account:
        """Raises ``NotRunning`` when there is neither gateway nor spool, ``ControlError`` when it does not answer."""
        try:
            (answer,) = call(self._socket, {"verb": "ledger"}, timeout=PATIENCE)
        except NotRunning:
            return self._at_rest()
        queued = set(_spread(answer["waiting"]))
        dead = set(_spread(answer["dead"]))
        losses: dict[str, dict[str, int]] = {}
        try:
            with View(self._spool) as view:
                losses = view.contents().losses
                queued.update(_identities(view.queued()))
                dead.update(_identities(view.dead()))
        except FileNotFoundError:
            pass  # every device is kept in memory
        except (OSError, SpoolError, sqlite3.Error) as exc:
            raise ControlError(f"the spool cannot be looked into: {exc}") from exc
        return Account(
            run=answer["run"],
            devices={device: figures_of(figures) for device, figures in answer["devices"].items()},
            earlier=runs_of(answer["runs"], losses),
            queued=frozenset(queued),
            dead=frozenset(dead),
            in_flight=frozenset(_spread(answer["in_flight"])),
        )

    def _at_rest(self) -> Account:
        try:
            with View(self._spool) as view:
                contents = view.contents()
                return Account(
                    earlier=runs_of(contents.runs, contents.losses),
                    queued=frozenset(_identities(view.queued())),
                    dead=frozenset(_identities(view.dead())),
                )
        except (OSError, SpoolError, sqlite3.Error) as exc:
            raise NotRunning(str(self._socket)) from exc


class Remote:
    """What a gateway somewhere publishes: the status of each device and ``gateway/runs``. Counts only."""

    def __init__(self) -> None:
        self._run = ""
        self._devices: dict[str, Figures] = {}
        self._earlier: dict[str, RunFigures] = {}
        self.statuses: dict[str, int] = {}
        """How many came, per device."""

    def take(self, levels: list[str], payload: bytes) -> None:
        """A message of the gateway, ``levels`` below its base topic; others are passed over."""
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            if levels == ["gateway", "health"]:
                self._run = str(json.loads(payload)["run"])  # a new one has told the status of every device before
            elif levels == ["gateway", "runs"]:
                self._earlier = runs_of(json.loads(payload))
            elif levels[1:] == ["status"]:
                self._devices[levels[0]] = figures_of(json.loads(payload))
                self.statuses[levels[0]] = self.statuses.get(levels[0], 0) + 1

    @property
    def known(self) -> bool:
        """Whether the gateway has said anything."""
        return bool(self._run and self._devices)

    def account(self) -> Account:
        """As of the newest messages."""
        return Account(run=self._run, devices=dict(self._devices), earlier=dict(self._earlier))


def _identities(entries: Iterator[Entry]) -> Iterator[Identity]:
    return ((entry.device, entry.run, entry.seq) for entry in entries)


def _spread(spans: Iterable[tuple[str, str, int, int]]) -> Iterator[Identity]:
    return ((device, run, seq) for device, run, first, last in spans for seq in range(first, last + 1))
