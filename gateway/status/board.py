"""The state of every device, written by readers and supervisor, read by everybody as plain snapshots."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.clocks import Clock
from gateway.status.ledger import Ledger, LedgerSnapshot


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
class Lateness:
    """How late polls began, in milliseconds, over the last polls of a device."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """One device at one instant."""

    device: str
    state: State
    since_ns: int
    """Wall clock, nanoseconds, when the state began."""
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
        self._error = ""
        self._hint = ""
        self._last_read_ns: int | None = None
        self._late: list[float] = []
        self._late_next = 0

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
            if error is not None:
                self._error, self._hint = error, hint
        if moved:
            self._changed(self.device)

    def read_ok(self, wall_ns: int) -> None:
        """A good reading was taken at ``wall_ns``."""
        self._last_read_ns = wall_ns

    def late(self, milliseconds: float) -> None:
        """A poll began this much after its time. The last 256 polls are kept."""
        with self._lock:
            if len(self._late) < 256:
                self._late.append(milliseconds)
            else:
                self._late[self._late_next] = milliseconds
                self._late_next = (self._late_next + 1) % 256

    def snapshot(self) -> DeviceStatus:
        """Everything of one instant."""
        with self._lock:
            late = sorted(self._late)
            last = len(late) - 1
            return DeviceStatus(
                device=self.device,
                state=self._state,
                since_ns=self._since_ns,
                last_error=self._error,
                hint=self._hint,
                last_read_ns=self._last_read_ns,
                lateness=Lateness(late[last // 2], late[last * 99 // 100]) if late else None,
                ledger=self.ledger.snapshot(),
            )
