"""``sensorpost run``: the gateway against a real broker, started and stopped as people and systemd do."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Broker, Subscriber, free_port, wait_until

CONFIG = """
[gateway]
id = "attic"
[mqtt]
url = "mqtt://127.0.0.1:{port}"
[devices.fake]
driver = "mock"
interval = "50ms"
"""
LIVE = "sensorpost/attic/fake"
STATE = "sensorpost/attic/gateway/state"
Start = Callable[..., "subprocess.Popen[str]"]
Listen = Callable[..., Subscriber]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def configure(tmp_path: Path, port: int, more: str = "") -> None:
    """Write ./sensorpost.toml."""
    (tmp_path / "sensorpost.toml").write_text(CONFIG.format(port=port) + more)


def test_a_second_gateway_on_the_same_spool_and_a_look_through_the_first(
    *, tmp_path: Path, mosquitto: Broker, start: Start, subscriber: Listen, sensorpost: Run
) -> None:
    """The second is refused by name; ``read`` goes through the first, which has the port."""
    configure(tmp_path, mosquitto.port)
    ear = subscriber(mosquitto)
    process = start("run")
    ear.wait_for_count(1, lambda message: message.topic == LIVE, timeout=30)
    second = sensorpost("run")
    assert second.returncode == 1
    assert f"another gateway (process {process.pid}) uses this spool" in second.stderr.splitlines()[-1]
    assert "a mistake in sensorpost itself" not in second.stderr
    seen = sensorpost("read", "fake", "-n", "2", "--json")
    runs = {json.loads(text)["run"] for text in seen.stdout.splitlines()}
    assert runs == {ear.on(LIVE)[0].json()["run"]}
    text = sensorpost("read", "fake").stdout
    assert " fake temperature=" in text
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_run_until_a_signal(
    number: signal.Signals, code: int, *, tmp_path: Path, mosquitto: Broker, start: Start, subscriber: Listen
) -> None:
    """Readings come from 1 on; the signal ends it cleanly within the promised 10 s, with ``offline`` said."""
    configure(tmp_path, mosquitto.port)
    ear = subscriber(mosquitto)
    process = start("run")
    ear.wait_for_count(5, lambda message: message.topic == LIVE, timeout=30)
    process.send_signal(number)
    asked = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - asked < 10
    assert (out, process.returncode) == ("", code)
    assert "Traceback" not in err
    ear.wait_for(lambda message: message.topic == STATE and message.text == "offline")
    numbers = [message.json()["seq"] for message in ear.on(LIVE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_system_knows_every_thread_by_name(
    tmp_path: Path, mosquitto: Broker, start: Start, subscriber: Listen, sensorpost: Run
) -> None:
    """``top -H`` and ``ps -T`` show which thread is which, no more of them than ``check`` says."""
    configure(tmp_path, mosquitto.port, '[devices.greenhouse-north-07]\ndriver = "mock"\nisolation = "process"\n')
    ear = subscriber(mosquitto)
    process = start("run")
    ear.wait_for_count(1, lambda message: message.topic.endswith("attic/greenhouse-north-07"), timeout=30)
    names = sorted((task / "comm").read_text().strip() for task in Path(f"/proc/{process.pid}/task").iterdir())
    assert names == ["control", "dev:fake", "dev:gre~orth-07", "paho", "publisher", "sensorpost", "signals"]
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert Path(f"/proc/{child}/comm").read_text() == "dev:gre~orth-07\n"
    needs = json.loads(sensorpost("check", "--json").stdout)["needs"]
    inside = [*Path(f"/proc/{process.pid}/task").iterdir(), *Path(f"/proc/{child}/task").iterdir()]
    assert len(inside) <= needs["threads"]
    assert len(list(Path(f"/proc/{process.pid}/fd").iterdir())) <= needs["descriptors"]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_sigusr1_shows_what_every_thread_is_at(
    tmp_path: Path, mosquitto: Broker, start: Start, subscriber: Listen
) -> None:
    """With the device's state and the call that hangs, whatever the log's level; the gateway goes on."""
    more = """
