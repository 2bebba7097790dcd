"""Start, memory, processor time and lateness of the whole gateway: ``python benchmarks/footprint.py [DEVICES ...]``.

Starts mosquitto and the gateway with that many mock devices at 1 Hz (default 5, 100 and 1000), and prints seconds from
the start to the first reading at a subscriber, resident memory, processor time over 6 s, how late polls are, and how
long SIGTERM takes. Lateness is what the devices' statuses say after a minute: p50 and p99 of the device in the middle,
and p99 of the worst one. A row takes some 70 s.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

PORT = 18_931
POLLS = 50
"""A status counts once it is about so many polls: each device sends one a minute."""
PATIENCE = 75.0
ROOT = Path(__file__).resolve().parents[1]


def seconds_of_processor(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """Resident MiB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def lateness(statuses: IO[bytes], devices: int) -> tuple[float, float, float]:
    """In ms: p50 and p99 of the device in the middle, and the worst p99, once every device has told its own."""
    told: dict[str, dict[str, float]] = {}
    until = time.monotonic() + PATIENCE
    while len(told) < devices:
        if time.monotonic() > until:
            sys.exit(f"only {len(told)} of {devices} devices have said how late they are")
        line = statuses.readline()
        if not line:
            time.sleep(0.1)
            continue
        topic, _, payload = line.partition(b" ")
        status = json.loads(payload)
        if status["read"] >= POLLS:
            told[topic.decode()] = status["lateness_ms"]
    p99 = [late["p99"] for late in told.values()]
    return statistics.median(late["p50"] for late in told.values()), statistics.median(p99), max(p99)


def measure(folder: Path, devices: int) -> str:
    """One row of the table."""
    tables = "".join(f'[devices.m{number}]\ndriver = "mock"\n' for number in range(devices))
    head = f'[gateway]\nid = "bench"\n[mqtt]\nurl = "mqtt://127.0.0.1:{PORT}"\n[defaults]\ninterval = "1s"\n'
    (folder / "sensorpost.toml").write_text(head + tables)
    listen = ["mosquitto_sub", "-p", str(PORT), "-q", "1", "-R", "-t", "sensorpost/bench/+"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(folder / f"state-{devices}")}
    status = ["mosquitto_sub", "-p", str(PORT), "-q", "1", "-R", "-F", "%t %p", "-t", "sensorpost/bench/+/status"]
    told = folder / f"statuses-{devices}"
    with (
        told.open("wb") as sink,
        told.open("rb") as statuses,
        subprocess.Popen(listen, stdout=subprocess.PIPE) as ear,
        subprocess.Popen(status, stdout=sink) as second_ear,
    ):
        assert ear.stdout is not None
        time.sleep(0.3)
        began = time.monotonic()
        command = [sys.executable, "-m", "gateway", "run", "-c", str(folder / "sensorpost.toml")]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as gateway:
            ear.stdout.readline()
            first = time.monotonic() - began
            threading.Thread(target=ear.stdout.read, daemon=True).start()  # else the broker keeps all that follows
            time.sleep(6)
            used = seconds_of_processor(gateway.pid)
            time.sleep(6)
            used = seconds_of_processor(gateway.pid) - used
            memory = memory_of(gateway.pid)
            p50, p99, worst = lateness(statuses, devices)
            asked = time.monotonic()
            gateway.terminate()
            gateway.wait()
            ended = time.monotonic() - asked
        ear.terminate()
        second_ear.terminate()
    late = f"{p50:>7.1f} {p99:>7.1f} {worst:>9.1f}"
    return f"{devices:>7} {first:>15.2f} {memory:>7.1f} {used / 6 * 100:>6.1f} {late} {ended:>10.2f}"


def main() -> None:
    """Print the table."""
    if not shutil.which("mosquitto_sub"):
        sys.exit("apt install mosquitto mosquitto-clients")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "broker.conf").write_text(f"listener {PORT} 127.0.0.1\nallow_anonymous true\n")
        broker = ["mosquitto", "-c", str(folder / "broker.conf")]
        with subprocess.Popen(broker, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(0.3)
            print("devices  first reading s     MiB  cpu %  p50 ms  p99 ms  worst ms  SIGTERM s")
            for devices in [int(word) for word in sys.argv[1:]] or [5, 100, 1000]:
                print(measure(folder, devices))
            process.terminate()


if __name__ == "__main__":
    main()
