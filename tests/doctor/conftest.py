"""The made-up machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sickbed import Sickbed


@pytest.fixture
def bed(tmp_path: Path) -> Sickbed:
    """A Raspberry Pi 4 on which all is well."""
    return Sickbed(tmp_path / "machine")
