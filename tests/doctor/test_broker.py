"""Brokers: not found, not reached, not let in, not allowed to publish; and somebody else with our id."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import Mosquitto
from support.sickbed import Sickbed, found, only

from gateway.delivery.trial import Trial, try_broker
from gateway.doctor import broker
from gateway.doctor.finding import State
from gateway.status.control import ControlError

URL = "mqtt://broker.lan:1883"
CONFIG = '[gateway]\nid = "attic"\n[mqtt]\nurl = "mqtt://broker.lan"\n{}\n[devices.a]\ndriver = "system"\n'
LOGIN = 'username = "pi"\npassword = { file = "secret" }'
BASE = "sensorpost/attic"


def health(run: str = "other", ago: float = 5.0) -> dict[str, bytes]:
    """What a gateway leaves at the broker."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - ago))
    body = {"time": stamp, "run": run, "host": {"ip": "10.0.0.7"}}
    return {f"{BASE}/gateway/health": json.dumps(body).encode(), f"{BASE}/gateway/state": b"online"}


@pytest.mark.parametrize(
    ("trial", "fix"),
    [
        (Trial(URL, "name", "host name not found (Name or service not known)"), "getent hosts broker.lan"),
        (Trial(URL, "network", "connection refused"), "nc -vz broker.lan 1883"),
        (Trial(URL, "login", "refused: Not authorized"), 'username = "..."'),
        (Trial(URL, "tls", "TLS: the broker's certificate is not accepted (self-signed certificate)"), "ca_file"),
        (Trial(URL, "tls", "TLS: ... (Hostname mismatch, certificate is not valid for 'x')"), "another name"),
        (Trial(URL, "tls", "TLS: ... (certificate has expired)"), "clock"),
        (Trial(URL, "tls", "TLS: WRONG_VERSION_NUMBER"), "the broker's port for TLS"),
        (Trial(URL, "mqtt", "no answer within the time limit"), "is it an MQTT broker"),
    ],
)
def test_not_in(bed: Sickbed, trial: Trial, fix: str) -> None:
    """The reason, and what to do about that one."""
    bed.trials = [trial]
    state, text, advice = only(broker.broker, bed.patient(CONFIG.format("")))
    assert (state, text) == (State.PROBLEM, f"{URL}: {trial.reason}")
    assert fix in advice


@pytest.mark.parametrize(
    ("trial", "state", "words"),
    [
        (Trial(URL, publish_code=0x87), State.PROBLEM, "does not allow anonymous clients to publish on"),
        (Trial(URL, publish_reason="the broker did not acknowledge it"), State.PROBLEM, "but not publish"),
        (Trial(URL, publish_code=0x97), State.PROBLEM, "does not take messages now"),
        (Trial(URL, publish_code=0, protocol="3.1.1"), State.UNKNOWN, "cannot tell"),
    ],
)
def test_in_but_not_publish(bed: Sickbed, trial: Trial, state: State, words: str) -> None:
    """By the reason code; MQTT 3.1.1 has none."""
    bed.trials = [trial]
    seen, text, fix = only(broker.broker, bed.patient(CONFIG.format("")))
    assert seen is state
    assert words in text
    assert fix


def test_every_broker_is_visited(bed: Sickbed) -> None:
    """One that is away is told although another works; nobody subscribing is fine."""
    config = CONFIG.replace('url = "mqtt://broker.lan"', 'urls = ["mqtt://a.lan", "mqtt://b.lan"]').format("")
    asked: list[Any] = []

    def visit(_: Any, endpoint: Any, client_id: str, **given: Any) -> Trial:
        asked.append((endpoint.host, client_id[:23], given["publish"]))
        away = Trial(endpoint.url, "network", "connection refused")
        return away if endpoint.host == "a.lan" else Trial(endpoint.url, publish_code=0x10)

    bed.probes["try_broker"] = visit
    assert only(broker.broker, bed.patient(config))[1] == "mqtt://a.lan:1883: connection refused"
    topic, client_id = f"{BASE}/gateway/doctor", "sensorpost-attic-doctor"
    assert sorted(asked) == [("a.lan", client_id, topic), ("b.lan", client_id, topic)]


def test_another_gateway_with_our_id(bed: Sickbed) -> None:
    """It is online, and not the one of this machine."""
    bed.trials = [Trial(URL, publish_code=0, retained=health())] * 2
    state, text, _ = only(broker.broker, bed.patient(CONFIG.format("")))
    assert state is State.PROBLEM
    assert text == f"another gateway at 10.0.0.7 publishes as {BASE} on {URL}: both write the same topics"
    bed.probes["answers"] = lambda _: {"run": "other"}
    assert found(broker.broker, bed.patient(CONFIG.format(""))) == []


def test_a_gateway_that_we_may_not_ask(bed: Sickbed) -> None:
    """Then it cannot be known."""

    def refuse(_: Path) -> None:
        raise ControlError("not permitted")

    bed.trials = [Trial(URL, publish_code=0, retained=health())]
    bed.probes["answers"] = refuse
    assert only(broker.broker, bed.patient(CONFIG.format("")))[0] is State.UNKNOWN


@pytest.mark.parametrize(
    "retained",
    [
        {},
        health(ago=1000.0),
        {**health(), f"{BASE}/gateway/state": b"offline"},
        {**health(), f"{BASE}/gateway/health": b"[]"},
        {**health(), f"{BASE}/gateway/health": b'{"time": 7}'},
    ],
)
def test_what_an_earlier_run_has_left(bed: Sickbed, retained: dict[str, bytes]) -> None:
    """Is nobody."""
    bed.trials = [Trial(URL, publish_code=0, retained=retained)]
    assert found(broker.broker, bed.patient(CONFIG.format(""))) == []


def test_a_password_in_the_open(bed: Sickbed) -> None:
    """A hint, unless it stays on this machine."""
    bed.file("/etc/sensorpost/secret", "x", 0o600)
    patient = bed.patient(CONFIG.format(LOGIN))
    assert only(broker.plain_text, patient)[2] == 'where the broker has TLS: url = "mqtts://broker.lan" in [mqtt]'
    local = CONFIG.replace("broker.lan", "localhost").format(LOGIN)
    assert found(broker.plain_text, bed.patient(local)) == []
    assert found(broker.plain_text, bed.patient(CONFIG.format(""))) == []


def test_a_real_broker_with_an_access_list(
    bed: Sickbed, make_mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    """It may read and not write."""
    rules = tmp_path / "rules"
    rules.write_text("topic read #\n")
    real = make_mosquitto(f"acl_file {rules}")
    bed.probes["try_broker"] = try_broker
    config = CONFIG.replace("mqtt://broker.lan", real.url).format("")
    assert "(reason code 0x87)" in only(broker.broker, bed.patient(config))[1]
