"""What the gateway says of its readings: the ledger of the run that is on, and what the spool knows of earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Identity = tuple[str, str, int]
"""(device, run, seq)."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The ledger of one device in the run that is on."""

    read: int
    queued: int
    dead: int
    dropped: dict[str, int]


@dataclass(frozen=True, slots=True)
class RunFigures:
    """An earlier run, all devices together but for ``last_seq``."""

    last_seq: dict[str, int]
    queued: int
    dead: int
    dropped: int
    exact: bool
    losses: dict[str, int] | None = None
    """``dropped`` per device, where the spool can be looked into."""


@dataclass(frozen=True, slots=True)
class Account:
    """Everything at one instant."""

    run: str = ""
    """The run that is on; empty when the gateway is not running."""
    devices: dict[str, Figures] = field(default_factory=dict)
    earlier: dict[str, RunFigures] = field(default_factory=dict)
    queued: frozenset[Identity] | None = None
    """Which readings wait or are under way, where that can be seen; ``None`` where only counts are known."""
    dead: frozenset[Identity] | None = None
    in_flight: frozenset[Identity] = frozenset()
    """Of those that wait: sent, and not acknowledged yet."""

    @property
    def waiting(self) -> int:
        """How many readings of the run that is on are not settled."""
        return sum(figures.queued for figures in self.devices.values())


def figures_of(status: Mapping[str, Any]) -> Figures:
    """The figures in a ``status`` payload or in the ledger. Raises ``ValueError`` for anything else."""
    try:
        dropped = {str(reason): int(count) for reason, count in dict(status["dropped"]).items()}
        return Figures(int(status["read"]), int(status["queued"]), int(status["dead"]), dropped)
    except (KeyError, TypeError) as exc:
        raise ValueError(f"no ledger: {exc}") from exc


def runs_of(
    runs: Iterable[Mapping[str, Any]], losses: Mapping[str, dict[str, int]] | None = None
) -> dict[str, RunFigures]:
    """The payload of ``gateway/runs``. Raises ``ValueError`` for anything else.

    ``losses``: per run and device how many readings were dropped, where that is known.
    """
    try:
        return {
            str(run["run"]): RunFigures(
                {str(device): int(seq) for device, seq in dict(run["last_seq"]).items()},
                int(run["queued"]),
                int(run["dead"]),
                int(run["dropped"]),
                bool(run["exact"]),
                _losses(run, losses),
            )
            for run in runs
        }
    except (KeyError, TypeError) as exc:
        raise ValueError(f"no runs: {exc}") from exc


def _losses(run: Mapping[str, Any], losses: Mapping[str, dict[str, int]] | None) -> dict[str, int] | None:
    """Per device, unless some were dropped of which it is not known whose they were."""
    found = None if losses is None else losses.get(run["run"], {})
    return found if found is not None and sum(found.values()) >= run["dropped"] else None
