"""What the README shows is tried."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.catalog import Catalog
from gateway.config.load import loads
from gateway.testing import DriverHarness, FakeHardware

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(language: str) -> str:
    """The first block of that language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_first_screen_has_the_two_commands() -> None:
    """And no third one."""
    commands = [line.split("#")[0].strip() for line in block("sh").splitlines()]
    assert commands == ["./sensorpost demo", "./sensorpost test"]


def test_the_configuration_is_valid() -> None:
    """As it stands."""
    settings = loads(block("toml"), strict=True)
    assert [device.device for device in settings.devices] == ["this-pi", "outdoor"]


def test_the_driver_works(tmp_path: Path) -> None:
    """As it stands, from a folder of the user's."""
    (tmp_path / "cpu_temperature.py").write_text(block("python"))
    found = Catalog(tmp_path).find("cpu_temperature")
    assert found is not None
    assert found.driver is not None, found.error
    hardware = FakeHardware(sysfs={"/sys/class/thermal/thermal_zone0/temp": "48312\n"})
    harness = DriverHarness(found.driver, hardware=hardware)
    harness.open()
    assert harness.read() == {"temperature": 48.312}
