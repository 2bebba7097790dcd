"""The whole scan: every kind of bus in a thread of its own, so that no trouble of one hides the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from gateway import threads
from gateway.hardware.gpio_kernel import Chip
from gateway.hardware.gpio_kernel import chips as kernel_chips
from gateway.hardware.protocols import Hardware
from gateway.hardware.real import RealHardware
from gateway.scan import i2c, kernel, onewire, pins, serial, spi
from gateway.scan.finding import Finding, Place, nothing, settled
from gateway.scan.tree import Tree

KINDS = ("serial", "i2c", "spi", "onewire", "kernel", "gpio")
"""What can be left out."""
PATIENCE = 4.0
"""Seconds that the whole scan may take."""


@dataclass
class _Job:
    """One bus that is looked at."""

    bus: str
    where: str
    look: Callable[[list[Finding]], object]
    found: list[Finding] = field(default_factory=list)

    def run(self) -> None:
        """In a thread."""
        try:
            self.look(self.found)
        except Exception as error:  # noqa: BLE001 (whatever it is, the other buses are to be seen)
            text = " ".join(str(error).split())
            self.found.append(nothing(self.bus, f"not looked at: {type(error).__name__}: {text}", where=self.where))


def survey(
    tree: Tree | None = None,
    hardware: Callable[[str], Hardware] = RealHardware,
    chips: Callable[[], Sequence[Chip]] = kernel_chips,
    *,
    taken: Mapping[Place, str] | None = None,
    names: Collection[str] = (),
    skip: Collection[str] = (),
    patience: float = PATIENCE,
) -> list[Finding]:
    """Everything that is found, and why something is not.

    ``hardware`` opens buses for one user each, by name. ``taken``: places of the configured devices, ``names``: their
    names. A bus that has not answered after ``patience`` seconds is told, and left behind.
    """
    tree = tree or Tree(Path("/"))
    taken = taken or {}
    jobs = _jobs(tree, hardware, chips, taken.__contains__, skip)
    running = [threads.start(f"scan {job.bus}", job.run) for job in jobs]
    deadline = time.monotonic() + patience
    findings = [finding for job, thread in zip(jobs, running, strict=True) for finding in _end(job, thread, deadline)]
    return settled(findings, taken, names)


def _end(job: _Job, thread: Thread, deadline: float) -> list[Finding]:
    thread.join(max(0.0, deadline - time.monotonic()))
    found = list(job.found)
    if thread.is_alive():
        hint = "power what is connected to it off and on"
        found.append(nothing(job.bus, "does not answer in time; what was found until then is above", hint, job.where))
    return found


def _jobs(
    tree: Tree,
    hardware: Callable[[str], Hardware],
    chips: Callable[[], Sequence[Chip]],
    taken: Callable[[Place], bool],
    skip: Collection[str],
) -> list[_Job]:
    jobs = [_Job("serial", "", lambda found: found.extend(serial.look(tree)))]
    jobs += [_i2c(tree, number, hardware, taken) for number in i2c.buses(tree)]
    if not i2c.buses(tree):
        jobs.append(_Job("i2c", "", lambda found: found.append(i2c.off(tree))))
    jobs += [_spi(tree, at, hardware, taken) for at in spi.selects(tree)]
    if not spi.selects(tree):
        jobs.append(_Job("spi", "", lambda found: found.append(spi.off(tree))))
    jobs.append(_Job("onewire", "", lambda found: found.extend(onewire.look(tree))))
    jobs.append(_Job("gpio", "", lambda found: found.extend(pins.look(tree, chips))))
    jobs.append(_Job("kernel", "", lambda found: found.extend(kernel.look(tree))))
    return [job for job in jobs if job.bus not in skip]


def _i2c(tree: Tree, number: int, hardware: Callable[[str], Hardware], taken: Callable[[Place], bool]) -> _Job:
    name = f"bus {number}"
    return _Job("i2c", name, lambda found: i2c.look(tree, number, hardware(f"scan of {name}"), taken, found))


def _spi(tree: Tree, at: tuple[int, int], hardware: Callable[[str], Hardware], taken: Callable[[Place], bool]) -> _Job:
    name = f"/dev/spidev{at[0]}.{at[1]}"
    return _Job("spi", name, lambda found: spi.look(tree, at, hardware(f"scan of {name}"), taken, found))
