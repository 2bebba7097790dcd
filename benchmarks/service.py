"""What the gateway costs as a service: ``python benchmarks/service.py [--minutes 5] [--only MODE/BROKER] ...``.

20 devices (service.toml) on simulated hardware, in each durability mode, with a broker that answers and with none. The
first minute does not count: it has the start in it. Then for as long as is said, once a second: resident memory (the
system's peak, and PSS, which has its share of what other programs use too), processor time, and what is written:

- handed over: what the publisher has given to the system for the spool (as ``written_bytes`` of ``gateway/health``)
- to disk: what the system has sent to the disk for this process, in whole blocks (proc(5), ``write_bytes``)

The state directory has to be on a disk, for ``write_bytes`` counts nothing on a tmpfs. Runs go one after the other, or
with ``--together`` beside each other. A day is what was measured, multiplied. The models of the simulation are in the
memory and the time that are told.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = Path(__file__).with_suffix(".toml")
MODES = ("full", "auto", "spill", "memory")
BROKERS = ("answers", "away")
WARM_UP = 60.0
DAY = 86_400
POINTS = 12
"""Resident memory is told so often, evenly spaced: whether it levels off."""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def number_in(path: Path, key: str) -> int:
    """The number behind ``key:`` in a file of /proc."""
    return next(int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(key))


def processor(pid: int) -> float:
    """Seconds of processor time, with those of children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def top(path: Path) -> Iterator[dict[str, Any]]:
    """What the gateway says of its devices over its control socket."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        sock.sendall(b'{"verb":"top"}\n')
        with sock.makefile("rb") as lines:
            for line in lines:
                yield from json.loads(line).get("devices", ())


def handed_over(pid: int) -> int:
    """What the publisher's thread has written to files."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        if (thread / "comm").read_text().strip() == "publisher":
            return number_in(thread / "io", "wchar")
    sys.exit("the gateway has no publisher")


def look(pid: int, state: Path) -> dict[str, float]:
    """How things stand."""
    proc = Path(f"/proc/{pid}")
    devices = list(top(state / "control.sock"))
    return {
        "at": time.monotonic(),
        "processor": processor(pid),
        "rss": number_in(proc / "status", "VmRSS") / 1024,
        "pss": number_in(proc / "smaps_rollup", "Pss:") / 1024,
        "peak": number_in(proc / "status", "VmHWM") / 1024,
        "threads": number_in(proc / "status", "Threads"),
        "disk": number_in(proc / "io", "write_bytes"),
        "spool": handed_over(pid),
        "read": sum(device["read"] for device in devices),
        "queued": sum(device["queued"] for device in devices),
    }


def measure(folder: Path, mode: str, broker: str, port: int, seconds: float) -> str:
    """One row of the table."""
    home = folder / f"{mode}-{broker}"
    state = home / "state"
    state.mkdir(parents=True)
    head = f'[mqtt]\nurl = "mqtt://127.0.0.1:{port}"\nclient_id = "{mode}-{broker}"\n[spool]\ndurability = "{mode}"\n'
    (home / "sensorpost.toml").write_text(head + CONFIGURATION.read_text())
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(state)}
    environment.pop("RUNTIME_DIRECTORY", None)
    command = [sys.executable, "-m", "gateway", "run", "--simulate", "--as-real", "-c", str(home / "sensorpost.toml")]
    with (home / "log").open("wb") as log, subprocess.Popen(command, env=environment, stderr=log) as gateway:
        try:
            time.sleep(min(WARM_UP, seconds))
            first = last = look(gateway.pid, state)
            curve = [first["rss"]]
            while last["at"] - first["at"] < seconds:
                time.sleep(1)
                last = look(gateway.pid, state)
                if last["at"] - first["at"] >= len(curve) * seconds / POINTS:
                    curve.append(last["rss"])
        finally:
            gateway.terminate()
            gateway.wait(20)
    took = last["at"] - first["at"]

    def a_day(key: str, unit: float = 1e6) -> float:
        return (last[key] - first[key]) * DAY / took / unit

    return (
        f"{mode:<7} {broker:<8} {first['rss']:>7.1f} {last['rss']:>7.1f} {last['pss']:>7.1f} {last['peak']:>7.1f} "
        f"{a_day('processor', DAY) * 100:>6.1f} {last['threads']:>7.0f} {a_day('read', 1):>8.0f} "
        f"{last['queued']:>7.0f} {a_day('spool'):>11.1f} {a_day('disk'):>11.1f}\n"
        f"        resident: {' '.join(f'{rss:.1f}' for rss in curve)}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What the gateway costs as a service.")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long each run is measured")
    parser.add_argument("--only", action="append", help="such as full/away; can be given several times")
    parser.add_argument("--together", type=int, default=1, help="so many runs at a time")
    parser.add_argument("--folder", type=Path, help="where the spools are; default: a temporary one")
    given = parser.parse_args()
    rows = given.only or [f"{mode}/{broker}" for mode in MODES for broker in BROKERS]
    with tempfile.TemporaryDirectory(dir=given.folder) as name, contextlib.ExitStack() as stack:
        folder, port = Path(name), free_port()
        (folder / "broker.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        broker = stack.enter_context(
            subprocess.Popen(["mosquitto", "-c", str(folder / "broker.conf")], stderr=subprocess.DEVNULL)
        )
        stack.callback(broker.terminate)
        nobody = free_port()
        print("                   MiB resident             MiB    cpu         readings               MB a day")
        print(
            "mode    broker     begin     end     pss    peak      % threads    a day  queued  handed over     to disk"
        )
        with ThreadPoolExecutor(given.together) as pool:
            for row in pool.map(
                lambda row: measure(
                    folder, *row.split("/"), port if row.endswith("answers") else nobody, given.minutes * 60
                ),
                rows,
            ):
                print(row, flush=True)


if __name__ == "__main__":
    main()
