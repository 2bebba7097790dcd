"""Fixtures of the fault suite: sites, and the choice between the short and the long form."""

from __future__ import annotations

import faulthandler
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.capabilities import require
from support.faults import GatewayProcess, Site

MakeGateway = Callable[..., GatewayProcess]
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
def make_gateway(tmp_path: Path) -> Iterator[MakeGateway]:
    """Make gateways without the oracle: ``make_gateway(config(port, Fleet(devices=1)))``. Killed after the test."""
    made: list[GatewayProcess] = []

    def make(text: str, **more: Any) -> GatewayProcess:
        made.append(GatewayProcess(tmp_path / f"gateway-{len(made)}", text, **more))
        return made[-1]

    yield make
    for gateway in made:
        gateway.kill()


@pytest.fixture(autouse=True)
def _patience(request: pytest.FixtureRequest) -> None:
    """The long form has its own time limits: pytest's is for tests that hang."""
    if request.config.getoption("--long"):
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def times(request: pytest.FixtureRequest) -> Callable[[float, float], Any]:
    """``times(3, 100)``: the first in the normal run, the second with ``--long``."""
    long = bool(request.config.getoption("--long"))
    return lambda short, far: far if long else short


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory, where there is one: what lasts is decided by the replay, and a sync costs nothing."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)
