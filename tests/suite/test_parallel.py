"""The suite in several processes says and forbids the same as in one, and keeps what must be alone alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import unwatched
from support.environment import remembering
from support.parallel import worth_several

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TESTS = Path(__file__).parents[1]
ENVIRON = {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Three processes start for each of these suites, and load no more than they need."""
MARKS = "markers = needs: x\n    alone: x\n    slow: x\n    xdist_group: x\n"
WHERE = "def test_where(request): assert hasattr(request.config, 'workerinput') == {}\n"
SKIPS = """
import pytest
from support import capabilities

capabilities.has = lambda name: False

@pytest.mark.needs("strace")
@pytest.mark.parametrize("number", range(8))
def test_some(number): pass
"""
NO_MODULE = "import pytest\npytest.skip('no wish to', allow_module_level=True)\n"
ALONE = """
import os, pathlib, time, pytest

HERE = pathlib.Path(os.environ["HERE"])

def company(number):
    mine = HERE / str(number)
    mine.touch()
    time.sleep(0.02)
    found = [path.name for path in HERE.iterdir()]
    mine.unlink()
    return found

@pytest.mark.parametrize("number", range(20))
def test_together(number):
    assert not [name for name in company(number) if name.startswith("a")]

@pytest.mark.alone
@pytest.mark.parametrize("number", range(5))
def test_alone(number):
    assert company(f"a{number}") == [f"a{number}"]
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(TEXT, "-n", "2")``: a suite of its own with our plugin."""
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite/pytest.ini").write_text(f"[pytest]\ntestpaths = .\naddopts = --strict-markers\n{MARKS}")

    def run(text: str, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "suite/test_it.py").write_text(text)
        kept = {
            name: value for name, value in unwatched().items() if not name.startswith(("CI", "PYTEST", "SENSORPOST"))
        }
        plugins = ["-p", "xdist", "-p", "support.plugin", "-p", "no:cacheprovider"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, "-q", "--basetemp", str(tmp_path / "base"), *args],
            cwd=tmp_path / "suite",
            env=remembering(kept) | ENVIRON | environ,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_skips_of_all_processes_are_counted_and_refused_in_ci(run: Run) -> None:
    """Each once, by name; with CI set they fail the run."""
    done = run(SKIPS, "-n", "2", CI="true")
    assert done.returncode == 1, done.stdout
    assert "skipped 8 for want of strace (" in done.stdout
    assert "no test may be skipped: the run has failed" in done.stdout


def test_a_file_that_is_skipped_is_refused_in_ci(run: Run, tmp_path: Path) -> None:
    """No process has a test of it, and yet it is known."""
    (tmp_path / "suite/test_other.py").write_text("def test_it(): pass\n")
    done = run(NO_MODULE, "-n", "2", CI="true")
    assert "1 passed, 1 skipped" in done.stdout
    assert done.returncode == 1


def test_figures_of_all_processes_are_told(run: Run) -> None:
    """What campaigns tell is printed after a long run, once."""
    assert run("def test_it(tell): tell('7 of 7')\n", "-n2", "--long").stdout.count("7 of 7\n") == 1


def test_alone_is_alone(run: Run, tmp_path: Path) -> None:
    """While a test marked so runs no other process runs one, however they are dealt out."""
    (tmp_path / "here").mkdir()
    done = run(ALONE, "-n", "3", "--dist", "loadgroup", HERE=str(tmp_path / "here"))
    assert done.returncode == 0, done.stdout
    assert "25 passed" in done.stdout


def test_alone_among_two_runs(run: Run, tmp_path: Path) -> None:
    """A run in one process, too, when it was told where others are."""
    (tmp_path / "here").mkdir()
    done = run(ALONE, "-n", "0", HERE=str(tmp_path / "here"), SENSORPOST_TEST_GATE=str(tmp_path / "gate"))
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in (tmp_path / "gate").iterdir()) == ["door", "room"]


@pytest.mark.parametrize(("several", "args"), [(True, []), (False, ["-k", "where"])])
def test_what_auto_means(run: Run, *, several: bool, args: list[str]) -> None:
    """Several processes for the whole, one for what was picked out."""
    done = run(WHERE.format(several), "-n", "auto", "--maxprocesses", "2", *args)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_what_is_worth_several_processes(tmp_path: Path) -> None:
    """Folders, unless an option says that somebody works on one thing."""
    (tmp_path / "test_it.py").touch()
    assert worth_several([tmp_path, tmp_path.parent], [])
    assert not worth_several([tmp_path, tmp_path / "test_it.py"], [])
    assert not worth_several([tmp_path / "test_it.py::test_where"], [])
    assert not worth_several([tmp_path], ["long"])
