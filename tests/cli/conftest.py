"""Runs the real command in a process of its own, from an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which no configuration of this machine is found."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SENSORPOST", "STATE_", "RUNTIME_"))}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "TZ": "UTC",
    }


@pytest.fixture
def sensorpost(tmp_path: Path, environ: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``sensorpost("check", "-c", "x.toml")``: run it to its end, with text in and out."""

    def run(*args: str, timeout: float = 30.0, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gateway", *args],
            cwd=tmp_path,
            env={**environ, **extra},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run
