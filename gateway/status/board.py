"""The state of every device, written by readers and supervisor, read by everybody as plain snapshots."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.clocks import Clock
from gateway.status.ledger import Ledger, LedgerSnapshot
from gateway.status.meter import Lateness, Meter, Pace, Seat


class State(StrEnum):
    """What a device is doing. Available in ``ONLINE`` and ``DEGRADED`` only."""

    STARTING = "starting"
    ONLINE = "online"
    DEGRADED = "degraded"
    """The last read failed."""
    OFFLINE = "offline"
    """It cannot be opened, or three reads in a row failed."""
    HUNG = "hung"
    FAILED = "failed"
    """Misconfigured: stays so until the configuration changes."""
    DISABLED = "disabled"

    @property
    def available(self) -> bool:
        """Whether the device's availability topic says ``online``."""
        return self in (State.ONLINE, State.DEGRADED)


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """One device at one instant."""

    device: str
    state: State
    since_ns: int
    """Wall clock, nanoseconds, when the state began."""
    since_boot_ns: int
    """The same on boot time: the wall clock may have been set since."""
    last_error: str
    hint: str
    last_read_ns: int | None
    """Wall clock of the last good reading."""
    lateness: Lateness | None
    ledger: LedgerSnapshot


class DeviceBoard:
    """One device's line on the board. Any thread may write; every change calls ``changed`` outside the lock."""

    def __init__(self, device: str, ledger: Ledger, clock: Clock, changed: Callable[[str], None]) -> None:
        self.device = device
        self.ledger = ledger
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._state = State.STARTING
        self._since_ns = clock.wall_ns()
        self._since_boot_ns = clock.boot_ns()
        self._error = ""
        self._hint = ""
        self._last_read_ns: int | None = None
        self._meter = Meter()
        self.seat: Seat | None = None
        """The thread that reads it; ``None`` while there is none."""

    @property
    def state(self) -> State:
        """The state now."""
        return self._state

    def set(self, state: State, error: str | None = None, hint: str = "") -> None:
        """Enter a state. ``error`` replaces the last error (``""`` clears it); ``None`` leaves it as it was."""
        with self._lock:
            moved = state is not self._state or (error is not None and error != self._error)
            if state is not self._state:
                self._state = state
                self._since_ns = self._clock.wall_ns()
                self._since_boot_ns = self._clock.boot_ns()
            if error is not None:
                self._error, self._hint = error, hint
        if moved:
            self._changed(self.device)

    def read_ok(self, wall_ns: int) -> None:
        """A good reading was taken at ``wall_ns``."""
        self._last_read_ns = wall_ns

    def late(self, milliseconds: float) -> None:
        """A poll begins this much after its time."""
        with self._lock:
            self._meter.late(milliseconds)

    def took(self, began_ns: int, ended_ns: int) -> None:
        """A read has returned, well or not; both on boot time."""
        with self._lock:
            self._meter.took(began_ns / 1e9, (ended_ns - began_ns) / 1e6)

    def pace(self) -> Pace | None:
        """How its last reads went."""
        with self._lock:
            return self._meter.pace(self._clock.boot_ns() / 1e9)

    def snapshot(self) -> DeviceStatus:
        """Everything of one instant."""
        with self._lock:
            return DeviceStatus(
                device=self.device,
                state=self._state,
                since_ns=self._since_ns,
                since_boot_ns=self._since_boot_ns,
                last_error=self._error,
                hint=self._hint,
                last_read_ns=self._last_read_ns,
                lateness=self._meter.lateness(),
                ledger=self.ledger.snapshot(),
            )
