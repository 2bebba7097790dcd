"""The columns of ``sensorpost top``: what stands in them, and how devices are sorted by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gateway.cli.figures import age, pace
from gateway.cli.top_rounds import Round, Row
from gateway.status.text import plain

WORST_FIRST = ("hung", "failed", "offline", "degraded", "starting", "online", "disabled")


@dataclass(frozen=True, slots=True)
class Column:
    """One of them."""

    title: str
    width: int
    text: Callable[[Row], str]
    sort: str = ""
    """The word for ``--sort`` that means this column."""
    key: Callable[[Row], Any] = lambda _: 0
    """Smallest first."""
    keep: int = 0
    """On a narrow terminal the columns with the smallest number go first."""


def _of(key: str, part: str | None = None) -> Callable[[Row], float]:
    """For sorting: the largest first, what is not known last."""

    def value(row: Row) -> float:
        found = row[key] if part is None or row[key] is None else row[key][part]
        return 1.0 if found is None else -float(found)

    return value


def _worst(row: Row) -> int:
    return WORST_FIRST.index(row["state"]) if row["state"] in WORST_FIRST else len(WORST_FIRST)


def _ms(row: Row, key: str, part: str) -> str:
    value = None if row[key] is None else row[key][part]
    if value is None:
        return "-"
    if value >= 1000:
        return age(value / 1000)
    return f"{value:.0f}ms" if value >= 99.5 else f"{value:.1f}ms" if value >= 9.95 else f"{value:.2f}ms"


def _seat(row: Row) -> str:
    if row["pid"] is not None:
        return f"p{row['pid']}"
    return "-" if row["thread"] is None else str(row["thread"])


COLUMNS = (
    Column("device", 0, lambda row: plain(row["device"]), "device", lambda row: row["device"], 99),
    Column("state", 8, lambda row: plain(row["state"]), "state", _worst, 98),
    Column("rate", 7, lambda row: pace(row["rate"]) or "-", "rate", _of("rate"), 97),
    Column("late p50", 8, lambda row: _ms(row, "lateness_ms", "p50"), keep=5),
    Column("late p99", 8, lambda row: _ms(row, "lateness_ms", "p99"), "late", _of("lateness_ms", "p99"), 96),
    Column("read", 7, lambda row: _ms(row, "read_ms", "mean"), "read", _of("read_ms", "mean"), 95),
    Column("read max", 8, lambda row: _ms(row, "read_ms", "max"), "max", _of("read_ms", "max"), 10),
    Column("cpu", 6, lambda row: _percent(row["cpu_percent"]), "cpu", _of("cpu_percent"), 94),
    Column("cpu time", 8, lambda row: "-" if row["cpu_s"] is None else age(row["cpu_s"]), "time", _of("cpu_s"), 4),
    Column("queue", 6, lambda row: str(row["queued"]), "queue", _of("queued"), 93),
    Column("failed", 6, lambda row: str(row["failed"]), "failed", _of("failed"), 92),
    Column("restarts", 8, lambda row: str(row["restarts"]), "restarts", _of("restarts"), 6),
    Column("thread", 8, _seat, keep=3),
)
"""In the order of the table. The first is as wide as the names need."""

SORTS = [column.sort for column in COLUMNS if column.sort]


def ordered(rows: Iterable[Row], sort: str) -> list[Row]:
    """By one column, those that are equal in it by name."""
    column = next(column for column in COLUMNS if column.sort == sort)
    return sorted(rows, key=lambda row: (column.key(row), row["device"]))


def error_of(row: Row) -> str:
    """What is wrong with it now; a device that works keeps its last error to itself."""
    return "" if row["state"] == "online" else plain(row["last_error"] or "")


def title(one: Round) -> str:
    """The gateway in one line."""
    about = one.gateway
    parts = [f"{len(one.devices)} device{'' if len(one.devices) == 1 else 's'}", f"{about['threads']} threads"]
    if about["descriptors"] is not None:
        parts.append(f"{about['descriptors']} descriptors")
    parts += [f"cpu {_percent(about['cpu_percent'])}", f"up {age(about['uptime_s'])}"]
    return f"{plain(about['gateway'])}: {', '.join(parts)}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}%" if value >= 9.95 else f"{value:.2f}%"
