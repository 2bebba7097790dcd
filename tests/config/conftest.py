"""Fixtures of the configuration tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.workshop import Workshop, write_drivers

from gateway.catalog import Catalog
from gateway.config.identity import Host


@pytest.fixture(scope="session")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the test drivers."""
    return write_drivers(tmp_path_factory.mktemp("drivers"))


@pytest.fixture
def workshop(tmp_path: Path, drivers: Path) -> Workshop:
    """A configuration folder on a machine called attic, whose bundled drivers are the test drivers."""
    host = Host(name=lambda: "attic", machine_id=tmp_path / "machine-id")
    return Workshop(tmp_path, drivers, Catalog(bundled=drivers), host)
