"""What the gateway is at, for ``sensorpost top`` and for the stacks in the log: one line per device, one per thread."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway import threads
from gateway.clocks import Clock
from gateway.status import processor
from gateway.status.board import DeviceBoard
from gateway.status.control import Request
from gateway.status.meter import Seat
from gateway.status.text import span

BATCH = 50
"""Devices that are told at once: fewer are many system calls, more keep the interpreter from the readers for long."""


class Inside:
    """Looks at the running gateway. For any thread; it waits for no device."""

    def __init__(
        self, gateway_id: str, run: str, boards: Callable[[], Mapping[str, DeviceBoard]], clock: Clock
    ) -> None:
        self._gateway_id = gateway_id
        self._run = run
        self._boards = boards
        self._clock = clock
        self._since_ns = clock.boot_ns()

    def top(self, _: Request) -> Iterator[dict[str, Any]]:
        """The control verb ``top``: a line about the gateway, then its devices, all counted since the start."""
        now = self._clock.boot_ns()
        yield {
            "gateway": self._gateway_id,
            "run": self._run,
            "uptime_s": _seconds(now - self._since_ns),
            "threads": threading.active_count(),
            "descriptors": _descriptors(),
            "cpu_s": round(time.process_time(), 3),
        }
        boards = tuple(self._boards().values())
        for first in range(0, len(boards), BATCH):
            yield {"devices": [self._device(board) for board in boards[first : first + BATCH]]}

    def _device(self, board: DeviceBoard) -> dict[str, Any]:
        status, pace, seat = board.snapshot(), board.pace(), board.seat
        ledger, late, now = status.ledger, status.lateness, self._clock.boot_ns()
        call = seat.call() if seat is not None else None
        return {
            "device": status.device,
            "state": str(status.state),
            "state_s": _seconds(now - status.since_boot_ns),
            "rate": _rounded(pace.rate) if pace else None,
            "lateness_ms": {"p50": _rounded(late.p50), "p99": _rounded(late.p99)} if late else None,
            "read_ms": {"mean": _rounded(pace.mean_ms), "max": _rounded(pace.max_ms)} if pace else None,
            "cpu_s": _processor_time(seat),
            "thread": seat.native_id if seat else None,
            "thread_s": _seconds(now - seat.since_ns) if seat else None,
            "pid": seat.pid if seat else None,
            "call": {"what": call.what, "for_s": _seconds(now - call.began_ns)} if call else None,
            "read": ledger.read,
            "queued": ledger.queued,
            "failed": ledger.failed,
            "missed": ledger.missed,
            "dropped": sum(ledger.dropped.values()),
            "restarts": ledger.restarts,
            "abandoned": ledger.abandoned,
            "last_error": status.last_error or None,
        }

    def about(self, thread: threading.Thread) -> str:
        """What there is to say about one of our threads: its device's state, and what it is at."""
        device = threads.device_of(thread.name)
        board = self._boards().get(device) if device is not None else None
        if board is None:
            return ""
        seat, status, now = board.seat, board.snapshot(), self._clock.boot_ns()
        if seat is None or seat.ident != thread.ident:
            return "left behind: its driver has not returned"
        words = [f"{status.state} for {span((now - status.since_boot_ns) / 1e9)}"]
        if (call := seat.call()) is not None:
            words.append(f"in {call.what} for {span((now - call.began_ns) / 1e9)}, limit {span(call.limit)}")
        if seat.pid is not None:
            words.append(f"its driver is in process {seat.pid}")
        return "; ".join(words)


def _processor_time(seat: Seat | None) -> float | None:
    """Of the thread, and of the driver's process where it has one."""
    if seat is None:
        return None
    parts = [processor.of_thread(seat.native_id)]
    if seat.pid is not None:
        parts.append(processor.of_process(seat.pid))
    known = [part for part in parts if part is not None]
    return round(sum(known), 3) if known else None


def _descriptors() -> int | None:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (only their number is wanted)
    except OSError:
        return None


def _seconds(ns: int) -> float:
    return round(ns / 1e9, 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
