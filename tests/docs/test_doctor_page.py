"""docs/doctor.md: its table names every check. What it prints is compared in tests/doctor/test_examination.py."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.doctor.examination import CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")


def test_every_check_is_in_the_table() -> None:
    """And none that there is not."""
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([\w-]+)`", row)]
    assert named == [check.name for check in CHECKS]
