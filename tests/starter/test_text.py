"""The file that is written: every key commented, valid, without a warning."""

from __future__ import annotations

import re

import pytest

from gateway.catalog import Catalog
from gateway.config.load import loads
from gateway.known.thing import things
from gateway.scan.finding import Finding
from gateway.starter.answers import Answers, Password
from gateway.starter.text import commented, text_of


def uncommented(text: str) -> list[str]:
    """The keys without a comment in the line above or behind them."""
    lines = text.splitlines()
    return [
        line
        for above, line in zip(["", *lines], lines, strict=False)
        if re.match(r"[\w-]+ *=", line) and not above.startswith("# ")
    ]


def test_all_that_can_be_answered(found: list[Finding]) -> None:
    """Every key has a comment; it means what was answered."""
    answers = Answers(
        gateway_id="attic",
        url="mqtts://broker.lan",
        username="pi",
        password=Password("env", "MQTT_PASSWORD"),
        discovery=True,
        found=found[:2],
    )
    text = text_of(answers)
    assert uncommented(text) == []
    settings = loads(text, environ={"MQTT_PASSWORD": "x"}, strict=True)
    assert settings.warnings == ()
    assert (settings.gateway_id, settings.mqtt.username) == ("attic", "pi")
    assert settings.homeassistant.discovery
    assert [device.driver for device in settings.devices] == ["bme280", "serial_line"]
    assert "# bus 1 0x76: answers (BME280)\n[devices.bme280]" in text
    assert max(len(line) for line in text.splitlines()) <= 120


def test_without_hardware() -> None:
    """The machine itself, so that there is something to read."""
    text = text_of(Answers(gateway_id="attic", url="mqtt://localhost:1883"))
    settings = loads(text, strict=True)
    assert [device.driver for device in settings.devices] == ["system"]
    assert settings.warnings == ()
    assert uncommented(text) == []
    assert "username" not in text


@pytest.mark.parametrize("stanza", [thing.stanza() for thing in things() if thing.stanza()])
def test_every_stanza_that_a_scan_can_bring(stanza: str) -> None:
    """Each key of each is known and gets its comment."""
    text = commented(stanza, Catalog())
    assert uncommented(text) == []
    assert [line for line in text.splitlines() if not line.startswith("# ")] == [
        line for line in stanza.splitlines() if not line.startswith("# ")
    ]
