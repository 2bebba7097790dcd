"""``sensorpost service`` as a command: what it says, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.main import main

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_status_of_a_machine_without_the_service(tmp_path: Path, sensorpost: Run) -> None:
    """Nothing is installed, and the exit code says that nothing runs."""
    done = sensorpost("service", "status", "--root", str(tmp_path), "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["installed"], found["enabled"], found["active"]) == (None, False, None)
    text = sensorpost("service", "status", "--root", str(tmp_path)).stdout
    assert text.splitlines()[0].split() == ["installed", "-"]


def test_nothing_to_uninstall(tmp_path: Path, sensorpost: Run) -> None:
    """It says so; a dry run needs no root."""
    done = sensorpost("service", "uninstall", "--dry-run", "--root", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "nothing to do: no service is installed\n")
    done = sensorpost("service", "--json", "uninstall", "--dry-run", "--root", str(tmp_path))
    assert json.loads(done.stdout) == {"step": "nothing to do: no service is installed"}


def test_an_image_without_python(tmp_path: Path, sensorpost: Run) -> None:
    """One line that says what to install in it; nothing was changed."""
    done = sensorpost("service", "install", "--dry-run", "--root", str(tmp_path))
    assert done.returncode == 1
    assert "apt install python3 python3-venv" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_not_without_sudo(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Said before anything is tried."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["service", "install"]) == 1
    assert "put sudo before it" in capsys.readouterr().err
