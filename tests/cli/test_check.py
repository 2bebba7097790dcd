"""``sensorpost check``: everything that is wrong, or what the gateway would do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway import limits
from gateway.cli.main import main

GOOD = """
[gateway]
id = "attic-pi"
[mqtt]
url = "mqtt://broker.example"
[devices.fake]
driver = "mock"
interval = "200ms"
channels.humidity.enabled = false
[devices.line]
driver = "serial_line"
port = "/dev/ttyUSB7"
fields = [{ name = "level", unit = "%" }]
enabled = false
"""


@pytest.fixture
def good(tmp_path: Path) -> str:
    """A valid configuration."""
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    """Three mistakes."""
    path = tmp_path / "bad.toml"
    path.write_text('[gatway]\nid = "x"\n[devices.a]\ndriver = "mok"\n[devices.b]\ndriver = "mock"\ninterval = 5\n')
    return str(path)


def test_summary(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line per device with driver, kind, interval and channels; gateway, broker and topics above."""
    assert main(["check", "-c", good]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines() == [
        f"{good}: valid",
        "gateway attic-pi, broker mqtt://broker.example:1883, topics sensorpost/attic-pi/DEVICE",
        needs_line(),
        "",
        "DEVICE  DRIVER       KIND     INTERVAL  CHANNELS",
        "fake    mock         sampled  200ms     temperature °C",
        "line    serial_line  sampled  disabled  level %",
    ]


def needs_line() -> str:
    """What is said of threads and descriptors: the limits are this machine's."""
    most = limits.threads()
    threads = f"9 threads of {most[0].most}" if most else "9 threads"
    descriptors = limits.descriptors()[0].most
    return f"needs at most {threads}, 32 file descriptors of {descriptors}"


def test_summary_as_json(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``ok`` and no errors, and the devices with their topics."""
    assert main(["check", "-c", good, "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["ok"], value["errors"]) == (True, [])
    assert value["devices"][0] == {
        "device": "fake",
        "driver": "mock",
        "kind": "sampled",
        "enabled": True,
        "interval_s": 0.2,
        "channels": [{"key": "temperature", "unit": "°C"}],
        "topic": "sensorpost/attic-pi/fake",
    }
    needs = value["needs"]
    assert (needs["threads"], needs["descriptors"], needs["processes"]) == (9, 32, 0)
    assert 0 < needs["descriptors_limit"] <= 1024
    assert needs["threads_limit"] is None or needs["threads_limit"] > 0


def test_processes_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of drivers that live apart."""
    path = tmp_path / "a.toml"
    path.write_text('[devices.x]\ndriver = "mock"\nisolation = "process"\n')
    assert main(["check", "-c", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[2].endswith(", 1 process(es) of their own")


def test_too_many_devices_for_one_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake like any other: one line with the reason and the way out, exit code 78, also as JSON."""
    path = tmp_path / "a.toml"
    line = '[devices.p{0}]\ndriver = "serial_line"\nfields = [{{ name = "a" }}]\nport = "/dev/tty{0}"\n'
    path.write_text("".join(line.format(number) for number in range(200)))
    assert main(["check", "-c", str(path)]) == 78
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{path}: devices: 200 devices need 1192 file descriptors, and there can be ")
    assert "second gateway" in said.err
    assert len(said.err.splitlines()) == 1
    assert main(["check", "-c", str(path), "--json"]) == 78
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert (error["file"], error["path"]) == (str(path), "devices")


def test_all_mistakes_at_once(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each mistake is a line with its place; the number of them comes last; exit code 78."""
    assert main(["check", "-c", bad]) == 78
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert [line.split(": ")[0] for line in lines[:-1]] == [f"{bad}:1", f"{bad}:4", f"{bad}:7"]
    assert lines[-1] == "sensorpost: 3 mistakes in the configuration"


def test_mistakes_as_json(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One value, on stdout, with the keys that scripts rely on; the exit code stays 78."""
    assert main(["check", "-c", bad, "--json"]) == 78
    said = capsys.readouterr()
    assert said.err == ""
    value = json.loads(said.out)
    assert value["ok"] is False
    assert [set(error) for error in value["errors"]] == [{"file", "line", "path", "message", "hint"}] * 3


def test_a_broken_driver_is_a_mistake_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``run`` would go on without that device, but who checks wants to know."""
    (tmp_path / "drivers").mkdir(mode=0o755)
    (tmp_path / "drivers" / "mine.py").write_text("import no_such_library\n")
    path = tmp_path / "a.toml"
    path.write_text('[gateway]\ndrivers_dir = "drivers"\n[devices.x]\ndriver = "mine"\n')
    assert main(["check", "-c", str(path)]) == 78
    assert "no_such_library" in capsys.readouterr().err


def test_warnings_are_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plain password is accepted, with a warning on stderr."""
    path = tmp_path / "a.toml"
    path.touch(mode=0o600)
    path.write_text('[mqtt]\nusername = "u"\npassword = "p"\n[devices.x]\ndriver = "mock"\n')
    assert main(["check", "-c", str(path)]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("warning: ")
    assert "password" in said.err
