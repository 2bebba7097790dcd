"""``sensorpost top`` beside a running gateway: lines, JSON, the table on a terminal, and no gateway at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
from support import free_port, wait_until
from support.terminal import Terminal

from gateway.status.control import ControlError, NotRunning, call

CONFIG = """
[gateway]
id = "attic"
[mqtt]
url = "mqtt://127.0.0.1:{port}"
[devices.office]
driver = "mock"
interval = "50ms"
[devices.hall]
driver = "mock"
interval = "20ms"
faults = [{{ kind = "raise" }}]
[devices.cellar]
driver = "mock"
enabled = false
"""
Start = Callable[..., "subprocess.Popen[str]"]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def gateway(tmp_path: Path, start: Start) -> subprocess.Popen[str]:
    """One that has no broker, with a device that works, one that does not, and one that is switched off."""
    (tmp_path / "sensorpost.toml").write_text(CONFIG.format(port=free_port()))
    process = start("run")

    def settled() -> bool:
        try:
            _, part = call(tmp_path / "state" / "control.sock", {"verb": "top"})
        except (NotRunning, ControlError):
            return False
        states = {device["device"]: device["state"] for device in part["devices"]}
        rate = next(device["rate"] for device in part["devices"] if device["device"] == "office")
        return states == {"office": "online", "hall": "offline", "cellar": "disabled"} and rate is not None

    wait_until(settled, 20)
    return process


def test_lines(gateway: subprocess.Popen[str], sensorpost: Run) -> None:
    """In every round a line about the gateway, then one per device, sorted; ``-n`` ends it."""
    done = sensorpost("top", "-n", "2", "--interval", "200ms", "--sort", "state")
    assert (done.stderr, done.returncode) == ("", 0)
    rounds = [block.splitlines() for block in done.stdout.split("\n\n")]
    assert len(rounds) == 2
    for title, heading, *rows in rounds:
        assert title.startswith("attic: 3 devices, ")
        assert heading.split()[:3] == ["DEVICE", "STATE", "RATE"]
        assert [row.split()[:2] for row in rows] == [["hall", "offline"], ["office", "online"], ["cellar", "disabled"]]
        assert rows[0].endswith("  made by the mock driver")


def test_json(gateway: subprocess.Popen[str], sensorpost: Run) -> None:
    """One object per device and round."""
    done = sensorpost("top", "-n", "2", "--interval", "200ms", "--json")
    assert (done.stderr, done.returncode) == ("", 0)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["device"] for row in rows] == ["cellar", "hall", "office"] * 2
    off, bad, good = rows[3:]
    assert 0 < good["rate"] < 30
    assert good["lateness_ms"]["p50"] <= good["lateness_ms"]["p99"]
    assert 0 < good["read_ms"]["mean"] <= good["read_ms"]["max"]
    assert (good["queued"] > 0, good["failed"], good["pid"]) == (True, 0, None)
    assert 0 <= good["cpu_percent"] < 100
    assert Path(f"/proc/{gateway.pid}/task/{good['thread']}/comm").read_text() == "dev:office\n"
    assert bad["failed"] > 0
    assert bad["last_error"] == "made by the mock driver"
    assert (off["state"], off["thread"], off["rate"], off["cpu_percent"]) == ("disabled", None, None, None)
    assert good["state_s"] > rows[2]["state_s"]


def test_for_a_while(gateway: subprocess.Popen[str], sensorpost: Run) -> None:
    """``--for`` ends it, also in the middle of an interval."""
    done = sensorpost("top", "--for", "300ms", "--interval", "1m", "--json")
    assert (len(done.stdout.splitlines()), done.stderr, done.returncode) == (3, "", 0)


def test_no_gateway(sensorpost: Run, tmp_path: Path) -> None:
    """One clear line; a configuration is not asked for."""
    done = sensorpost("top")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == f"sensorpost: no gateway runs here: nothing answers on {tmp_path}/state/control.sock\n"


def test_a_gateway_that_ends(gateway: subprocess.Popen[str], start: Start) -> None:
    """So does this, with the reason."""
    process = start("top", "--interval", "100ms", "--json")
    assert process.stdout is not None
    assert process.stdout.readline()
    gateway.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.startswith("sensorpost: the gateway ")
    assert len(err.splitlines()) == 1


def test_ctrl_c(gateway: subprocess.Popen[str], start: Start) -> None:
    """Ends it quietly."""
    process = start("top", "--json")
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (err, process.returncode) == ("", 130)


def test_table(gateway: subprocess.Popen[str], start: Start, terminal: Terminal, environ: dict[str, str]) -> None:
    """On a terminal a table, with what is wrong below a device; s sorts by the next column; q leaves all as it was."""
    environ = {**environ, "TERM": "xterm-256color"}
    environ.pop("NO_COLOR", None)
    process = start("top", "--interval", "1m", stdin=terminal.slave, stdout=terminal.slave, env=environ)
    wait_until(lambda: terminal.shows("sorted by device"), 30)
    for text in ("\x1b[?1049h", "attic: 3 devices, ", "DEVICE", "office", "made by the mock driver", "\x1b[31m"):
        assert text in terminal.text
    assert terminal.text.index("cellar") < terminal.text.index("hall") < terminal.text.index("office")
    terminal.text = ""
    os.write(terminal.master, b"s")
    wait_until(lambda: terminal.shows("sorted by state"), 30)
    assert terminal.text.index("hall") < terminal.text.index("office") < terminal.text.index("cellar")
    os.write(terminal.master, b"q")
    wait_until(lambda: terminal.shows("\x1b[?1049l"), 30)
    assert process.wait(30) == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before
