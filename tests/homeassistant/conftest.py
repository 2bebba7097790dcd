"""One Home Assistant and one broker for all tests of this folder, a gateway of its own for each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.brokers import Mosquitto
from support.home_assistant import HomeAssistant

ROOT = Path(__file__).resolve().parents[2]
FILE_DRIVER = '''"""What a file says."""

import json

from gateway.driver import Channel, DeviceUnavailable, Driver, option, options


@options
class Options:
    path: str = option(help="a JSON object")


class Filed(Driver[Options]):
    manufacturer = "Acme"
    model = "F 1"
    options_type = Options
    interval = "200ms"
    channels = (
        Channel("temperature", "°C", "temperature", precision=1),
        Channel("energy", "kWh", "energy"),
        Channel("door", device_class="door", type=bool),
        Channel("mode", type=str, choices=("eco", "boost")),
        Channel("note", type=str),
    )

    def read(self):
        try:
            with open(self.options.path, encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError) as error:
            raise DeviceUnavailable("the file is gone") from error
'''
CARD_DRIVER = '''"""Tags that a file lists."""

from pathlib import Path

from gateway.driver import TagDriver, TagOptions, option, options


@options
class Options(TagOptions):
    path: str = option(help="one tag a line")


class Cards(TagDriver[Options]):
    options_type = Options
    interval = "100ms"

    def read(self):
        path = Path(self.options.path)
        return [{"tag": line} for line in path.read_text().split()] if path.exists() else None
'''


class Gateway:
    """A gateway with an id of its own; its devices read what the test writes into files."""

    def __init__(self, folder: Path, name: str, broker: Mosquitto) -> None:
        self.folder, self.id = folder, name
        self._url = broker.url
        self._process: subprocess.Popen[bytes] | None = None
        own = folder / "own"
        own.mkdir()
        (own / "filed.py").write_text(FILE_DRIVER)
        (own / "cards.py").write_text(CARD_DRIVER)

    def configure(self, devices: str) -> None:
        """Write the configuration; ``PATH`` is the folder of the files."""
        head = f'[gateway]\nid = "{self.id}"\nclock = "trusted"\ndrivers_dir = "own"\n[mqtt]\nurl = "{self._url}"\n'
        text = f"{head}[homeassistant]\ndiscovery = true\n{devices}"
        (self.folder / "sensorpost.toml").write_text(text.replace("PATH", str(self.folder)))

    def write(self, name: str, content: object) -> None:
        """What a device reads from now on."""
        path = self.folder / name
        fresh = path.with_suffix(".new")
        fresh.write_text(content if isinstance(content, str) else json.dumps(content))
        fresh.replace(path)

    def start(self) -> None:
        """Start it."""
        with (self.folder / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "run"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(self.folder / "state")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send a signal; wait for its end where it is one that ends it."""
        assert self._process is not None
        self._process.send_signal(number)
        if number != signal.SIGHUP:
            self._process.wait(30)
            self._process = None

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self.signal()

    def key(self, *parts: str) -> str:
        """A unique id or an identifier of this gateway."""
        return "/".join(("sensorpost", self.id, *parts))


Fresh = tuple[HomeAssistant, Gateway, Mosquitto]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker that keeps nothing over a restart."""
    made = Mosquitto(tmp_path_factory.mktemp("broker"))
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto
) -> Iterator[HomeAssistant]:
    """A Home Assistant that runs."""
    made = HomeAssistant(request.config.getoption("--home-assistant"), tmp_path_factory.mktemp("home"), broker.port)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def gateway(tmp_path: Path, request: pytest.FixtureRequest, broker: Mosquitto) -> Iterator[Gateway]:
    """A gateway that is configured and started by the test."""
    made = Gateway(tmp_path, name_for(request), broker)
    yield made
    made.stop()


@pytest.fixture
def fresh(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Fresh]:
    """A Home Assistant, a gateway and a broker for a test that stops them."""
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    home = HomeAssistant(request.config.getoption("--home-assistant"), tmp_path / "home", broker.port)
    gateway = Gateway(tmp_path, name_for(request), broker)
    try:
        home.start()
        yield home, gateway, broker
    finally:
        gateway.stop()
        home.stop()
        broker.kill()


def name_for(request: pytest.FixtureRequest) -> str:
    """A gateway id for a test."""
    name: str = request.node.name
    return name.removeprefix("test_").partition("[")[0][:40].replace("_", "-")


@pytest.fixture
def show(request: pytest.FixtureRequest) -> Callable[[str, dict[str, Any]], None]:
    """Keep what Home Assistant knows as JSON, where ``SENSORPOST_SHOW`` names a folder."""

    def keep(name: str, now: dict[str, Any]) -> None:
        if folder := os.environ.get("SENSORPOST_SHOW"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f"{name}.json").write_text(json.dumps(now, indent=1, ensure_ascii=False))

    return keep
