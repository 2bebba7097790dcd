"""The walls between the rooms: who may import whom, and what a start may load."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import unwatched

ROOT = Path(__file__).parents[2]

TRESPASSES = {
    "A driver imports only gateway.driver from us": ("drivers/system.py", "from gateway.units import check_pair"),
    "Drivers do not know each other": ("drivers/system.py", "import drivers.mock"),
    "The gateway finds drivers and never imports one": ("gateway/catalog.py", "import drivers.mock"),
    "Only gateway.delivery.mqtt knows paho": ("gateway/delivery/link.py", "import paho.mqtt.client"),
    "Only gateway.hardware touches hardware libraries": ("gateway/reading/reader.py", "import serial"),
    "Readers know the queue and nothing else of the delivery": (
        "gateway/reading/reader.py",
        "import gateway.delivery.payload",
    ),
    "The delivery knows the reading and nothing else of the readers": (
        "gateway/delivery/payload.py",
        "import gateway.reading.schedule",
    ),
}
"""Per contract of pyproject.toml one import that must break it."""


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages in ``folder``."""
    code = "import sys; from importlinter.cli import lint_imports_command as main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--no-logo"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_walls_stand() -> None:
    """All contracts are kept."""
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_contract_bites(tmp_path: Path) -> None:
    """Each contract is broken by an import that it is there to forbid, and no contract is without such a proof."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("gateway", "drivers"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, line in TRESPASSES.values():
        path = tmp_path / file
        path.write_text(f"{path.read_text()}\n{line}\n")
    output = lint_imports(tmp_path).stdout
    verdicts = [line for line in output.splitlines() if " KEPT" in line or " BROKEN" in line]
    assert {line.split(" BROKEN")[0] for line in verdicts} == set(TRESPASSES)


@pytest.mark.parametrize("start", ["import gateway.cli.main", "import gateway.driver", "import gateway.testing"])
def test_a_start_loads_no_room_that_it_does_not_enter(start: str) -> None:
    """Neither the command line nor a driver's imports pull in MQTT, serial ports, the terminal's or web libraries."""
    code = f"import sys; {start}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=unwatched(), capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    unwanted = {
        "paho",
        "serial",
        "smbus2",
        "rich",
        "http.server",
        "sqlite3",
        "ssl",
        "drivers",
        "gateway.app",
        "asyncio",
    }
    assert loaded & unwanted == set()


def test_help_loads_no_driver_and_no_library_of_a_room() -> None:
    """``python -m gateway --help`` does what it must and no more."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gateway", "--help"],
        cwd=ROOT,
        env=unwatched(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "click" in loaded
    assert loaded & {"paho", "serial", "smbus2", "rich", "drivers", "http", "sqlite3", "ssl"} == set()
