"""A configuration to begin with takes along what it names beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.service.beginning import Beginning
from gateway.service.machine import CannotError
from gateway.service.places import CONFIG

CONFIGURATION = """
[gateway]
drivers_dir = "drivers"
[mqtt]
password = { file = "mqtt-password" }
ca_file = "tls/ca.pem"
cert_file = "/etc/ssl/mine.pem"
[spool]
path = "spool.db"
[devices.door]
driver = "rdm6300"
tag_list = "tags.toml"
[devices.weather]
driver = "command"
profile = "rtl_433"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A folder as somebody has it who tried things out before."""
    for name, text in {
        "sensorpost.toml": CONFIGURATION,
        "sensorpost.d/more.toml": '[devices.a.signals]\nt = { file = "day.csv" }\n',
        "mqtt-password": "hunter2\n",
        "tls/ca.pem": "-----\n",
        "drivers/mine.py": "pass\n",
        "drivers/__pycache__/mine.pyc": "",
        "drivers/notes.txt": "",
        "day.csv": "1\n",
        "tags.toml": "[tags]\n",
        "spool.db": "theirs",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "sensorpost.toml"


def test_what_is_named_comes_along(config: Path) -> None:
    """Secrets, certificates, tags, drivers, further files; nothing else (a profile is none), nothing from elsewhere."""
    assert Beginning.of(config).files == {
        CONFIG: CONFIGURATION,
        "/etc/sensorpost/sensorpost.d/more.toml": '[devices.a.signals]\nt = { file = "day.csv" }\n',
        "/etc/sensorpost/mqtt-password": "hunter2\n",
        "/etc/sensorpost/tls/ca.pem": "-----\n",
        "/etc/sensorpost/drivers/mine.py": "pass\n",
        "/etc/sensorpost/day.csv": "1\n",
        "/etc/sensorpost/tags.toml": "[tags]\n",
    }


def test_a_byte_order_mark_hides_nothing(config: Path) -> None:
    """What an editor of Windows has saved is a valid configuration, and its password comes along."""
    config.write_text('[mqtt]\npassword = { file = "mqtt-password" }\n', encoding="utf-8-sig")
    files = Beginning.of(config).files
    assert files["/etc/sensorpost/mqtt-password"] == "hunter2\n"
    assert files[CONFIG].startswith("[mqtt]")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/home/pi/secret", r"names /home/pi/secret, which the service cannot see: put it beside .*sensorpost\.toml"),
        ("../secret", r"names \.\./secret: only what is below its folder can go to /etc/sensorpost with it"),
        ("gone", r"gone: No such file or directory"),
    ],
)
def test_what_cannot_come_along(config: Path, name: str, words: str) -> None:
    """A line says so before anything is changed: the service would not start."""
    config.write_text(f'[mqtt]\npassword = {{ file = "{name}" }}\n')
    with pytest.raises(CannotError, match=words):
        Beginning.of(config)