[log]
level = "error"
[devices.stuck]
driver = "mock"
isolation = "thread"
timeout = "300ms"
faults = [{ kind = "hang", at = "50ms" }]
[devices.apart]
driver = "mock"
isolation = "process"
interval = "50ms"
"""
    configure(tmp_path, mosquitto.port, more)
    ear = subscriber(mosquitto)
    process = start("run")
    ear.wait_for_count(1, lambda message: message.topic.endswith("attic/apart"), timeout=20)
    stuck = "sensorpost/attic/stuck/status"
    ear.wait_for(lambda message: message.topic == stuck and message.json()["restarts"] > 0, timeout=20)
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGUSR1)
    os.kill(int(child), signal.SIGUSR1)
    before = len(ear.on(LIVE))
    ear.wait_for_count(before + 3, lambda message: message.topic == LIVE)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"; its driver is in process {child}\n" in err
    assert re.search(r"dev:fake \(thread \d+\): online for ", err)
    assert re.search(r"dev:stuck \(thread \d+\): left behind: its driver has not returned\n", err)
    assert re.search(r"dev:stuck \(thread \d+\): hung for .*(; in read for .*, limit 0.3 s)?\n", err)
    assert re.search(r'File ".*drivers/mock.py", line \d+, in Mock.read\n', err)
    assert "apart: lost" not in err


def test_run_for_a_while(tmp_path: Path, mosquitto: Broker, start: Start) -> None:
    """``--for`` stops it cleanly: exit 0; the log is on stderr, one line each."""
    configure(tmp_path, mosquitto.port)
    process = start("run", "--for", "2s")
    out, err = process.communicate(timeout=30)
    assert (out, process.returncode) == ("", 0)
    assert err.splitlines()[-1].endswith("stopped")


def test_what_waits_is_told_at_the_stop_and_at_the_next_start(tmp_path: Path, start: Start) -> None:
    """After a power cut somebody looks into the journal for just that number."""
    configure(tmp_path, free_port(), '[spool]\ndurability = "full"\n')
    _, first = start("run", "--for", "2s").communicate(timeout=30)
    (told,) = re.findall(r"stopped(; \d+ reading\(s\) wait for the broker)$", first.rstrip())
    _, second = start("run", "--for", "100ms").communicate(timeout=30)
    assert second.splitlines()[0].endswith(f": 1 device(s){told}")


def test_json_log(tmp_path: Path, start: Start) -> None:
    """``--json``: every line of the log is one object, also without a broker."""
    configure(tmp_path, free_port())
    process = start("run", "--for", "2s", "--json")
    _, err = process.communicate(timeout=30)
    entries = [json.loads(line) for line in err.splitlines()]
    assert {"time", "level", "logger", "message"} <= set(entries[0])
    assert any("connection refused" in entry["message"] for entry in entries)
    assert process.returncode == 0


def test_an_invalid_configuration(tmp_path: Path, start: Start) -> None:
    """Nothing is started: exit code 78 and the mistakes."""
    configure(tmp_path, 1, "intervall = 5\n")
    process = start("run")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 78
    assert "did you mean interval?" in err


def test_more_devices_than_a_process_can_have(tmp_path: Path, start: Start, sensorpost: Run) -> None:
    """Refused at the start before anything is touched, and at a reload with nothing changed: exit code 78."""
    configure(tmp_path, free_port())
    one = (tmp_path / "sensorpost.toml").read_text()
    line = '[devices.p{0}]\ndriver = "serial_line"\nfields = [{{ name = "a" }}]\nport = "/dev/tty{0}"\n'
    many = one + "".join(line.format(number) for number in range(200))
    (tmp_path / "sensorpost.toml").write_text(many)
    process = start("run")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 78
    assert err.splitlines()[-1].startswith("sensorpost.toml: devices: 201 devices need 1192 file descriptors, and ")
    assert not (tmp_path / "state" / "spool.db").exists()
    (tmp_path / "sensorpost.toml").write_text(one)
    process = start("run")
    wait_until((tmp_path / "state" / "control.sock").exists, 30)
    (tmp_path / "sensorpost.toml").write_text(many)
    done = sensorpost("reload")
    assert done.returncode == 78
    assert "201 devices need 1192 file descriptors" in done.stderr
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_warnings_of_the_configuration_are_logged(tmp_path: Path, start: Start) -> None:
    """A plain password is worth a line at every start."""
    (tmp_path / "sensorpost.toml").write_text(
        f'[mqtt]\nurl = "mqtt://127.0.0.1:{free_port()}"\nusername = "u"\npassword = "secret"\n'
        '[devices.fake]\ndriver = "mock"\n'
    )
    process = start("run", "--for", "100ms")
    _, err = process.communicate(timeout=30)
    assert any(" warning " in line and "password" in line for line in err.splitlines())
    assert "secret" not in err.replace("[mqtt]", "")
