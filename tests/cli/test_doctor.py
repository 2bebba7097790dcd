"""``sensorpost doctor`` on this machine: its report, its JSON and its exit code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Mosquitto, free_port

from gateway.cli.doctor import show
from gateway.doctor.examination import CHECKS
from gateway.doctor.finding import Finding, State, hint, problem, unknown

Run = Callable[..., "subprocess.CompletedProcess[str]"]
CONFIG = '[gateway]\nid = "attic"\nclock = "trusted"\n[mqtt]\nurl = "{}"\n[devices.this]\ndriver = "system"\n'


@pytest.mark.needs("mosquitto")
def test_json(mosquitto: Mosquitto, sensorpost: Run, tmp_path: Path) -> None:
    """One value per finding with the four keys; every check is there; nothing is said to stderr when all is well."""
    (tmp_path / "sensorpost.toml").write_text(CONFIG.format(mosquitto.url))
    done = sensorpost("doctor", "--json")
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(list(finding) == ["check", "state", "text", "fix"] for finding in findings)
    states = {finding["check"]: finding["state"] for finding in findings}
    assert list(states) == [check.name for check in CHECKS]
    assert (states["broker"], states["configuration"], states["spool"]) == ("ok", "ok", "ok")
    wrong = [finding for finding in findings if finding["state"] == "problem"]
    assert done.returncode == (1 if wrong else 0)
    assert (done.stderr == "") == (not wrong)


def test_something_wrong(sensorpost: Run, tmp_path: Path) -> None:
    """Exit code 1, with the number in the last line of stderr; no traceback, no log."""
    port = free_port()
    (tmp_path / "mine.toml").write_text(CONFIG.format(f"mqtt://127.0.0.1:{port}"))
    done = sensorpost("doctor", "-c", "mine.toml")
    assert f"PROBLEM broker: mqtt://127.0.0.1:{port}: connection refused\n" in done.stdout
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("found")
    assert len(done.stderr.splitlines()) == 1


def test_mistakes_in_the_configuration(sensorpost: Run, tmp_path: Path) -> None:
    """They are findings: what else is wrong is told all the same."""
    (tmp_path / "sensorpost.toml").write_text('[devices.a]\ndriver = "sytem"\n')
    done = sensorpost("doctor")
    assert "PROBLEM configuration: sensorpost.toml:2: devices.a.driver" in done.stdout
    assert done.returncode == 1


def test_a_file_that_is_not_there(sensorpost: Run) -> None:
    """It was asked for, so it is wrong; without any it is a hint."""
    assert "nowhere.toml: there is no such file" in sensorpost("doctor", "-c", "nowhere.toml").stdout
    assert "hint configuration: there is no configuration yet" in sensorpost("doctor").stdout


def test_problems_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Then hints, then what could not be seen; of what is fine the number."""
    show([hint("h"), Finding(State.OK, "fine"), unknown("u", "look"), problem("p", "mend")])
    expected = "PROBLEM : p\n    mend\nhint : h\nunknown : u\n    look\n1 check found nothing wrong\n"
    assert capsys.readouterr().out == expected
