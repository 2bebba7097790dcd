"""Live latency, and a backlog beside it: ``PYTHONPATH=. python benchmarks/backlog.py [READINGS]``.

Fills the spool of an earlier run with that many readings of 100 devices (default 360000: an hour at 100/s), then starts
mosquitto and the gateway with 100 mock devices at 1 Hz and listens. Printed are readings a second on the history
topics, and the milliseconds from ``time`` in a live reading (when ``read`` returned) to its arrival here, while the
backlog drains and afterwards; and the gateway's resident memory on the way. One process listens on the same machine, so
its own delay is in the figures.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.clocks import SystemClock
from gateway.delivery.payload import rfc3339
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Durability, Row
from gateway.driver import Kind
from gateway.status.alarms import Alarms

PORT = 18_933
ROOT = Path(__file__).resolve().parents[1]
DEVICES = 100
QUIET = 15.0
"""Seconds of listening after the backlog has gone."""


def fill(path: Path, count: int) -> None:
    """The spool of a run that had no broker."""
    clock = SystemClock()
    spool = Spool(
        Disk(path, clock, Alarms(lambda: None)),
        clock,
        run="outage",
        boot_id="an earlier boot",
        exact=True,
        max_bytes=10**10,
        memory_bytes=10**9,
    )
    wall_ns = time.time_ns() - count * 10_000_000
    for start in range(0, count, 1000):
        rows = []
        for number in range(start, min(count, start + 1000)):
            device, seq, at = f"m{number % DEVICES}", number // DEVICES + 1, wall_ns + number * 10_000_000
            body = f'{{"time":"{rfc3339(at)}","run":"outage","seq":{seq},"temperature":21.5,"humidity":40.2}}'
            row = Row(
                number + 1,
                device,
                "outage",
                seq,
                Kind.SAMPLED,
                f"sensorpost/bench/{device}",
                True,
                False,
                body.encode(),
                1,
            )
            row.wall_ns, row.durability = at, Durability.FULL
            rows.append(row)
        spool.accept(rows)
        spool.demote(rows)
    spool.close()


class Ear:
    """Listens and takes the time."""

    def __init__(self) -> None:

        self.history = 0
        self.first = self.last = 0.0
        self.late: list[tuple[float, float]] = []
        """When a live reading came, and how old it was in milliseconds."""
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [("sensorpost/bench/+", 1), ("sensorpost/bench/+/history", 1)]
        )
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", PORT)
        self._client.loop_start()
        self._ready.wait()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        now = time.time()
        value = json.loads(message.payload)
        if isinstance(value, list):
            self.history += len(value)
            self.last = time.monotonic()
            self.first = self.first or self.last
        elif value["run"] != "outage":
            at = dt.datetime.fromisoformat(value["time"]).timestamp()
            self.late.append((time.monotonic(), (now - at) * 1000))

    def close(self) -> None:
        """End it."""
        self._client.disconnect()
        self._client.loop_stop()


def percentiles(values: list[float]) -> str:
    """Median, 99th percentile and the greatest."""
    ordered = sorted(values)
    picked = [ordered[int((len(ordered) - 1) * part)] for part in (0.5, 0.99, 1.0)]
    return f"{len(ordered):>6} live readings: p50 {picked[0]:.1f} ms, p99 {picked[1]:.1f} ms, max {picked[2]:.1f} ms"


def memory_of(pid: int) -> float:
    """Resident MiB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 360_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        fill(folder / "state" / "spool.db", count)
        size = (folder / "state" / "spool.db").stat().st_size
        print(f"filled with {count} readings in {time.monotonic() - began:.1f} s, {size / 1e6:.0f} MB")
        tables = "".join(f'[devices.m{number}]\ndriver = "mock"\n' for number in range(DEVICES))
        (folder / "sensorpost.toml").write_text(
            f'[gateway]\nid = "bench"\nclock = "trusted"\n[mqtt]\nurl = "mqtt://127.0.0.1:{PORT}"\n'
            f'[spool]\nmax_size = "4GB"\n[defaults]\ninterval = "1s"\ndurability = "full"\n{tables}'
        )
        (folder / "broker.conf").write_text(f"listener {PORT} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
        command = [sys.executable, "-m", "gateway", "run", "-c", str(folder / "sensorpost.toml")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(folder / "state")}
        with subprocess.Popen(["mosquitto", "-c", str(folder / "broker.conf")], stderr=subprocess.DEVNULL) as broker:
            time.sleep(0.3)
            ear = Ear()
            with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as gateway:
                memory: list[float] = []
                while ear.history < count:
                    time.sleep(0.5)
                    memory.append(memory_of(gateway.pid))
                drained = time.monotonic()
                time.sleep(QUIET)
                gateway.terminate()
            ear.close()
            broker.terminate()
        took = ear.last - ear.first
        print(f"drained in {took:.1f} s: {count / took:.0f} readings/s")
        print(f"meanwhile {percentiles([age for at, age in ear.late if at < drained])}")
        print(f"afterwards {percentiles([age for at, age in ear.late if at > drained + 1])}")
        print(f"memory from {min(memory):.1f} to {max(memory):.1f} MiB")


if __name__ == "__main__":
    main()
