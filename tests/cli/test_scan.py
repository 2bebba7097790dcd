"""``sensorpost scan``: what is connected, each with a stanza to paste. The scan itself is tested in tests/scan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli.main import main
from gateway.cli.scan import TITLES, command, show
from gateway.config.load import loads
from gateway.scan.finding import Candidate, Finding, nothing
from gateway.scan.survey import KINDS

FOUND = [
    Finding(
        bus="i2c",
        where="bus 1, 0x76",
        what="BME280",
        candidates=(Candidate("bme280", "BME280", sure=True),),
        stanza='[devices.bme280]\ndriver = "bme280"\naddress = 0x76',
        note="by its register",
    ),
    Finding(bus="i2c", where="bus 1, 0x28", what="answers", configured="desk"),
    nothing("spi", "no SPI device", "enable it"),
]


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, without any configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SENSORPOST_CONFIG", raising=False)


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """At a glance, and a piece of configuration as it stands."""
    show(FOUND)
    text = capsys.readouterr().out
    assert text == (
        "# I2C\n"
        "#   bus 1, 0x76: BME280\n"
        "#     by its register\n"
        "\n"
        '[devices.bme280]\ndriver = "bme280"\naddress = 0x76\n'
        "\n"
        "#   bus 1, 0x28: answers (configured as desk)\n"
        "\n"
        "# SPI\n"
        "#   no SPI device\n"
        "#     enable it\n"
    )
    (device,) = loads(text, strict=True).devices
    assert device.device == "bme280"


def test_a_name_that_would_be_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    """What a USB device calls itself is one line of comment, whatever is in it."""
    evil = 'Uno\n[devices.evil]\ndriver = "command"\ncommand = ["sh"]\x1b[2J'
    show([Finding(bus="serial", where="/dev/ttyACM0", what=evil, note=evil), *FOUND])
    text = capsys.readouterr().out
    assert [device.device for device in loads(text, strict=True).devices] == ["bme280"]
    assert "\x1b" not in text


def test_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever machine that is: one value a line, and this machine is always among them."""
    assert main(["scan", "--json", "--skip", "i2c", "--skip", "spi", "--skip", "gpio"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    keys = {"bus", "where", "what", "found", "candidates", "stanza", "note", "configured"}
    assert all(set(one) == keys for one in found)
    assert found[-1]["bus"] == "machine"
    assert {one["bus"] for one in found} <= {"serial", "onewire", "iio", "hwmon", "machine"}


def test_what_is_configured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The configuration that is found is used, and one that is named."""
    (tmp_path / "sensorpost.toml").write_text('[devices.pi]\ndriver = "system"\n')
    only_kernel = [word for kind in KINDS if kind != "kernel" for word in ("--skip", kind)]
    assert main(["scan", *only_kernel]) == 0
    assert "(configured as pi)" in capsys.readouterr().out
    assert main(["scan", "--json", *only_kernel, "-c", "sensorpost.toml"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["configured"], last["stanza"]) == ("pi", "")


def test_an_invalid_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no obstacle, unless it was named: then it is exit code 78."""
    (tmp_path / "sensorpost.toml").write_text('[devices.x]\ndriver = "mok"\n')
    only_kernel = [word for kind in KINDS if kind != "kernel" for word in ("--skip", kind)]
    assert main(["scan", *only_kernel]) == 0
    said = capsys.readouterr()
    assert "sensorpost check" in said.err
    assert 'driver = "system"' in said.out
    assert main(["scan", "-c", "sensorpost.toml"]) == 78


def test_every_kind_has_a_title_and_can_be_left_out() -> None:
    """What a scan knows, the command knows."""
    (skip,) = [option for option in command.params if option.name == "skip"]
    assert tuple(skip.type.choices) == KINDS  # type: ignore[attr-defined] # that of a choice
    assert set(TITLES) == {*KINDS, "iio", "hwmon", "machine"}
