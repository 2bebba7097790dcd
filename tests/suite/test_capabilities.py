"""Skipping by capability: counted by name, and refused in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import capabilities, unwatched

TESTS = Path(__file__).parents[1]

SUITE = """
import pytest
from support import capabilities

capabilities.has = lambda name: False

@pytest.mark.needs("strace")
def test_one(): pass

@pytest.mark.needs("strace")
def test_two(): pass

def test_three(nats): pass
"""


def run(folder: Path, text: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a suite of its own with our plugin."""
    (folder / "test_it.py").write_text(text)
    kept = {name: value for name, value in unwatched().items() if name not in ("CI", "PYTEST_ADDOPTS")}
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "support.plugin", "-p", "no:cacheprovider", "--rootdir", ".", "-q"],
        cwd=folder,
        env=kept | {"PYTHONPATH": paths} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    """A folder with a configuration of its own."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs: x\n")
    return tmp_path


def test_skips_are_counted_by_name(ini: Path) -> None:
    """At home a missing capability skips, and the end says how many tests for want of what."""
    done = run(ini, SUITE)
    assert done.returncode == 0
    assert "skipped 2 for want of strace (apt install strace, and the right to trace processes)\n" in done.stdout
    assert "skipped 1 for want of nats (" in done.stdout


@pytest.mark.parametrize("suite", [SUITE, "import pytest\ndef test_it(): pytest.skip('no wish to')\n"])
def test_ci_allows_no_skip(ini: Path, suite: str) -> None:
    """With CI set any skip, whatever its reason, fails the run."""
    done = run(ini, suite, CI="true")
    assert done.returncode == 1
    assert "no test may be skipped: the run has failed" in done.stdout


def test_ci_lets_a_whole_run_pass(ini: Path) -> None:
    """With CI set and nothing skipped the run passes."""
    assert run(ini, "def test_it(): pass\n", CI="true").returncode == 0


def test_an_unknown_capability_is_a_mistake() -> None:
    """A misspelt name is told, instead of skipping for ever."""
    with pytest.raises(ValueError, match="no capability 'starce'; known are mosquitto"):
        capabilities.has("starce")
