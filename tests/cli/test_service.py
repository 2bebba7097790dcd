"""``sensorpost service`` as a command: what it says, and what it refuses."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from gateway.cli.main import main

ROOT = Path(__file__).parents[2]
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


@pytest.mark.needs("root")
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


PLAYED = """
import os, signal, sys, time
import gateway.service.install
from gateway.cli.main import main

def install(machine, *_, **__):
    machine.told("one")
    {event}
    machine.told("two")
    open(sys.argv[1] + "/whole", "w").close()
    return []

os.geteuid = lambda: 0
gateway.service.install.install = install
sys.exit(main(["service", "install", "--root", sys.argv[1]]))
"""
"""An installation of two steps."""


def played(root: Path, event: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """What becomes of it when something happens between them."""
    command = [sys.executable, "-c", PLAYED.format(event=event), str(root)]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT)


def test_nobody_reads_what_it_says(tmp_path: Path) -> None:
    """``| head`` ended it half way, with success."""
    reader, writer = os.pipe()
    os.close(reader)
    done = played(tmp_path, "pass", writer)
    os.close(writer)
    assert (done.returncode, (tmp_path / "whole").exists()) == (0, True)


def test_a_connection_that_breaks(tmp_path: Path) -> None:
    """Nobody is there to start it again: it goes on to its end."""
    done = played(tmp_path, "os.kill(os.getpid(), signal.SIGHUP)")
    assert (done.returncode, (tmp_path / "whole").exists()) == (0, True)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_installation(tmp_path: Path, name: str) -> None:
    """What was made is told, and how to take it away; of an upgrade, that nothing has changed."""
    done = played(tmp_path, f"os.kill(os.getpid(), signal.{name}); time.sleep(60)")
    assert (done.returncode, (tmp_path / "whole").exists()) == (130, False)
    made, interrupted = done.stderr.splitlines()
    assert made.startswith("what was made so far stays, and the next run goes on from there; to take it away: sudo ")
    assert made.endswith("/sensorpost service uninstall --purge")
    assert interrupted == "sensorpost: interrupted"
    (tmp_path / "opt/sensorpost/venv-a/bin").mkdir(parents=True)
    (tmp_path / "opt/sensorpost/venv-a/bin/sensorpost").touch()
    (tmp_path / "opt/sensorpost/venv").symlink_to("/opt/sensorpost/venv-a")
    done = played(tmp_path, f"os.kill(os.getpid(), signal.{name}); time.sleep(60)")
    assert done.stderr == "sensorpost: interrupted; what runs is as it was\n"


def test_what_only_root_may_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line of what to do, not of a file that nobody asked for."""
    denied = PermissionError(errno.EACCES, "Permission denied", "/etc/sensorpost/.installed.json")
    monkeypatch.setattr("gateway.service.install.install", Mock(side_effect=denied))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["service", "install", "--dry-run"]) == 1
    assert (
        capsys.readouterr().err == "sensorpost: /etc/sensorpost/.installed.json is for root alone: put sudo before it\n"
    )
    assert main(["service", "install", "--dry-run", "--root", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"sensorpost: only root can look into {tmp_path} (chroot): put sudo before it\n"
