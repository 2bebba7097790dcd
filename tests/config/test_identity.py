"""gateway/config/identity.py: the gateway's id, and names that fit one level of a topic."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.identity import Host, default_id, wrong_base_topic, wrong_id, wrong_level


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("attic-pi", "attic-pi"),
        ("attic.home.example", "attic"),
        ("Küche 2", "K-che-2"),
        ("raspberrypi", "raspberrypi-4f3a"),
        ("RaspberryPi.local", "RaspberryPi-4f3a"),
        ("localhost", "localhost-4f3a"),
        ("", "gateway-4f3a"),
        ("日本", "gateway-4f3a"),
        ("x" * 100, "x" * 64),
    ],
)
def test_default_id(tmp_path: Path, name: str, expected: str) -> None:
    """The host name as one level; a name that many machines have gets 4 characters of the machine id."""
    machine_id = tmp_path / "machine-id"
    machine_id.write_text("4f3a0c1be2\n")
    assert default_id(Host(name=lambda: name, machine_id=machine_id)) == expected


def test_no_machine_id(tmp_path: Path) -> None:
    """A bare container has none."""
    assert default_id(Host(name=lambda: "debian", machine_id=tmp_path / "nowhere")) == "debian"


@pytest.mark.parametrize("name", ["a", "front-door", "Büro 1", "x" * 64, "a$b"])
def test_names(name: str) -> None:
    """What a device may be called."""
    assert wrong_level(name) == ""


@pytest.mark.parametrize("name", ["", "a/b", "+", "a#", "$SYS", "a\0", "a\n", " a", "a ", "x" * 65, "\ud800"])
def test_no_names(name: str) -> None:
    """What would break topics, logs or terminals."""
    assert wrong_level(name)


@pytest.mark.parametrize("name", ["", "attic/+", "attic pi", "#", "$SYS", "attic\n", "Büro", "x" * 65])
def test_no_ids(name: str) -> None:
    """A gateway's id is a level of every topic, and part of the client id."""
    assert wrong_id(name)


def test_ids() -> None:
    """Up to 64 letters, digits, - and _."""
    assert [wrong_id(name) for name in ("attic-pi_2", "x" * 64)] == ["", ""]


def test_base_topics() -> None:
    """Several levels, none of them empty."""
    assert wrong_base_topic("home/sensors/attic") == ""
    for text in ("", "/a", "a/", "a//b", "a/#", "a/$b", "x" * 64 + "/" + "x" * 200):
        assert wrong_base_topic(text)
