"""The trial login, against a real broker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support import Mosquitto, free_port

from gateway.delivery.trial import Trial
from gateway.starter.login import login


@pytest.mark.needs("mosquitto")
def test_in(mosquitto: Mosquitto) -> None:
    """And which MQTT it speaks."""
    done = login("attic", mosquitto.url)
    assert (done.is_in, done.text) == (True, "lets us in (MQTT 5)")


@pytest.mark.needs("mosquitto")
def test_in_and_not_allowed_to_publish(make_mosquitto: Callable[..., Mosquitto], tmp_path: Path) -> None:
    """That counts as refused: readings would wait for ever."""
    (tmp_path / "rules").write_text("topic read #\n")
    done = login("attic", make_mosquitto(f"acl_file {tmp_path / 'rules'}").url)
    assert not done.is_in
    assert done.text == "lets us in, but not publish below sensorpost/attic: not authorised"
    assert done.advice == "allow anonymous clients to read and write sensorpost/attic/# there"


def test_not_there() -> None:
    """The reason and what to do."""
    done = login("attic", f"mqtt://127.0.0.1:{free_port()}")
    assert (done.is_in, done.text) == (False, "connection refused")
    assert "mosquitto" in done.advice


def test_the_end_of_the_connection_instead_of_an_answer() -> None:
    """Brokers of MQTT 3.1.1 do that."""
    trial = Trial("mqtt://x", publish_reason="the broker ended the connection (lost)")
    done = login("attic", "mqtt://x", visit=lambda *_, **__: trial)
    assert done.text.endswith("the broker ended the connection (lost)")
