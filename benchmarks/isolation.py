"""What a process of its own costs a device: ``python benchmarks/isolation.py [READS [PROCESSES]]``.

The same mock driver in a thread and in a process, read in turns in one run (default 5000 reads each): how long a read
takes its reader, and what processor time all of it takes. Then so many processes (default 10) started at once: seconds
until each has opened its driver, and the memory that one costs.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from pathlib import Path

from gateway.clocks import SystemClock
from gateway.config.load import loads
from gateway.config.settings import DeviceSettings
from gateway.hardware.real import RealHardware
from gateway.reading.child import Child
from gateway.reading.home import Here, Home
from gateway.reading.memory import DeviceMemory
from gateway.reading.remote import Remote

CONFIG = '[gateway]\nid = "bench"\n[devices.bench]\ndriver = "mock"\n'


def processor(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> tuple[float, float]:
    """MiB that are resident, and MiB that would be free without this process."""
    facts = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    private = sum(int(facts[key].split()[0]) for key in ("Private_Clean", "Private_Dirty"))
    return int(facts["Rss"].split()[0]) / 1024, private / 1024


def see_off(child: Child) -> None:
    """Let a process end."""
    child.let_go()
    while child.tick():
        time.sleep(0.005)


def in_process(settings: DeviceSettings, child: Child) -> Home:
    """A home for a driver in that process."""
    return Remote(child, settings, DeviceMemory(settings.device, SystemClock()), threading.Event())


def reads(settings: DeviceSettings, count: int) -> None:
    """Print how long reads take."""
    stop, clock = threading.Event(), SystemClock()
    child = Child(settings.device, "real")
    here = Here(settings, RealHardware("bench"), clock, DeviceMemory("bench", clock), stop)
    homes = {"thread": here, "process": in_process(settings, child)}
    drivers = {name: home.new_driver() for name, home in homes.items()}
    took: dict[str, list[float]] = {name: [] for name in homes}
    ours, theirs = dict.fromkeys(homes, 0.0), processor(child.pid)
    for driver in drivers.values():
        driver.open()
    for _ in range(count):
        for name, home in homes.items():
            began, used = time.perf_counter(), time.process_time()
            home.check(drivers[name].read())
            took[name].append((time.perf_counter() - began) * 1e6)
            ours[name] += time.process_time() - used
    theirs = processor(child.pid) - theirs
    print(f"{count} reads each         p50 us   p99 us   max us   processor us (gateway + process)")
    for name, times in took.items():
        times.sort()
        extra = f" + {theirs / count * 1e6:.0f}" if name == "process" else ""
        figures = (statistics.median(times), times[len(times) * 99 // 100], times[-1])
        print(f"{name:<20}", *(f"{figure:8.0f}" for figure in figures), f"  {ours[name] / count * 1e6:8.0f}{extra}")
    see_off(child)


def starts(settings: DeviceSettings, number: int) -> None:
    """Print what starting costs, one by one and all at once, and what a process weighs."""
    single = []
    for _ in range(5):
        began = time.perf_counter()
        child = Child(settings.device, "real")
        spawned = time.perf_counter() - began
        in_process(settings, child).new_driver().open()
        single.append((time.perf_counter() - began, spawned))
        see_off(child)
    began = time.perf_counter()
    children = [Child(settings.device, "real") for _ in range(number)]
    for child in children:
        in_process(settings, child).new_driver().open()
    together = time.perf_counter() - began
    weights = [memory(child.pid) for child in children]
    for child in children:
        see_off(child)
    print(
        f"start, one by one: {statistics.median(one for one, _ in single) * 1000:.0f} ms until open has returned, ",
        end="",
    )
    print(f"{statistics.median(spawn for _, spawn in single) * 1000:.1f} ms of them in the gateway's main thread")
    print(f"start, {number} at once: {together * 1000:.0f} ms until all are open")
    print(
        "memory of one: {:.1f} MiB resident, {:.1f} MiB of its own".format(
            *map(statistics.median, zip(*weights, strict=True))
        )
    )


def main() -> None:
    """Print all of it."""
    given = [int(word) for word in sys.argv[1:]]
    (settings,) = loads(CONFIG).devices
    reads(settings, given[0] if given else 5000)
    starts(settings, given[1] if len(given) > 1 else 10)


if __name__ == "__main__":
    main()
