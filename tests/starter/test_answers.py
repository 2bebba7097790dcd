"""Which answers can be, and which hardware gets along."""

from __future__ import annotations

import tomllib

import pytest

from gateway.config.settings import Secret
from gateway.scan.finding import Finding
from gateway.starter import answers as of
from gateway.starter.answers import Password


@pytest.mark.parametrize(
    ("gateway_id", "url", "words"),
    [
        ("attic", "mqtt://broker", ""),
        ("attic pi", "mqtt://broker", "cannot be a gateway's id"),
        ("attic", "broker", "did you mean"),
        ("attic", "mqtt://me:secret@broker", "has a user or a password in it"),
        ("attic", 'mqtt://x"\\n', "host"),
    ],
)
def test_what_is_wrong_with_an_answer(gateway_id: str, url: str, words: str) -> None:
    """In the words of the configuration; nothing gets out of its quotes."""
    wrong = of.wrong(gateway_id, url)
    assert words in wrong
    assert bool(wrong) is bool(words)
    assert "secret" not in wrong


def test_the_settings_of_a_visit() -> None:
    """With what was typed, whatever is in it."""
    settings = of.broker_of("attic", "mqtts://broker", "pi", Secret('a"${b}\\'))
    assert settings.mqtt.password == Secret('a"${b}\\')
    assert (settings.mqtt.username, settings.mqtt.endpoints[0].url) == ("pi", "mqtts://broker:8883")


def test_what_can_be_read(found: list[Finding]) -> None:
    """Those with a stanza; of two at one place the first."""
    assert [finding.where for finding in of.readable(found)] == ["bus 1 0x76", "/dev/serial/by-id/usb-x"]


def test_for_people(found: list[Finding]) -> None:
    """One line each; what a device says of itself cannot command the terminal."""
    assert of.title(found[0]) == "bus 1 0x76: answers (BME280)"
    evil = Finding(bus="serial", where="", what="evil\x1b[2J\nline")
    assert of.title(evil).isprintable()


@pytest.mark.parametrize("how", ["file", "env", "credential"])
def test_how_a_password_is_named(how: str) -> None:
    """As TOML, and never the password itself."""
    text = Password(how, 'a"b', Secret("hidden")).as_toml()
    assert tomllib.loads(f"p = {text}") == {"p": {how: 'a"b'}}
