"""Secrets of a running gateway: not in its log, errors, status, stacks, the process list, or its files."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.fake_broker import FakeBroker
from support.fake_script import Script
from support.faults import GatewayProcess, config
from support.faults.gateway_process import environment
from support.waiting import wait_until

MakeBroker = Callable[..., FakeBroker]
MakeGateway = Callable[[str], GatewayProcess]
PASSWORD = "hunter2-is-the-password"
SALT = "a-salt-that-nobody-should-see-0123456789"
DEVICES = f"""
[devices.a]
driver = "mock"
interval = "100ms"
isolation = "process"
[devices.bug]
driver = "mock"
interval = "100ms"
isolation = "process"
faults = [{{ kind = "raise", error = "ZeroDivisionError" }}]
[devices.tags]
driver = "rdm6300"
port = "/dev/ttyNOPE"
hash_salt = "{SALT}"
[devices.apart]
driver = "rdm6300"
port = "/dev/ttyNONE"
isolation = "process"
hash_salt = "{SALT}"
"""


def processes(pid: int) -> list[Path]:
    """A process and its children, as folders of /proc."""
    own = Path(f"/proc/{pid}")
    children = " ".join(path.read_text() for path in own.glob("task/*/children"))
    return [own, *(Path(f"/proc/{child}") for child in children.split())]


@pytest.mark.parametrize("level", ["debug"])
def test_a_password_shows_nowhere(fake: MakeBroker, make_gateway: MakeGateway, level: str) -> None:
    """At level debug, refused by the broker, with a bug in a driver, asked for stacks, and aborted in the end."""
    broker = fake(Script(connack=0x86), Script(connack=0x86), Script())
    mqtt = f'username = "pi"\npassword = "{PASSWORD}"'
    gateway = make_gateway(config(broker.port, DEVICES, mqtt=mqtt, more=f'[log]\nlevel = "{level}"\n'))
    gateway.config_file.chmod(0o600)
    gateway.start()
    broker.wait_for(lambda: broker.on("sensorpost/fault/a"), 40.0)
    gateway.wait_log("ZeroDivisionError", 20.0)
    gateway.signal(signal.SIGUSR1)
    gateway.wait_log("publisher", 20.0)
    listed = b"".join((folder / "cmdline").read_bytes() for folder in processes(gateway.pid))
    gateway.signal(signal.SIGABRT)
    wait_until(lambda: not gateway.running, 20.0)
    published = b"".join(publish.topic.encode() + publish.payload for publish in broker.publishes)
    kept = b"".join(path.read_bytes() for path in gateway.state_dir.iterdir() if path.is_file())
    log = gateway.log(whole=True)
    assert "refused" in log
    for secret in (PASSWORD, SALT):
        assert secret not in log
        for place in (published, listed, kept):
            assert secret.encode() not in place


@pytest.mark.parametrize(
    "command", ["check", "check --json", "read tags", "drivers --json", "spool status", "top -n 1", "doctor"]
)
@pytest.mark.parametrize(
    "broken", ["", "[mqtt]\nwindow = 0\n", "[devices.x]\ndriver = 7\n"], ids=["", "window", "type"]
)
def test_commands_tell_no_secret(tmp_path: Path, command: str, broken: str) -> None:
    """With a valid configuration and with mistakes in it, whatever they answer."""
    text = config(1, DEVICES, mqtt=f'username = "pi"\npassword = "{PASSWORD}"')
    path = tmp_path / "sensorpost.toml"
    path.write_text(text + (broken if "mqtt" not in broken else "") + "\n")
    if "mqtt" in broken:
        path.write_text(text.replace("[mqtt]\n", "[mqtt]\nwindow = 0\n", 1))
    words = [*command.split(), "-c", str(path)]
    more = ["--timeout", "200ms"] if command.startswith("read") else []
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *words, *more],
        env=environment(tmp_path, STATE_DIRECTORY=str(tmp_path / "state")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert said
    assert "Traceback" not in said
    assert PASSWORD not in said
    assert SALT not in said
