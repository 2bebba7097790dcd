"""``sensorpost read``: what the gateway would publish of one device, or the reason why there is nothing."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PtyPair, free_port

CONFIG = """
[mqtt]
url = "mqtt://127.0.0.1:{port}"         # nobody listens there
[devices.fake]
driver = "mock"
interval = "100ms"
channels.temperature.digits = 1
channels.temperature.unit = "°F"
channels.humidity.key = "damp"
[devices.off]
driver = "mock"
enabled = false
[devices.tags]
driver = "mock"
kind = "event"
interval = "100ms"
signals.tag = {{ shape = "constant", value = "04a2" }}
[devices.line]
driver = "serial_line"
port = "/dev/ttyNOPE"
fields = [{{ name = "level", unit = "%" }}]
[devices.wrong]
driver = "mock"
faults = [{{ kind = "raise", error = "misconfigured" }}]
[devices.buggy]
driver = "mock"
interval = "100ms"
faults = [{{ kind = "raise", error = "ZeroDivisionError" }}]
[devices.hanging]
driver = "mock"
timeout = "200ms"
faults = [{{ kind = "hang" }}]
[devices.half]
driver = "mock"
interval = "100ms"
faults = [{{ kind = "none", at = "150ms" }}]
"""
Sensorpost = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def _configuration(tmp_path: Path) -> None:
    """./sensorpost.toml."""
    (tmp_path / "sensorpost.toml").write_text(CONFIG.format(port=free_port()))


def test_one_reading(sensorpost: Sensorpost) -> None:
    """One line, with the transforms of the configuration, though the broker cannot be reached."""
    done = sensorpost("read", "fake")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} fake temperature=68\.\d °F damp=[\d.]+ %( \(clock unsynced\))?\n", done.stdout
    )


def test_json(sensorpost: Sensorpost) -> None:
    """The payload that would be published, with the device's name."""
    done = sensorpost("read", "fake", "-n", "3", "--json")
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reading["seq"] for reading in readings] == [1, 2, 3]
    assert len({reading["run"] for reading in readings}) == 1
    assert set(readings[0]) - {"clock"} == {"device", "time", "run", "seq", "temperature", "damp"}
    assert readings[0]["device"] == "fake"
    assert done.returncode == 0


def test_a_disabled_device_can_be_read(sensorpost: Sensorpost) -> None:
    """Whoever asks for it wants it."""
    assert " off temperature=" in sensorpost("read", "off").stdout


def test_no_mqtt_section(sensorpost: Sensorpost, tmp_path: Path) -> None:
    """There need not be a broker in the configuration at all."""
    (tmp_path / "small.toml").write_text('[devices.fake]\ndriver = "mock"\n')
    assert sensorpost("read", "fake", "-c", "small.toml").returncode == 0


def test_an_event(sensorpost: Sensorpost) -> None:
    """An event device gives its first event."""
    assert " tags tag=04a2" in sensorpost("read", "tags").stdout


def test_it_needs_no_broker_library(environ: dict[str, str], tmp_path: Path) -> None:
    """Neither paho nor rich is loaded."""
    code = (
        "import sys; from gateway.cli.main import main; main(['read', 'fake'])\n"
        "print({'paho', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"


def test_a_device_that_is_not_there(sensorpost: Sensorpost) -> None:
    """It says at once what is wrong and tries until the time is over; the reason comes last."""
    done = sensorpost("read", "line", "--timeout", "2s")
    assert (done.returncode, done.stdout) == (1, "")
    first, last = done.stderr.splitlines()
    assert first.startswith("line: offline: ")
    assert first.endswith("; trying again")
    assert "/dev/ttyNOPE" in last
    assert last.startswith("sensorpost: line: offline: ")
    assert last.endswith("(waited 2 s)")


def test_a_misconfigured_device_is_given_up_at_once(sensorpost: Sensorpost) -> None:
    """Waiting cannot help."""
    done = sensorpost("read", "wrong", "--timeout", "20s", timeout=10)
    assert done.returncode == 1
    assert done.stderr == "sensorpost: wrong: failed: made by the mock driver\n"


@pytest.mark.parametrize(("device", "reason"), [("buggy", "ZeroDivisionError"), ("hanging", "hung: ")])
def test_other_trouble(device: str, reason: str, sensorpost: Sensorpost) -> None:
    """A driver's bug or hang is one line and never a traceback."""
    done = sensorpost("read", device, "--timeout", "2s")
    assert done.returncode == 1
    assert reason in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_fewer_than_asked_for(sensorpost: Sensorpost) -> None:
    """What came is printed; that it was too little is a failure that says so."""
    done = sensorpost("read", "half", "-n", "50", "--timeout", "2s")
    assert done.returncode == 1
    got = len(done.stdout.splitlines())
    assert 0 < got < 50
    assert done.stderr.splitlines()[-1].endswith(f"after {got} of 50 readings")


def test_unknown_device(sensorpost: Sensorpost) -> None:
    """The nearest name."""
    done = sensorpost("read", "fak")
    assert done.returncode == 1
    assert done.stderr == "sensorpost: no device 'fak' in the configuration; did you mean fake?\n"


def test_ctrl_c(start: Start) -> None:
    """Exit code 130, silently."""
    process = start("read", "fake", "-n", "100000")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (err, process.returncode) == ("", 130)


def test_a_serial_device(start: Start, pty_pair: PtyPair, tmp_path: Path) -> None:
    """The real driver on a real terminal line."""
    (tmp_path / "a.toml").write_text(
        f'[devices.line]\ndriver = "serial_line"\nport = "{pty_pair.path}"\nskip_first = false\n'
        'fields = [{ name = "level", unit = "%" }]\n'
    )
    process = start("read", "line", "-c", "a.toml")
    while process.poll() is None:  # opening a port throws away what came before
        pty_pair.feed(b"42.5\r\n")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    out, err = process.communicate()
    assert " line level=42.5 %" in out, err
