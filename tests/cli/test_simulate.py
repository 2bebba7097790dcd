"""``run --simulate`` and ``read --simulate``: the same configuration without a sensor, port or library."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Broker, Subscriber, wait_until

from gateway.config.load import load

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """
[gateway]
id = "attic"
[mqtt]
url = "mqtt://127.0.0.1:{port}"
[homeassistant]
discovery = true
[devices.scale]
driver = "serial_line"
port = "/dev/serial/by-id/no-such-scale"
fields = [{{ name = "weight", unit = "kg", device_class = "weight" }}]
[devices.apart]
driver = "serial_line"
port = "/dev/no-such-port"
isolation = "process"
fields = [{{ name = "level" }}]
[devices.pi]
driver = "system"
interval = "500ms"
[devices.own]
driver = "lamp"
interval = "500ms"
"""
LAMP = '''"""A lamp on a pin."""

from gateway.driver import Channel, Driver


class Lamp(Driver):
    """Tells whether it is lit."""

    channels = (Channel("lit", type=bool),)

    def open(self):
        self.pin = self.gpio(17)

    def read(self):
        return {"lit": self.pin.value}
'''
MODEL = """def attach(world, options):
    world.pin(17).set(True)
    return world.pin(17)
"""
Start = Callable[..., "subprocess.Popen[str]"]
Listen = Callable[..., Subscriber]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., None]:
    """Write ./sensorpost.toml, and a driver of one's own, with its model or without."""

    def write(port: int = 1, *, model: bool = True, more: str = "") -> None:
        text = CONFIG.format(port=port).replace('id = "attic"', 'id = "attic"\ndrivers_dir = "mine"')
        (tmp_path / "sensorpost.toml").write_text(text + more)
        (tmp_path / "mine" / "simulation").mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / "lamp.py").write_text(LAMP)
        if model:
            (tmp_path / "mine" / "simulation" / "lamp.py").write_text(MODEL)

    return write


def test_a_whole_gateway(
    *, tmp_path: Path, mosquitto: Broker, start: Start, subscriber: Listen, configure: Callable[..., None]
) -> None:
    """Under another id, with all devices; a reload is simulated as well; nothing stays, and nobody is told of it."""
    configure(mosquitto.port)
    ear = subscriber(mosquitto)
    process = start("run", "--simulate")
    base = "sensorpost/attic-sim"
    for device in ("scale", "apart", "pi", "own"):
        ear.wait_for_count(1, lambda message, topic=f"{base}/{device}": message.topic == topic, timeout=20)
    assert ear.on(f"{base}/own")[-1].json()["lit"] is True
    configure(
        mosquitto.port, more='[devices.later]\ndriver = "serial_line"\nport = "/dev/y"\nfields = [{ name = "a" }]\n'
    )
    process.send_signal(signal.SIGHUP)
    ear.wait_for_count(1, lambda message: message.topic == f"{base}/later", timeout=20)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    said = next(line for line in err.splitlines() if "simulated hardware, as attic-sim, state in " in line)
    folder = Path(said.partition("state in ")[2].split()[0])
    assert folder.name.startswith("sensorpost-sim-")
    assert not folder.exists()
    assert "no model" not in err
    assert "Traceback" not in err
    assert not (tmp_path / "state" / "spool.db").exists()
    assert [message.topic for message in ear.messages if not message.topic.startswith(f"{base}/")] == []


def test_as_real(
    *, tmp_path: Path, mosquitto: Broker, start: Start, subscriber: Listen, configure: Callable[..., None]
) -> None:
    """Under its own id and with its own state, and told at the start."""
    configure(mosquitto.port)
    ear = subscriber(mosquitto)
    process = start("run", "--simulate", "--as-real")
    ear.wait_for_count(1, lambda message: message.topic == "sensorpost/attic/own", timeout=20)
    wait_until((tmp_path / "state" / "spool.db").exists)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert "simulated hardware, with its own id, state and discovery" in err


def test_read(sensorpost: Run, configure: Callable[..., None]) -> None:
    """One device, in a thread or in a process, without a broker."""
    configure()
    for device, key in (("scale", "weight"), ("apart", "level"), ("own", "lit")):
        done = sensorpost("read", device, "--simulate", "--json")
        assert (done.returncode, done.stderr) == (0, "simulated hardware\n")
        assert json.loads(done.stdout)[key] is not None


def test_without_a_model(sensorpost: Run, configure: Callable[..., None]) -> None:
    """Made-up values stand in, and one line says so and what to do."""
    configure(model=False)
    done = sensorpost("read", "own", "--simulate", "--json")
    assert isinstance(json.loads(done.stdout)["lit"], bool)
    assert done.stderr == (
        "simulated hardware; no model of lamp: made-up values stand in for it; "
        "a model is one file, docs/simulation.md shows how\n"
    )


def test_as_real_alone_is_a_mistake(sensorpost: Run, configure: Callable[..., None]) -> None:
    """It says for what it is."""
    configure()
    done = sensorpost("run", "--as-real")
    assert done.returncode == 2
    assert "--as-real is for --simulate" in done.stderr


@pytest.mark.slow
def test_one_device_of_each_driver(tmp_path: Path, mosquitto: Broker, subscriber: Listen, start: Start) -> None:
    """The example has all bundled drivers, and each of them brings readings."""
    text = (ROOT / "config" / "examples" / "one-of-each.toml").read_text()
    (tmp_path / "each.toml").write_text(text.replace("mqtt://localhost:1883", mosquitto.url))
    settings = load(tmp_path / "each.toml")
    bundled = {path.stem for path in (ROOT / "drivers").glob("*.py")} - {"__init__"}
    assert {device.driver for device in settings.devices} == bundled
    listener = subscriber(mosquitto, "sensorpost/bench-sim/+")
    gateway = start("run", "-c", "each.toml", "--simulate", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wanted = {f"sensorpost/bench-sim/{device.device}" for device in settings.devices}
    wait_until(lambda: wanted <= {message.topic for message in listener.messages}, 40.0, "a reading of each")
    gateway.terminate()
    assert gateway.wait(30) == 0
