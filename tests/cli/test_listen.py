"""``sensorpost listen`` against a real broker: lines, JSON, the table on a terminal, and no broker at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish
from support import Mosquitto, free_port, wait_until
from support.terminal import Terminal

BASE = "sensorpost/attic"
READING = {"time": "2026-11-22T07:00:00.123Z", "run": "r", "seq": 1, "temperature": 21.5, "humidity": 40.2}
CONFIG = """
[gateway]
id = "attic"
[mqtt]
url = "mqtt://127.0.0.1:{port}"
[devices.office]
driver = "mock"
[devices.attic]
driver = "mock"
"""
Start = Callable[..., "subprocess.Popen[str]"]


def configure(tmp_path: Path, port: int) -> None:
    """Write ./sensorpost.toml."""
    (tmp_path / "sensorpost.toml").write_text(CONFIG.format(port=port))


def put(broker: Mosquitto, leaf: str, body: Any, *, retain: bool = False) -> None:
    """Publish as the gateway would."""
    payload = body if isinstance(body, str) else json.dumps(body)
    publish.single(f"{BASE}/{leaf}", payload, qos=1, retain=retain, hostname=broker.host, port=broker.port)


def subscribed(broker: Mosquitto) -> Callable[[], bool]:
    """Whether somebody subscribed: the broker logs it."""
    return lambda: f"{BASE}/+ (QoS 1)" in broker.log()


@pytest.fixture
def broker(make_mosquitto: Callable[..., Mosquitto], tmp_path: Path) -> Mosquitto:
    """A broker that logs subscriptions, and a configuration that names it."""
    broker = make_mosquitto("log_type all")
    configure(tmp_path, broker.port)
    return broker


def test_lines(broker: Mosquitto, start: Start) -> None:
    """One plain line per live reading of this gateway's devices, with units; ``-n`` ends it, exit 0."""
    put(broker, "attic", READING, retain=True)
    process = start("listen", "-n", "2")
    wait_until(subscribed(broker))
    put(broker, "office/availability", "online")
    put(broker, "stranger", READING)
    put(broker, "office", READING)
    put(broker, "attic", {**READING, "seq": 2, "humidity": None})
    out, err = process.communicate(timeout=30)
    assert out.splitlines() == [
        "07:00:00.123 office temperature=21.5 °C humidity=40.2 %",
        "07:00:00.123 attic temperature=21.5 °C humidity=null",
    ]
    assert (err, process.returncode) == ("", 0)


def test_json_of_one_device(broker: Mosquitto, start: Start) -> None:
    """The reading as it is, with device and topic; other devices are left out; each line comes at once."""
    process = start("listen", "office", "--json")
    wait_until(subscribed(broker))
    put(broker, "attic", READING)
    put(broker, "office", READING)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {**READING, "device": "office", "topic": f"{BASE}/office"}
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == ("", "", 130)


def test_for_a_while(broker: Mosquitto, start: Start) -> None:
    """``--for`` ends it; that nothing came is no failure."""
    process = start("listen", "--for", "300ms")
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0


def test_the_while_begins_with_the_connection(broker: Mosquitto, start: Start) -> None:
    """A broker that is slow to answer takes nothing from it."""
    broker.pause()
    process = start("listen", "--for", "2s")
    time.sleep(1.5)  # the time in which nothing is answered is the experiment
    broker.resume()
    begin = time.monotonic()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert time.monotonic() - begin >= 2.0


def test_no_broker(tmp_path: Path, start: Start) -> None:
    """One line says which broker and why; it keeps trying; at the end it has failed, with the reason last."""
    port = free_port()
    configure(tmp_path, port)
    process = start("listen", "--for", "1500ms")
    out, err = process.communicate(timeout=30)
    assert (out, process.returncode) == ("", 1)
    assert err.splitlines() == [
        f"not connected to mqtt://127.0.0.1:{port}: connection refused; trying again",
        f"sensorpost: never connected to mqtt://127.0.0.1:{port}: connection refused",
    ]


def test_a_broker_that_comes_later(tmp_path: Path, start: Start, make_mosquitto: Callable[..., Mosquitto]) -> None:
    """It connects by itself and says so."""
    broker = make_mosquitto("log_type all", start=False)
    configure(tmp_path, broker.port)
    process = start("listen", "-n", "1")
    assert process.stderr is not None
    assert "trying again" in process.stderr.readline()
    broker.start()
    wait_until(subscribed(broker), 30)
    put(broker, "office", READING)
    out, err = process.communicate(timeout=30)
    assert out.startswith("07:00:00.123 office")
    assert err == f"connected to mqtt://127.0.0.1:{broker.port}\n"


def test_unknown_device(tmp_path: Path, start: Start) -> None:
    """The nearest name; nothing is listened to."""
    configure(tmp_path, 1)
    process = start("listen", "ofice")
    _, err = process.communicate(timeout=30)
    assert err == "sensorpost: no device 'ofice' in the configuration; did you mean office?\n"
    assert process.returncode == 1


def test_no_configuration(start: Start) -> None:
    """Which gateway is meant stands in the configuration: exit code 78 without one."""
    process = start("listen")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 78
    assert "no configuration found" in err


@pytest.mark.parametrize("way", ["q", "ctrl-c"])
def test_table(way: str, broker: Mosquitto, start: Start, terminal: Terminal, environ: dict[str, str]) -> None:
    """On a terminal a table, on the other screen; left by q or Ctrl-C with the terminal as it was before."""
    put(broker, "office", READING, retain=True)
    environ = {**environ, "TERM": "xterm-256color"}
    environ.pop("NO_COLOR", None)
    process = start("listen", stdin=terminal.slave, stdout=terminal.slave, env=environ)
    wait_until(lambda: terminal.shows("21.5"), 30)
    assert "\x1b[?1049h" in terminal.text
    put(broker, "office/status", {"state": "offline", "last_error": "gone", "hint": ""})
    wait_until(lambda: terminal.shows("offline: gone"), 30)
    assert "\x1b[31m" in terminal.text
    if way == "q":
        os.write(terminal.master, b"q")
    else:
        process.send_signal(signal.SIGINT)
    wait_until(lambda: terminal.shows("\x1b[?1049l"), 30)
    assert process.wait(30) == (0 if way == "q" else 130)
    assert termios.tcgetattr(terminal.slave) == terminal.before


def test_no_color(broker: Mosquitto, start: Start, terminal: Terminal, environ: dict[str, str]) -> None:
    """With NO_COLOR the table has none."""
    environ = {**environ, "TERM": "xterm-256color", "NO_COLOR": "1"}
    put(broker, "office/status", {"state": "offline", "last_error": "gone", "hint": ""}, retain=True)
    start("listen", stdin=terminal.slave, stdout=terminal.slave, env=environ)
    wait_until(lambda: terminal.shows("offline: gone"), 30)
    assert not any(f"\x1b[{code}" in terminal.text for code in ("31", "32", "33", "36", "90", "1;3", "38"))


def test_a_dumb_terminal_gets_lines(
    broker: Mosquitto, start: Start, terminal: Terminal, environ: dict[str, str]
) -> None:
    """What cannot redraw itself is not asked to."""
    start("listen", stdin=terminal.slave, stdout=terminal.slave, env={**environ, "TERM": "dumb"})
    wait_until(subscribed(broker))
    put(broker, "office", READING)
    wait_until(lambda: terminal.shows("07:00:00.123 office temperature=21.5 °C humidity=40.2 %\r\n"), 30)
    assert "\x1b" not in terminal.text
