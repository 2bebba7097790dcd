"""Real brokers on loopback ports: mosquitto, and nats-server from its wheel."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from support.capabilities import program
from support.share import free_port

START_LIMIT = 10.0
"""Seconds that a broker may take to listen. They take some 0.02 (mosquitto) and 0.2 (nats-server)."""


class Broker:
    """One broker process in a folder of its own. It keeps its port over ``stop``/``kill`` and ``start``."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._log = folder / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What ``[mqtt] url`` is set to."""
        return f"mqtt://{self.host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the process is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None, "the broker was not started"
        return self._process.pid

    def start(self) -> None:
        """Start it and return when it listens."""
        assert not self.running, "the broker is running already"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_LIMIT
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{self._command()} does not listen on {self.port}:\n{self.log()[-2000:]}")
            time.sleep(0.005)

    def stop(self) -> None:
        """End it as systemd does, with SIGTERM; return when it has gone."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once with SIGKILL."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """``stop`` and ``start``."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and are accepted by the kernel, nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def send_signal(self, number: int) -> None:
        """Send a signal: mosquitto reads its files again at SIGHUP, and writes its database at SIGUSR1."""
        assert self._process is not None
        self._process.send_signal(number)

    def log(self) -> str:
        """What it has written so far, over all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1.0):
            return True
        return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)  # a paused process takes SIGTERM only then
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class Mosquitto(Broker):
    """Mosquitto: MQTT 5 and 3.1.1. ``lines`` are added to its configuration and replace the defaults of the same key.

    ``lines`` are for the main listener unless they begin another one. Its log says everything, packets included.
    """

    def __init__(self, folder: Path, *lines: str) -> None:
        super().__init__(folder)
        self.lines = lines

    def _command(self) -> list[str]:
        given = {line.split()[0] for line in self.lines if line.strip()}
        defaults = {
            "user": "root",  # started as root it would become a user who may not write here; else this is ignored
            "persistence": "false",
            "persistence_location": f"{self.folder}/",
            "log_dest": "stderr",
            "log_type": "all",
            "set_tcp_nodelay": "true",
            "listener": f"{self.port} {self.host}",
            "allow_anonymous": "true",
        }
        config = self.folder / "mosquitto.conf"
        text = [f"{key} {value}" for key, value in defaults.items() if key not in given or key == "listener"]
        config.write_text("\n".join([*text, *self.lines]) + "\n")
        return [program("mosquitto") or "mosquitto", "-c", str(config)]


class Nats(Broker):
    """nats-server with JetStream and its MQTT 3.1.1 listener. What it stores lives in its folder over restarts."""

    def _command(self) -> list[str]:
        config = self.folder / "nats.conf"
        config.write_text(
            f'server_name: test\nlisten: "{self.host}:-1"\n'
            f'jetstream {{ store_dir: "{self.folder}/js" }}\n'
            f'mqtt {{ listen: "{self.host}:{self.port}" }}\n'
        )
        return [str(Path(sys.executable).parent / "nats-server"), "-c", str(config)]
