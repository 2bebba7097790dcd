"""The unit and the files beside it: what systemd makes of them, and that each line has its reason."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest
from support.capabilities import program

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "systemd"
UNIT = SYSTEMD / "sensorpost.service"
MOST = 1.3
"""The exposure that devices, network and /proc leave; README.md has the reasons."""


def analyze(*args: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    command = [program("systemd-analyze") or "systemd-analyze", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def directives(text: str) -> dict[str, list[str]]:
    """Each name with all its values, without comments."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.needs("systemd-analyze")
def test_the_exposure() -> None:
    """As low as devices allow."""
    done = analyze("security", "--offline=true", "--no-pager", str(UNIT))
    found = re.search(r"Overall exposure level for sensorpost.service: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= MOST, done.stdout


@pytest.mark.needs("systemd-analyze")
def test_systemd_has_nothing_to_complain_about(tmp_path: Path) -> None:
    """No unknown name, no value that is not understood. The program itself is not installed where tests run."""
    text = UNIT.read_text().replace("/opt/sensorpost/venv/bin/sensorpost", "/bin/true")
    unit = tmp_path / "sensorpost.service"
    unit.write_text(text)
    done = analyze("verify", "--man=no", str(unit))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    unit.write_text(text.replace("ProtectProc=", "ProtectProcc="))
    assert "ProtectProcc" in analyze("verify", "--man=no", str(unit)).stderr


def test_each_line_that_is_no_mere_closing_has_its_reason() -> None:
    """README.md names every directive but those that take away what nobody misses."""
    text = UNIT.read_text()
    closing = directives(text.partition("# What it can do without")[2].partition("# What is left open")[0])
    readme = (SYSTEMD / "README.md").read_text()
    unexplained = [name for name in directives(text) if name not in closing and f"{name}=" not in readme]
    assert unexplained == ["Description", "ExecStart", "WantedBy"]


def test_every_group_of_the_unit_is_made() -> None:
    """A missing one would keep the unit from starting."""
    unit = directives(UNIT.read_text())
    made = re.findall(r"^[gu] (\S+)", (SYSTEMD / "sysusers.conf").read_text(), re.MULTILINE)
    assert set(unit["SupplementaryGroups"][0].split()) | {unit["User"][0]} == set(made)


def test_every_serial_driver_is_loaded_before() -> None:
    """Those that make ttyUSB and ttyACM; and the buses that have no device of their own until their driver is there."""
    loaded = (SYSTEMD / "modules-load.conf").read_text().splitlines()
    assert {"ftdi_sio", "cp210x", "ch341", "pl2303", "cdc_acm", "i2c-dev", "spidev"} <= set(loaded)


def test_what_the_clock_file_opens_is_closed_in_the_unit() -> None:
    """clock.conf is the whole difference."""
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((SYSTEMD / "clock.conf").read_text())
    assert dict(parser["Service"]) == {"ProtectClock": "no", "SystemCallFilter": "adjtimex clock_adjtime"}
    assert directives(UNIT.read_text())["ProtectClock"] == ["yes"]
