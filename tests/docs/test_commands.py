"""What docs/commands.md shows is tried, on a real gateway and a real broker."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import Mosquitto, Subscriber

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
TRIED = PAGE.partition("<!-- tried -->")[2].partition("<!-- end -->")[0]
CHANGING = {"time", "run", "seq", "temperature"}
"""What is another value each time."""


def asked(text: str) -> tuple[str, bytes]:
    """Topic and payload of a line with mosquitto_pub."""
    words = shlex.split(text)
    assert words[:3] == ["mosquitto_pub", "-q", "1"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert set(options) == {"-t", "-m"}
    return options["-t"], options["-m"].encode()


def same(shown: Any, came: Any) -> bool:
    """Whether an answer is the one on the page, but for what changes."""
    if isinstance(shown, dict) and isinstance(came, dict):
        return shown.keys() == came.keys() and all(key in CHANGING or same(shown[key], came[key]) for key in shown)
    return bool(shown == came)


@pytest.fixture
def ear(tmp_path: Path, make_mosquitto: Callable[..., Mosquitto], finally_do: Callable[..., None]) -> Subscriber:
    """Somebody who listens to a gateway with the page's configuration, which has read once."""
    broker = make_mosquitto()
    configuration = re.findall(r"```toml\n(.*?)```", TRIED, re.DOTALL)[0]
    configuration = configuration.replace(
        "[gateway]", '[gateway]\nclock = "trusted"'
    )  # a test's machine may have no NTP
    (tmp_path / "sensorpost.toml").write_text(f'{configuration}[mqtt]\nurl = "{broker.url}"\n', encoding="utf-8")
    made = Subscriber(broker.port, ["sensorpost/#"])
    finally_do(made.close)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(tmp_path / "state")}
    with (tmp_path / "log").open("w") as log:
        gateway = subprocess.Popen(
            [sys.executable, "-m", "gateway", "run"], cwd=tmp_path, env=environ, stdout=log, stderr=log
        )
    finally_do(lambda: (gateway.terminate(), gateway.wait(30)))
    made.wait_for(lambda one: one.topic == "sensorpost/attic-pi/office", 20)
    return made


def test_every_example(ear: Subscriber) -> None:
    """In the page's order, each answered as the page says."""
    pairs = re.findall(r"```sh\n(.*?)\n```\n```\n(\S+) (.*?)\n```", TRIED, re.DOTALL)
    assert len(pairs) == 11
    for command, topic, answer in pairs:
        time.sleep(0.2)  # at most five a second
        request_topic, payload = asked(command)
        ear.publish(request_topic, payload)
        id_ = json.loads(payload)["id"]
        came = ear.wait_for(lambda one, topic=topic, id_=id_: one.topic == topic and one.json()["id"] == id_, 10).json()  # type: ignore[misc]
        if "…" in answer:  # the beginning is shown
            shown = json.loads(answer.replace(", …", ""))
            assert list(shown["health"]) == list(came["health"])[: len(shown["health"])]
        else:
            assert same(json.loads(answer), came), (answer, came)


def test_a_plain_payload(ear: Subscriber) -> None:
    """The last one on the page has no answer, but the reading shows it."""
    topic, payload = asked(re.findall(r"```sh\n(.*?)\n```", TRIED, re.DOTALL)[-1])
    ear.publish(topic, payload)
    ear.wait_for(lambda one: one.topic == "sensorpost/attic-pi/office" and one.json()["setpoint"] == float(payload))


def test_the_access_list(tmp_path: Path, make_mosquitto: Callable[..., Mosquitto]) -> None:
    """It is one that mosquitto takes."""
    text = re.findall(r"```\n(user .*?)```", PAGE, re.DOTALL)[0]
    file = tmp_path / "acl"
    file.write_text(text)
    file.chmod(0o644)
    broker = make_mosquitto(f"acl_file {file}")
    assert broker.running
    users = re.findall(r"^user (\S+)$", text, re.MULTILINE)
    assert users == ["attic-pi", "homeassistant", "grafana"]
