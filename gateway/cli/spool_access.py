"""The way of a command to the spool: read-only into the file; with changes through the gateway or under the lock."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gateway.cli.owner import become_owner
from gateway.config.settings import Settings
from gateway.delivery.spool import care
from gateway.delivery.spool.care import NOTHING_KEPT, PATIENCE, per_device
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.lock import Lock, SpoolError, lock_path
from gateway.delivery.spool.view import View
from gateway.delivery.store import Counts, What
from gateway.paths import control_socket, state_directory
from gateway.status.control import ControlError, NotRunning, call

Lines = Iterable[Mapping[str, Any]]
"""``device`` and ``readings``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the spool of a configuration is, and the control socket of its gateway."""

    settings: Settings
    path: Path
    socket: Path

    @classmethod
    def of(cls, settings: Settings) -> Place:
        """Root becomes the owner of the state directory."""
        folder = state_directory(settings.files[0] if settings.files else None, os.environ)
        become_owner(folder)
        return cls(settings, folder / settings.spool.path, control_socket(folder, os.environ))

    @contextlib.contextmanager
    def view(self) -> Iterator[View]:
        """Look into the file. What is wrong with it becomes one line."""
        try:
            with View(self.path) as view:
                yield view
        except SpoolError as exc:
            raise click.ClickException(str(exc)) from exc
        except sqlite3.Error as exc:
            raise click.ClickException(f"{self.path}: {exc}; the gateway mends a damaged spool when it starts") from exc

    def retry(self) -> Lines:
        """Dead letters wait again."""
        return self._either({"verb": "spool.retry"}, lambda file: care.retry(file).counts)

    def resend(self, since: float) -> Lines:
        """Kept readings of the last ``since`` seconds wait again."""
        if not self.settings.spool.keep:
            raise click.ClickException(NOTHING_KEPT)
        since_ns = time.time_ns() - int(since * 1e9)
        return self._either({"verb": "spool.resend", "since": since}, lambda file: care.resend(file, since_ns).counts)

    def purge(self, what: What) -> Lines:
        """Delete."""
        return self._either({"verb": "spool.purge", "what": str(what)}, lambda file: care.delete(file, what))

    def _either(self, request: Mapping[str, Any], alone: Callable[[SpoolFile], Counts]) -> Lines:
        """Ask the gateway that runs; where none does, do it here."""
        try:
            return list(call(self.socket, request, timeout=PATIENCE + 5.0))
        except NotRunning:
            pass
        except ControlError as exc:
            raise click.ClickException(str(exc)) from exc
        if not self.path.exists():
            raise FileNotFoundError(2, "there is no spool yet; the gateway makes it at its first start", str(self.path))
        try:
            lock = Lock(lock_path(self.path))
        except SpoolError as exc:
            raise click.ClickException(f"{exc}; it does not answer on {self.socket}") from exc
        try:
            with contextlib.closing(SpoolFile(self.path)) as file:
                return list(per_device(alone(file)))
        except SpoolError as exc:
            raise click.ClickException(str(exc)) from exc
        except sqlite3.Error as exc:
            raise click.ClickException(f"{self.path}: {exc}; nothing was changed") from exc
        finally:
            lock.release()
