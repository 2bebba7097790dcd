"""``sensorpost drivers``: which there are, and all about one of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.catalog import Catalog
from gateway.cli.main import main

MINE = '''"""My own sensor: one value.

Wiring: a wire
from here to ``there``.
"""
from gateway.driver import Channel, Driver, option, options

@options
class Options:
    """What to read."""
    port: str = option(help="where")
    gain: int = option(2, help="how much")

class Mine(Driver[Options]):
    """It."""
    options_type = Options
    channels = (Channel("depth", "m", "distance", help="to the water"),)
    interval = "5s"
    def read(self):
        """A constant."""
        return {"depth": 1.0}
'''


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, without any configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SENSORPOST_CONFIG", raising=False)


@pytest.fixture
def own(tmp_path: Path) -> str:
    """A configuration with drivers of its own: one that works and one that is broken."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mine.py").write_text(MINE)
    (folder / "broken.py").write_text('"""Broken."""\nimport no_such_library\n')
    (tmp_path / "own.toml").write_text('[gateway]\ndrivers_dir = "own"\n[devices.x]\ndriver = "mine"\nport = "p"\n')
    return str(tmp_path / "own.toml")


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Every bundled driver is a row, with no configuration at all."""
    assert main(["drivers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["DRIVER", "KIND", "SOURCE", "SUMMARY"]
    assert [line.split()[0] for line in lines[1:]] == Catalog().names()


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One driver per line, with the keys of the contract."""
    assert main(["drivers", "--json"]) == 0
    found = {value["name"]: value for value in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(found) == set(Catalog().names())
    for value in found.values():
        assert set(value) == {"name", "source", "summary", "kind", "options", "channels"}
        for option in value["options"]:
            assert set(option) == {"name", "type", "default", "required", "choices", "help"}
        for channel in value["channels"]:
            assert set(channel) == {"name", "unit", "device_class"}


def test_own_and_broken_drivers(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The configuration's folder is searched too; a broken one is listed with the reason."""
    assert main(["drivers", "-c", own]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert any(row.startswith("mine ") and "My own sensor" in row for row in rows)
    assert any(row.startswith("broken ") and "no_such_library" in row for row in rows)


def test_one_driver(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Summary, wiring, options, channels, and a stanza with what must be set."""
    assert main(["drivers", "mine", "-c", own]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mine: My own sensor: one value."
    assert lines[2] == "Wiring: a wire from here to `there`."
    assert [line.split() for line in lines if line.startswith(("port", "gain", "depth"))] == [
        ["port", "str", "required", "where"],
        ["gain", "int", "2", "how", "much"],
        ["depth", "m", "distance", "to", "the", "water"],
        ["port", "=", '"/dev/ttyUSB0"', "#", "where"],
    ]


def test_one_driver_as_json(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The exact shape."""
    assert main(["drivers", "mine", "-c", own, "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value == {
        "name": "mine",
        "source": str(Path(own).parent / "own" / "mine.py"),
        "summary": "My own sensor: one value.",
        "kind": "sampled",
        "options": [
            {"name": "port", "type": "str", "default": None, "required": True, "choices": None, "help": "where"},
            {"name": "gain", "type": "int", "default": 2, "required": False, "choices": None, "help": "how much"},
        ],
        "channels": [{"name": "depth", "unit": "m", "device_class": "distance"}],
    }


@pytest.mark.parametrize("name", [*Catalog().names(), "mine"])
def test_the_sample_passes_check(name: str, own: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What ``drivers NAME`` prints at its end can be pasted: ``check`` accepts it."""
    assert main(["drivers", name, "-c", own]) == 0
    text = capsys.readouterr().out
    stanza = tmp_path / "stanza.toml"
    stanza.write_text('[gateway]\ndrivers_dir = "own"\n' + text[text.index("[devices.") :])
    assert main(["check", "-c", str(stanza)]) == 0, capsys.readouterr().err


def test_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest name, and where all of them are."""
    assert main(["drivers", "sytem"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "sensorpost: no driver 'sytem'; did you mean system? (all of them: sensorpost drivers)"


def test_broken_driver(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It fails and says why, with file and line."""
    assert main(["drivers", "broken", "-c", own]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert "broken.py:2" in last
    assert "no_such_library" in last


def test_an_invalid_configuration_is_no_obstacle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who looks for the right driver may have a mistake in the configuration just because of that."""
    (tmp_path / "sensorpost.toml").write_text('[devices.x]\ndriver = "mok"\n')
    assert main(["drivers"]) == 0
    said = capsys.readouterr()
    assert "mock" in said.out
    assert "sensorpost check" in said.err


def test_an_invalid_configuration_that_was_named(tmp_path: Path) -> None:
    """With ``-c`` it is what was asked for: exit code 78."""
    (tmp_path / "a.toml").write_text('[devices.x]\ndriver = "mok"\n')
    assert main(["drivers", "-c", "a.toml"]) == 78


def test_how_a_name_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """A driver is found as people write its name."""
    assert main(["drivers", "BME280"]) == 0
    assert capsys.readouterr().out.startswith("bme280: ")
    assert main(["drivers", "Serial-Line"]) == 0
    assert capsys.readouterr().out.startswith("serial_line: ")


def test_a_sensor_that_another_driver_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which driver, the line for config.txt, and shows a stanza that ``check`` accepts."""
    assert main(["drivers", "DHT-22"]) == 0
    text = capsys.readouterr().out
    assert "the driver iio; dtoverlay=dht11,gpiopin=4 in /boot/firmware/config.txt" in text
    stanza = tmp_path / "stanza.toml"
    stanza.write_text(text[text.index("[devices.") :])
    assert main(["check", "-c", str(stanza)]) == 0


def test_a_sensor_that_another_driver_reads_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The way as one value; of what nobody reads the driver is null."""
    assert main(["drivers", "rc522", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert set(value) == {"name", "title", "driver", "served", "needs", "note", "stanza"}
    assert (value["name"], value["driver"], value["served"]) == ("rc522", "mfrc522", True)
    assert main(["drivers", "relay", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["driver"], value["served"], value["stanza"]) == (None, False, "")
