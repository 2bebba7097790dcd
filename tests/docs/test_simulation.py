"""docs/simulation.md: its code is taken out of the page and run, with the driver that it is about."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import gateway.simulation
from gateway.simulation import Faults, World

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "writing-a-driver.md").read_text(encoding="utf-8")
BLOCKS = re.compile(r"```python\n# (\S+)\n(.*?)```", re.DOTALL)


def test_the_code_runs(tmp_path: Path) -> None:
    """The model, and the tests on it, run as an author would."""
    for name, text in [*BLOCKS.findall(PAGE), *BLOCKS.findall(GUIDE)]:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_tmp102_on_its_model.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_every_fault_is_on_the_page() -> None:
    """In the table, by its name; and the page names none that does not exist."""
    table = PAGE.partition("| set | serial")[2]
    named = set(re.findall(r"^\| `(\w+) = ", table, re.MULTILINE))
    public = {field.name for field in fields(Faults) if not field.name.startswith("_")} - {"dice", "gone"}
    assert named == public


def test_every_name_on_the_page_exists() -> None:
    """Base classes and what a world can do."""
    table = PAGE.partition("| base class")[2].partition("| in `world`")[0]
    for name in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE):
        assert hasattr(gateway.simulation, name), name
    world = World()
    for name in re.findall(r"`(\w+)\(", PAGE.partition("| in `world` | does |")[2].partition("Every model has")[0]):
        assert hasattr(world, name), name
