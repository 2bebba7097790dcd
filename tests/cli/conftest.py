"""Runs the real command in a process of its own, from an empty folder."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.environment import remembering
from support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _logging_stays_as_it_was() -> Iterator[None]:
    """Commands that run in this process set the log up."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    hooks = logging.raiseExceptions, threading.excepthook, sys.unraisablehook
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions, threading.excepthook, sys.unraisablehook = hooks


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which no configuration of this machine is found."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SENSORPOST", "STATE_", "RUNTIME_"))}
    return {
        **remembering(kept),
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "STATE_DIRECTORY": str(tmp_path / "state"),  # else root's is the machine's, with what another test left in it
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


@pytest.fixture
def start(tmp_path: Path, environ: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command in the background; whatever is still running after the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*args: str, **kwargs: Any) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environ}
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", *args], cwd=tmp_path, text=True, **{**pipes, **kwargs}
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal."""
    terminal = Terminal()
    yield terminal
    terminal.close()
