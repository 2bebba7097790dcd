"""What all tests of the spool share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.spooling import SpoolBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SpoolBench]:
    """A spool in a folder of its own."""
    made = SpoolBench(tmp_path)
    yield made
    made.end()
