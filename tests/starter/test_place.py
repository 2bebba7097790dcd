"""The files: whole and valid in their place, or nothing at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gateway.config.errors import ConfigErrors
from gateway.config.load import load
from gateway.config.settings import Secret
from gateway.starter import place
from gateway.starter.answers import Answers, Password
from gateway.starter.place import put
from gateway.starter.text import text_of

ANSWERS = Answers(gateway_id="attic", url="mqtt://broker.lan")
SECRET = Answers(
    gateway_id="attic",
    url="mqtt://broker.lan",
    username="pi",
    password=Password("file", "mqtt-password", Secret("hunter2"), is_new=True),
)


def mode(path: Path) -> int:
    """Who may."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_password_in_a_file_of_its_own(tmp_path: Path) -> None:
    """Nobody else may read it, whatever the umask; it is nowhere else; the two files are all there is."""
    before = os.umask(0)
    try:
        put(SECRET, text_of(SECRET), tmp_path / "sensorpost.toml", {})
    finally:
        os.umask(before)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mqtt-password", "sensorpost.toml"]
    assert mode(tmp_path / "mqtt-password") in (0o600, 0o640)
    assert mode(tmp_path / "mqtt-password") & 0o007 == 0
    assert mode(tmp_path / "sensorpost.toml") == 0o644
    assert "hunter2" not in (tmp_path / "sensorpost.toml").read_text()
    settings = load(tmp_path / "sensorpost.toml", environ={}, strict=True)
    assert settings.mqtt.password == Secret("hunter2")
    assert settings.warnings == ()


def test_it_is_validated_before_it_is_there(tmp_path: Path) -> None:
    """A text that is no configuration leaves what was there as it was."""
    target = tmp_path / "sensorpost.toml"
    target.write_text("old")
    with pytest.raises(ConfigErrors, match=f"^{target}:2: "):
        put(SECRET, "[devices.a]\ndriver = 1\n", target, {})
    assert [path.name for path in tmp_path.iterdir()] == ["sensorpost.toml"]
    assert target.read_text() == "old"


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even in the middle of it."""

    def interrupted(*_: object, **__: object) -> None:
        assert len(list(tmp_path.rglob("*"))) == 3, "the folder and both files are there"
        raise KeyboardInterrupt

    monkeypatch.setattr(place, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        put(SECRET, text_of(SECRET), tmp_path / "sensorpost.toml", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["env", "credential"])
def test_a_password_that_is_not_here(tmp_path: Path, how: str) -> None:
    """The rest is checked all the same."""
    password = Password(how, "MQTT")
    answers = Answers(gateway_id="attic", url="mqtt://broker.lan", username="pi", password=password)
    settings = put(answers, text_of(answers), tmp_path / "sensorpost.toml", {})
    assert settings.warnings == ()
    assert [path.name for path in tmp_path.iterdir()] == ["sensorpost.toml"]


def test_a_password_file_that_is_there(tmp_path: Path) -> None:
    """It is named and left alone; one that everybody may read is warned about."""
    (tmp_path / "secret").write_text("x\n")
    (tmp_path / "secret").chmod(0o644)
    password = Password("file", "secret", Secret("x"))
    answers = Answers(gateway_id="attic", url="mqtt://broker.lan", username="pi", password=password)
    (warning,) = put(answers, text_of(answers), tmp_path / "sensorpost.toml", {}).warnings
    assert warning.startswith(f"{tmp_path / 'sensorpost.toml'}:")
    assert warning.endswith(f"chmod 600 {tmp_path / 'secret'}")
    assert (tmp_path / "secret").read_text() == "x\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_roots_password_is_for_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its group may read it, where there is one."""
    monkeypatch.setattr(place, "GROUP", "daemon")
    put(SECRET, text_of(SECRET), tmp_path / "sensorpost.toml", {})
    file = tmp_path / "mqtt-password"
    assert (mode(file), file.group()) == (0o640, "daemon")
