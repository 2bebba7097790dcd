"""``sensorpost audit`` on a running gateway, on a stopped one, and on one somewhere else."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import Mosquitto, Subscriber, free_port, wait_until

CONFIG = """
[gateway]
id = "attic"
clock = "trusted"
[mqtt]
url = "mqtt://127.0.0.1:{port}"
[devices.office]
driver = "mock"
interval = "50ms"
durability = "full"
[devices.batched]
driver = "mock"
interval = "20ms"
batch = "300ms"
[devices.limited]
driver = "mock"
interval = "20ms"
max_rate = 10
"""
Sensorpost = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def broker(make_mosquitto: Callable[..., Mosquitto], tmp_path: Path) -> Mosquitto:
    """A broker, and a configuration that names it."""
    broker = make_mosquitto()
    (tmp_path / "sensorpost.toml").write_text(CONFIG.format(port=broker.port))
    return broker


def verdicts(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """Per device; the sum is under an empty name."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert "ok" in lines[-1], done.stderr
    return {line.get("device", ""): line for line in lines}


def running(start: Start, *, cwd: Path) -> subprocess.Popen[str]:
    """A gateway that answers."""
    gateway = start("run")
    wait_until((cwd / "state" / "control.sock").exists, 15.0, "the control socket")
    return gateway


def test_a_healthy_gateway(sensorpost: Sensorpost, start: Start, broker: Mosquitto, tmp_path: Path) -> None:
    """Live, batches and what the rate limit dropped: everything is accounted for."""
    del broker
    gateway = running(start, cwd=tmp_path)
    done = sensorpost("audit", "--for", "4s", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = verdicts(done)
    assert found[""]["ok"] is True
    assert found[""]["unexplained"] == 0
    assert found["office"]["received"] == found["office"]["expected"] >= 20
    assert found["batched"]["received"] == found["batched"]["expected"] >= 50
    assert found["limited"]["explained"]["dropped"] == found["limited"]["missing"] > 0
    assert [one["duplicates"] for one in found.values()] == [0, 0, 0, 0]
    text = sensorpost("audit", "office", "--for", "1s")
    assert text.returncode == 0
    assert text.stdout.splitlines()[0].split()[:4] == ["DEVICE", "EXPECTED", "RECEIVED", "MISSING"]
    assert text.stdout.splitlines()[-1].startswith("complete: ")
    gateway.send_signal(signal.SIGTERM)
    assert gateway.wait(30) == 0


def test_a_backlog_is_waited_for(sensorpost: Sensorpost, start: Start, broker: Mosquitto, tmp_path: Path) -> None:
    """What waited when the audit began must come, too: here it is what an outage left behind."""
    broker.stop()
    assert sensorpost("run", "--for", "4s").returncode == 0
    (status,) = [json.loads(line) for line in sensorpost("spool", "status", "--json").stdout.splitlines()]
    waiting = status["devices"]["office"]["queued"]
    assert waiting >= 20
    gateway = running(start, cwd=tmp_path)
    audit = start("audit", "office", "--for", "4s", "--json")
    wait_until(lambda: not broker.running, 20.0)
    broker.start()
    out, err = audit.communicate(timeout=60)
    assert audit.returncode == 0, err
    found = verdicts(subprocess.CompletedProcess([], 0, out, err))
    assert found["office"]["missing"] == 0
    gateway.terminate()
    gateway.wait(30)


def test_what_a_database_missed(sensorpost: Sensorpost, broker: Mosquitto, tmp_path: Path) -> None:
    """Held against the spool of a gateway that has stopped: complete, with a hole, without its end."""
    with contextlib.closing(Subscriber(broker.port, ["sensorpost/attic/+"])) as subscriber:
        assert sensorpost("run", "--for", "4s").returncode == 0
        office = [json.loads(m.payload) for m in subscriber.messages if m.topic == "sensorpost/attic/office"]
    rows = [json.dumps({"device": "office", **reading}) for reading in office]
    assert len(rows) >= 20

    def audit(lines: list[str], *more: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "export.jsonl").write_text("\n".join(lines) + "\n")
        return sensorpost("audit", "office", "--input", "export.jsonl", *more)

    assert verdicts(audit(rows, "--json"))[""]["ok"] is True
    hole = audit(rows[:9] + rows[11:], "--json")
    assert hole.returncode == 1
    assert verdicts(hole)["office"]["gaps"] == [{"run": office[0]["run"], "first": 10, "last": 11}]
    assert hole.stderr.endswith(f"2 of {len(rows)} readings are missing without a known reason\n")
    end = audit(rows[:-1])
    assert end.returncode == 1
    assert f"office: run {office[0]['run']}, seq {len(rows)} missing" in end.stdout
    assert audit(rows[3:-1], "--part").returncode == 0


def test_a_gateway_somewhere_else(
    sensorpost: Sensorpost, start: Start, broker: Mosquitto, environ: dict[str, str], tmp_path: Path
) -> None:
    """Its own words on MQTT have to do: health, runs and every status are retained."""
    del broker
    gateway = running(start, cwd=tmp_path)
    listened = sensorpost("listen", "office", "--for", "2s", "--json")
    rows = listened.stdout.splitlines()
    (tmp_path / "export.jsonl").write_text("\n".join(rows) + "\n")
    elsewhere = str(tmp_path / "elsewhere")
    done = sensorpost("audit", "office", "--part", "--input", "export.jsonl", "--json", STATE_DIRECTORY=elsewhere)
    assert (done.returncode, verdicts(done)["office"]["missing"]) == (0, 0), done.stderr
    assert environ["STATE_DIRECTORY"] != elsewhere
    gateway.terminate()
    gateway.wait(30)


def test_nothing_to_judge_by(sensorpost: Sensorpost, broker: Mosquitto, tmp_path: Path) -> None:
    """One line with the reason: no gateway, no broker, a bad file, options that do not go together."""
    (tmp_path / "e.jsonl").write_text('{"device":"office","run":"r","seq":1}\n')
    done = sensorpost("audit", "--input", "e.jsonl")
    assert done.returncode == 1
    assert (
        f"nothing to judge by: no gateway or spool on this machine, and no status of attic on {broker.url}"
        in done.stderr
    )
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    done = sensorpost("audit", "--input", "bad.csv")
    assert done.returncode == 1
    assert done.stderr.startswith("sensorpost: bad.csv:1: no column device")
    assert sensorpost("audit", "--input", "e.jsonl", "--for", "1s").returncode == 2
    assert sensorpost("audit", "--part").returncode == 2
    assert sensorpost("audit", "--input", "e.jsonl", "--column", "x=y").returncode == 2


@pytest.mark.long
def test_a_broker_that_cannot_be_reached(sensorpost: Sensorpost, tmp_path: Path) -> None:
    """It is tried for ten seconds; then one line says why there is no verdict."""
    (tmp_path / "sensorpost.toml").write_text(CONFIG.format(port=free_port()))
    done = sensorpost("audit", "--for", "1s", timeout=40)
    assert done.returncode == 1
    assert "not connected to" in done.stderr.splitlines()[-1]
