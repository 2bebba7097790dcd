"""What the configured drivers need."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.service.requirements import Wanted, config_texts, configured, wanted

DRIVERS = Path(__file__).parents[2] / "drivers"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Wanted(("i2c",), (), spi=False)),
        ('[devices.a]\ndriver = "bme280"', Wanted(("i2c",), (), spi=False)),
        ('[devices.a]\ndriver = "mfrc522"', Wanted(("i2c",), ("mfrc522-python==0.0.9",), spi=True)),
        ('[devices.a]\ndriver = "../../etc/passwd"', Wanted(("i2c",), (), spi=False)),
        ("no toml", Wanted(("i2c",), (), spi=False)),
        ("devices = 3", Wanted(("i2c",), (), spi=False)),
    ],
)
def test_of_drivers(text: str, expected: Wanted) -> None:
    """smbus2 always; spidev and the library of the reader where they are used."""
    assert wanted(configured({"f": text}), [DRIVERS]) == expected


def test_of_a_sensor_with_a_library() -> None:
    """The library by its own name, and those it stands on; nothing of what is no Adafruit name."""
    text = (
        '[devices.a]\ndriver = "circuitpython"\nmodule = "adafruit_bme280.basic"\n'
        '[devices.b]\ndriver = "circuitpython"\nmodule = "my_own"\n'
    )
    found = wanted(configured({"f": text}), [DRIVERS])
    assert found.alone[-1] == "adafruit-circuitpython-bme280"
    assert "adafruit-circuitpython-busdevice" in found.alone
    assert not [name for name in found.alone if "my" in name]


def test_of_a_driver_of_ones_own(tmp_path: Path) -> None:
    """Its file says that it speaks SPI."""
    (tmp_path / "mine.py").write_text("self._port = self.spi(0, 0)\n")
    assert wanted([{"driver": "mine"}], [DRIVERS, tmp_path]).spi


def test_the_configuration_of_an_image(tmp_path: Path) -> None:
    """The main file first, then what is added to it."""
    folder = tmp_path / "etc/sensorpost/sensorpost.d"
    folder.mkdir(parents=True)
    (folder / "b.toml").write_text("b")
    (folder / "a.toml").write_text("a")
    assert list(config_texts(tmp_path).values()) == ["a", "b"]
    (folder.parent / "sensorpost.toml").write_text("main")
    assert list(config_texts(tmp_path).values()) == ["main", "a", "b"]


def test_a_byte_order_mark_hides_no_device(tmp_path: Path) -> None:
    """An editor of Windows writes one, and `check` takes it: the library of the reader is needed all the same."""
    (tmp_path / "etc/sensorpost").mkdir(parents=True)
    text = '[devices.door]\ndriver = "mfrc522"\n'
    (tmp_path / "etc/sensorpost/sensorpost.toml").write_text(text, encoding="utf-8-sig")
    assert wanted(configured(config_texts(tmp_path)), [DRIVERS]).spi
