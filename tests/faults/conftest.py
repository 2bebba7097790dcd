"""Fixtures of the fault suite: sites, and the choice between the short and the long form."""

from __future__ import annotations

import faulthandler
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.capabilities import require
from support.faults import Site

FIGURES = pytest.StashKey[list[str]]()
MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    """Make sites: ``make_site(Fleet(devices=3))``; see :class:`support.faults.Site`. Ended after the test."""
    require("mosquitto")
    made: list[Site] = []

    def make(*args: Any, **more: Any) -> Site:
        made.append(Site(tmp_path / f"site-{len(made)}", *args, **more))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a line for the end of a long run: the figures of a campaign."""
    return request.config.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line per campaign."""
    for line in config.stash.get(FIGURES, []) if config.getoption("--long") else []:
        terminalreporter.write_line(line)


@pytest.fixture
def times(request: pytest.FixtureRequest) -> Callable[[float, float], Any]:
    """``times(3, 100)``: the first in the normal run, the second with ``--long``.

    The long form has no time limit of its own: pytest's is for tests that hang.
    """
    long = bool(request.config.getoption("--long"))
    if long:
        faulthandler.cancel_dump_traceback_later()
    return lambda short, far: far if long else short
