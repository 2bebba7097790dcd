"""A gateway with readers of tags whose tags are words in a file, and a broker that it talks to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.brokers import Broker
from support.faults.gateway_process import GatewayProcess, environment
from support.subscriber import Message, Subscriber

DRIVER = '''"""Tags that are words in a file."""
from pathlib import Path
from gateway.driver import DeviceUnavailable, TagDriver, TagOptions, option, options

@options
class Options(TagOptions):
    path: str = option(help="the file")

class Table(TagDriver[Options]):
    options_type = Options
    interval = "50ms"

    def read(self):
        words = Path(self.options.path).read_text().split()
        if words in (["exit"], ["hang"]):
            Path(self.options.path).write_text("04a2")
            import os, time
            time.sleep(3) if words == ["hang"] else os._exit(3)
        return [{"tag": word} for word in words]
'''
HEAD = """
[gateway]
id = "attic"
clock = "trusted"
drivers_dir = "own"
[mqtt]
url = "{url}"
"""


class TagTable:
    """One reader, called door. ``keys`` are added to its table."""

    def __init__(self, folder: Path, broker: Broker, keys: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "on-the-reader"
        self.put()
        (folder / "own").mkdir()
        (folder / "own" / "table.py").write_text(DRIVER)
        self._head = HEAD.format(url=broker.url)
        self.gateway = GatewayProcess(folder, self._head + self._device(keys))
        self._broker = broker
        self._subscriber: Subscriber | None = None

    def start(self) -> None:
        """Start listening, then the gateway."""
        self._subscriber = Subscriber(self._broker.port, ["sensorpost/attic/#"])
        self.gateway.start()

    def close(self) -> None:
        """End both."""
        self.gateway.kill()
        if self._subscriber is not None:
            self._subscriber.close()

    def put(self, *tags: str) -> None:
        """What lies on the reader from now on."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(" ".join(tags))
        fresh.replace(self.file)

    def configure(self, keys: str) -> None:
        """Change the device and reload."""
        self.gateway.rewrite(self._device(keys))
        self.command("reload")

    def command(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run one that succeeds."""
        state = {"STATE_DIRECTORY": str(self.gateway.state_dir)}
        done = subprocess.run(
            [sys.executable, "-m", "gateway", *args, "-c", str(self.gateway.config_file)],
            env={**environment(self.gateway.folder), **state},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def events(self, count: int, timeout: float = 20.0) -> list[dict[str, Any]]:
        """Wait for so many events in all, live or late; all that have come, without what every reading has."""
        assert self._subscriber is not None
        self._subscriber.wait_for_count(
            count, lambda message: message.topic.startswith("sensorpost/attic/door") and _events(message), timeout
        )
        found = [event for message in self._subscriber.messages for event in _events(message)]
        return [{key: value for key, value in event.items() if key not in ("time", "run", "seq")} for event in found]

    def newest(self, topic: str) -> dict[str, Any]:
        """What the gateway said last on a topic of its own."""
        assert self._subscriber is not None
        self._subscriber.wait_for(lambda message: message.topic == f"sensorpost/attic/{topic}")
        found: dict[str, Any] = self._subscriber.on(f"sensorpost/attic/{topic}")[-1].json()
        return found

    def _device(self, keys: str) -> str:
        return f'[devices.door]\ndriver = "table"\npath = "{self.file}"\n{keys}\n'


def _events(message: Message) -> list[dict[str, Any]]:
    if message.topic == "sensorpost/attic/door":
        return [message.json()]
    return list(json.loads(message.text)) if message.topic == "sensorpost/attic/door/history" else []
