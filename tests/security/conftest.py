"""Fixtures of the security tests: the gateway as a process, and the hostile texts that everybody is tried with."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.faults import GatewayProcess

NOBODY = 65534
"""A user that owns nothing here."""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach.

    The one of ``tmp_path`` is closed to others again by every pytest that is started meanwhile.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def make_gateway(tmp_path: Path) -> Iterator[Callable[..., GatewayProcess]]:
    """Make gateways: ``make_gateway(config(port, Fleet(devices=1)))``. Killed after the test."""
    made: list[GatewayProcess] = []

    def make(text: str) -> GatewayProcess:
        made.append(GatewayProcess(tmp_path / f"gateway-{len(made)}", text))
        return made[-1]

    yield make
    for gateway in made:
        gateway.kill()


@pytest.fixture
def no_umask() -> Iterator[None]:
    """A process whose creator did not care: files are as open as their makers ask for."""
    before = os.umask(0)
    yield
    os.umask(before)
