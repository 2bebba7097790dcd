"""Habits that a look at the files shows: their length, their tests, their words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 300

TESTED_ELSEWHERE = {
    "tests/cli/test_main.py": ["gateway/__main__.py", "gateway/cli/exits.py"],
    "tests/cli/test_run.py": ["gateway/app.py", "gateway/storage.py"],
    "tests/cli/test_demo.py": ["gateway/cli/follow.py"],
    "tests/cli/test_listen.py": ["gateway/cli/screen.py"],
    "tests/cli/test_output.py": ["gateway/cli/listing.py"],
    "tests/cli/test_audit.py": [f"gateway/audit/{part}.py" for part in ("account", "kept", "live", "sources")],
    "tests/cli/test_reload.py": ["gateway/cli/running.py"],
    "tests/cli/test_spool.py": ["gateway/cli/spool_access.py"],
    "tests/cli/test_feed.py": ["gateway/delivery/subscriber.py"],
    "tests/config/test_load.py": [  # the parts of one walk from a file to settings
        *(f"gateway/config/{part}.py" for part in ("broker", "channels", "devices", "fields", "report", "settings")),
        *(f"gateway/config/{part}.py" for part in ("shape", "structure", "syntax")),
    ],
    "tests/contract/test_every_driver.py": ["gateway/testing/pages.py"],
    "tests/testing/test_checks.py": [f"gateway/testing/{part}.py" for part in ("__init__", "__main__", "harness")],
    "tests/hardware/test_gpio.py": ["gateway/hardware/gpio_kernel.py"],
    "tests/hardware/test_bus.py": ["gateway/hardware/on_bus.py"],
    "tests/hardware/test_process.py": ["gateway/hardware/tied.py"],
    "tests/hardware/test_real.py": [f"gateway/hardware/{part}.py" for part in ("machine", "protocols")],
    "tests/delivery/test_link.py": ["gateway/delivery/mqtt.py", "gateway/delivery/tls.py"],
    "tests/delivery/test_publisher.py": [  # the publisher and what it is made of, seen by a broker
        *(f"gateway/delivery/{part}.py" for part in ("bulletin", "correction", "farewell", "in_flight", "intake")),
        *(
            f"gateway/delivery/{part}.py"
            for part in ("memory_store", "message", "outcome", "refusals", "settlement", "store")
        ),
    ],
    "tests/delivery/spool/test_spool.py": [  # the file and all that is done to it, through the store that uses it
        *(f"gateway/delivery/spool/{part}.py" for part in ("accounts", "backlog", "care", "disk", "file", "journal")),
        *(f"gateway/delivery/spool/{part}.py" for part in ("ballast", "damaged_file", "kept", "lock")),
    ],
    "tests/reading/test_reader.py": [  # the parts of a reader, and the values that it makes
        *(f"gateway/reading/{part}.py" for part in ("home", "memory", "outlet", "reading", "runtime", "slot")),
    ],
    "tests/reading/test_supervisor.py": ["gateway/reading/ending.py", "gateway/reading/left_behind.py"],
    "tests/reading/test_child.py": ["gateway/reading/children.py", "gateway/reading/remote.py"],
    "tests/test_driver.py": ["gateway/errors.py", "gateway/seam.py"],
    "tests/testing/test_fakes.py": [
        *(f"gateway/testing/fake_{part}.py" for part in ("serial", "sysfs", "time")),
        "gateway/simulation/files.py",
    ],
    "tests/testing/test_fake_gpio.py": [
        "gateway/simulation/pin.py",
        "gateway/simulation/held.py",
    ],  # what a test fakes is a piece of the simulation
    "tests/testing/test_fake_process.py": ["gateway/simulation/program.py"],
    "tests/simulation/test_buses.py": [  # models on each bus, through what a driver is given
        *(f"gateway/simulation/{part}.py" for part in ("i2c", "model", "registers", "spi", "tree", "world")),
    ],
    "tests/simulation/test_line.py": ["gateway/simulation/serial_model.py"],
    "tests/simulation/test_hardware.py": ["gateway/simulation/find.py"],
    "tests/simulation/test_models.py": [
        *(str(path.relative_to(ROOT)) for path in (ROOT / "gateway/simulation/models").glob("[a-z]*.py")),
    ],
    "tests/simulation/test_sensor_models.py": [
        *(f"gateway/simulation/models/{part}.py" for part in ("bme280", "ds18b20", "dsmr_p1", "hwmon")),
        *(f"gateway/simulation/models/{part}.py" for part in ("iio", "modbus", "pms5003")),
    ],
    "tests/simulation/test_arrange.py": ["gateway/simulation/isolated.py"],
    "tests/test_cards.py": ["gateway/simulation/card.py", "gateway/simulation/card_reader.py"],
    **{
        f"tests/drivers/test_{name}.py": [f"gateway/simulation/models/{name}.py"]
        for name in ("mfrc522", "pn532", "rdm6300", "ws1850s")
    },
    "tests/doctor/test_buses.py": ["gateway/doctor/boot.py", "gateway/doctor/needs.py"],
    "tests/doctor/test_broker.py": ["gateway/doctor/advice.py"],
    "tests/doctor/test_examination.py": ["gateway/doctor/finding.py"],
    "tests/service/test_install.py": [  # all that is done to a machine, by what it leaves there
        *(f"gateway/service/{part}.py" for part in ("environment", "places", "state", "uninstall", "units")),
    ],
    "tests/test_units.py": ["gateway/device_classes.py"],
}
"""Test files that cover more than the source file they are named after; a new source file gets its own."""

NOT_OURS = {".git", ".venv", "dist", "build", "node_modules"}
CACHES = re.compile(r"__pycache__|\..*_cache|\.venv.*|\.hypothesis|.*\.egg-info")


def files() -> Iterator[Path]:
    """Every file of the repository; what git ignores is left out by name, since a fresh machine has no git."""
    folders = [ROOT]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            if path.is_dir():
                if path.name not in NOT_OURS and not CACHES.fullmatch(path.name):
                    folders.append(path)
            elif not path.name.startswith((".venv", ".coverage")):
                yield path


def modules() -> Iterator[Path]:
    """Every source file of the two packages, relative to the repository."""
    for package in ("gateway", "drivers"):
        yield from (path.relative_to(ROOT) for path in sorted((ROOT / package).rglob("*.py")))


def test_a_file_does_one_thing() -> None:
    """No source file is longer than 300 lines."""
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in modules()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_a_test_file_mirrors_each_source_file() -> None:
    """gateway/delivery/queue.py has tests/delivery/test_queue.py, drivers/mock.py has tests/drivers/test_mock.py."""
    missing = set()
    for path in modules():
        folder = Path("tests", *path.parts[1 if path.parts[0] == "gateway" else 0 : -1])
        code = (ROOT / path).read_text()
        if path.name == "__init__.py" and "def " not in code and "class " not in code:
            continue
        name = path.parent.name if path.name == "__init__.py" else path.stem
        if not (ROOT / folder / f"test_{name}.py").exists():
            missing.add(str(path))
    elsewhere = {path for test, paths in TESTED_ELSEWHERE.items() if (ROOT / test).exists() for path in paths}
    assert sorted(missing - elsewhere) == []
    assert sorted(elsewhere - missing) == [], "these have a test file now, or are gone: take them off the list"


def test_nothing_is_left_for_later() -> None:
    """No source file says that something is still to be done, and none has a stub."""
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in modules()
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if later.search(line)
    ]
    assert found == []


def test_nothing_is_tied_to_one_place() -> None:
    """No file names a folder of somebody's workplace or a host of a package index: those are the machine's business."""
    places = re.compile(
        r"(?<![\w.])/work\b/|\bpypi\.org|pythonhosted\.org|piwheels\.org|registry\.npmjs|deb\.debian\.org"
    )
    found = []
    for path in files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            if places.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert found == []
