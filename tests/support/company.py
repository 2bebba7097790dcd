"""For tests of readers and their supervisor: a supervisor with real threads and processes, on the machine's clock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from gateway.clocks import SystemClock
from gateway.config.settings import DeviceSettings
from gateway.delivery.queue import Inbox
from gateway.reading.supervisor import Supervisor
from support.readers import Line, NoHardware
from support.waiting import wait_until


class Company:
    """A supervisor with real threads and the machine's clock."""

    def __init__(
        self,
        *devices: DeviceSettings,
        hardware_for: Callable[[str], Any] = lambda _: NoHardware(),
        isolated_hardware: str = "real",
    ) -> None:
        self.clock = SystemClock()
        self.inbox = Inbox()
        self.lines = {one.device: Line(one.device, self.clock, self.inbox) for one in devices}
        self.supervisor = Supervisor(
            queue_for=lambda name: self.lines[name].queue,
            board_for=lambda name: self.lines[name].board,
            hardware_for=hardware_for,
            clock=self.clock,
            trust=lambda: None,
            rng=random.Random(1),
            isolated_hardware=isolated_hardware,
        )
        self.devices = devices

    def start(self) -> None:
        """Start all."""
        self.supervisor.start(self.devices)

    def until(self, predicate: Callable[[], object], timeout: float = 20.0) -> None:
        """Supervise until then."""

        def looked() -> object:
            self.supervisor.tick()
            return predicate()

        wait_until(looked, timeout)

    def until_waiting(self) -> None:
        """Supervise until every reader waits in a read."""
        slots = self.supervisor._slots.values()
        self.until(lambda: all(slot.reader and slot.reader.beat and slot.reader.beat.what == "read" for slot in slots))

    def stop(self, deadline: float = 2.0) -> float:
        """Stop; how many seconds it took."""
        begun = time.monotonic()
        self.supervisor.stop(deadline)
        return time.monotonic() - begun
