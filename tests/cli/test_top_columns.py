"""The columns of ``top``."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.cli.top_columns import COLUMNS, SORTS, error_of, ordered, title
from gateway.cli.top_rounds import Round

NOTHING: dict[str, Any] = {
    "device": "office",
    "state": "starting",
    "rate": None,
    "lateness_ms": None,
    "read_ms": None,
    "cpu_percent": None,
    "cpu_s": None,
    "queued": 0,
    "failed": 0,
    "restarts": 0,
    "thread": None,
    "pid": None,
    "last_error": None,
}


def row(**given: Any) -> dict[str, Any]:
    """A device."""
    return {**NOTHING, **given}


def cells(**given: Any) -> dict[str, str]:
    """What stands in the columns."""
    return {column.title: column.text(row(**given)) for column in COLUMNS}


def test_what_is_not_known_is_a_dash() -> None:
    """And what was counted is a number."""
    assert list(cells().values()) == ["office", "starting", *["-"] * 7, "0", "0", "0", "-"]


def test_figures_of_a_device() -> None:
    """Few digits, near units."""
    found = cells(
        rate=0.1,
        lateness_ms={"p50": 0.123, "p99": 12.34},
        read_ms={"mean": 123.4, "max": 1234.5},
        cpu_percent=2.04,
        cpu_s=125.0,
        thread=4711,
    )
    shown = [found[name] for name in ("rate", "late p50", "late p99", "read", "read max", "cpu", "cpu time", "thread")]
    assert shown == ["6/min", "0.12ms", "12.3ms", "123ms", "1.2s", "2.04%", "2m05s", "4711"]
    assert cells(thread=4711, pid=4712)["thread"] == "p4712"


@pytest.mark.parametrize("milliseconds", [0.0, 0.004, 9.949, 9.951, 99.49, 99.51, 999.4, 999.6, 9949.0, 1e6, 1e9])
def test_a_time_always_fits_its_column(milliseconds: float) -> None:
    """However long it was."""
    found = cells(lateness_ms={"p50": milliseconds, "p99": milliseconds})
    assert len(found["late p50"]) <= next(column.width for column in COLUMNS if column.title == "late p50")


def test_names_and_errors_cannot_write_across_the_table() -> None:
    """Whatever a driver says."""
    assert cells(device="a\x1b[2J")["device"] == "a\\x1b[2J"
    assert cells(state="a\x1b[2J")["state"] == "a\\x1b[2J"
    assert error_of(row(last_error="x\ny")) == "x\\x0ay"
    about = {"gateway": "a\x1b[2J", "threads": 7, "descriptors": None, "cpu_percent": None, "uptime_s": 75.0}
    assert title(Round(about, [])).startswith("a\\x1b[2J: ")


def test_an_old_error_of_a_device_that_works_is_no_news() -> None:
    """It is in the status for who wants it."""
    assert error_of(row(state="online", last_error="gone")) == ""
    assert error_of(row(state="degraded", last_error="gone")) == "gone"


def test_order() -> None:
    """The largest first, what is not known last, equal ones by name; states by how bad they are."""
    rows = [row(device=name, rate=rate) for name, rate in (("d", None), ("c", 1.0), ("b", 2.0), ("a", 1.0))]
    assert [one["device"] for one in ordered(rows, "rate")] == ["b", "a", "c", "d"]
    assert [one["device"] for one in ordered(rows, "device")] == ["a", "b", "c", "d"]
    states = ("online", "disabled", "hung", "unheard-of", "degraded")
    rows = [row(device=state, state=state) for state in states]
    assert [one["state"] for one in ordered(rows, "state")] == ["hung", "degraded", "online", "disabled", "unheard-of"]


@pytest.mark.parametrize("sort", SORTS)
def test_any_order_takes_devices_of_which_nothing_is_known(sort: str) -> None:
    """Also beside one of which all is."""
    known = row(
        rate=1.0, lateness_ms={"p50": 1.0, "p99": 2.0}, read_ms={"mean": 1.0, "max": 2.0}, cpu_percent=1.0, cpu_s=1.0
    )
    assert len(ordered([row(device="a"), known], sort)) == 2


def test_title() -> None:
    """The gateway in one line; descriptors where the system tells."""
    about = {"gateway": "attic", "threads": 7, "descriptors": 17, "cpu_percent": 1.26, "uptime_s": 75.0}
    assert title(Round(about, [row()])) == "attic: 1 device, 7 threads, 17 descriptors, cpu 1.26%, up 1m15s"
    about |= {"descriptors": None, "cpu_percent": None}
    assert title(Round(about, [])) == "attic: 0 devices, 7 threads, cpu -, up 1m15s"
