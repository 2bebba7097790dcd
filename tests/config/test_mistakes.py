"""gateway/config: every mistake has the line that a user sees, exactly. The table is mistakes.txt."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.workshop import DEVICE, Workshop

TABLE = (Path(__file__).parent / "mistakes.txt").read_text(encoding="utf-8")
CASES = [tuple(block.split("\n-----\n")) for block in TABLE.split("\n\n", 1)[1].split("====\n")]


def test_the_table_is_long() -> None:
    """At least sixty different mistakes are pinned."""
    assert len(CASES) >= 60


@pytest.mark.parametrize(("text", "lines"), CASES, ids=[lines.splitlines()[0][:70] for _, lines in CASES])
def test_mistake(workshop: Workshop, text: str, lines: str) -> None:
    """One block of the table."""
    workshop.write("s3cret\n", "secret").chmod(0o600)
    workshop.write("\n", "empty").chmod(0o600)
    shown = workshop.mistakes(f"{text}\n".replace("DEVICE\n", DEVICE), {"HOST": "broker"})
    assert shown == lines.strip().splitlines()
