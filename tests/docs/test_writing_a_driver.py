"""docs/writing-a-driver.md: its code is taken out of the page and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gateway.catalog import Catalog
from gateway.driver import BadReading
from gateway.testing import DriverHarness, FakeHardware, FakeI2C, FakeSerial, build_options, check_driver, load_driver

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "writing-a-driver.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all the files that the page shows."""
    for name, text in re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def test_every_block_of_code_is_run(folder: Path) -> None:
    """No Python on the page is without a file name."""
    assert PAGE.count("```python") == len(list(folder.glob("*/*.py")))


def test_the_driver_is_found_and_configured(folder: Path) -> None:
    """The stanza on the page configures the driver on the page."""
    found = Catalog(folder / "drivers").find("mh_z19")
    assert found is not None
    assert found.driver is not None, found.error
    stanza = tomllib.loads(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0])
    device = stanza["devices"]["living-room"]
    assert device.pop("driver") == found.name
    assert build_options(found.driver, device).port == "/dev/serial0"


def test_the_driver_is_short(folder: Path) -> None:
    """A real driver in 15 to 25 lines of code."""
    lines = (folder / "drivers" / "mh_z19.py").read_text(encoding="utf-8").splitlines()
    assert 15 <= sum(1 for line in lines if line.strip() and '"""' not in line) <= 25


def test_its_test_passes(folder: Path) -> None:
    """The tests on the page, run as an author would."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "8 passed" in done.stdout


def test_the_streaming_driver(folder: Path) -> None:
    """The scanner makes an event of each code."""
    barcode = load_driver(folder / "drivers" / "barcode.py")
    check_driver(barcode, {"port": "/dev/x"})
    port = FakeSerial()
    with DriverHarness(barcode, hardware=FakeHardware(ports={"/dev/x": port}), port="/dev/x") as it:
        assert it.read() is None
        port.feed(b"4006381333931\r")
        assert it.read() == {"event": "scanned", "code": "4006381333931"}


def test_the_driver_on_a_bus(folder: Path) -> None:
    """It fits on a postcard, and is found behind a multiplexer as well."""
    file = folder / "drivers" / "tmp102.py"
    lines = file.read_text(encoding="utf-8").splitlines()
    assert sum(1 for line in lines if line.strip() and '"""' not in line) <= 16
    hardware = FakeHardware(i2c={(3, 0x49, 0x70, 2): FakeI2C({0: b"\x7f\xf0"})})
    with DriverHarness(load_driver(file), hardware=hardware, bus=3, address=0x49, mux=0x70, mux_channel=2) as it:
        assert it.read() == {"temperature": 127.9375}


def test_the_driver_that_shares_its_line(folder: Path) -> None:
    """It asks its own sensor, and takes nobody else's answer."""
    file = folder / "drivers" / "tank_level.py"
    port = FakeSerial(answer={b"#07?": b"07 063\r"})
    check_driver(load_driver(file), {"port": "/dev/x", "unit": 7})
    with DriverHarness(load_driver(file), hardware=FakeHardware(ports={"/dev/x": port}), port="/dev/x", unit=7) as it:
        port.feed(b"05 011\r")
        assert it.read() == {"level": 63}
        assert port.shared


def test_the_reader_of_tags(folder: Path) -> None:
    """It says what is there, and its events are declared."""
    port = FakeSerial()
    driver = load_driver(folder / "drivers" / "tag_lines.py")
    check_driver(driver, {"port": "/dev/x"})
    with DriverHarness(driver, hardware=FakeHardware(ports={"/dev/x": port}), port="/dev/x") as it:
        assert [channel.name for channel in it.channels] == ["event", "tag", "dwell_s", "at_start"]
        assert it.read() is None
        port.feed(b"04A23B5C\r\n")
        assert it.read() == {"tag": "04a23b5c"}
        port.feed(b"hello\n")
        with pytest.raises(BadReading, match="no tag"):
            it.read()
