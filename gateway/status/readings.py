"""The control verb ``read``: a device's readings through the running gateway."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.delivery.taps import Taps
from gateway.status.board import DeviceBoard, State
from gateway.status.control import ControlError, Request

LONGEST = 3600.0
LOOK = 0.25
"""Seconds between two looks at the device: nobody waits for one that has just been disabled."""


def read(request: Request, taps: Taps, boards: Callable[[], Mapping[str, DeviceBoard]]) -> Iterator[dict[str, Any]]:
    """``{"device", "count", "timeout"}``: the next readings as they are accepted; fails with the reason at the end."""
    device = str(request.get("device", ""))
    board = boards().get(device)
    if board is None:
        raise ControlError(f"the running gateway has no device {device}; reload it or restart it")
    _refuse_if_over(board)
    deadline = time.monotonic() + min(LONGEST, float(request.get("timeout", 10.0)))
    with taps.tap(device) as bodies:
        for number in range(int(request.get("count", 1))):
            body = _next(bodies, deadline, board)
            if body is None:
                status = board.snapshot()
                reason = status.last_error or f"nothing came; the device is {status.state}"
                hint = f"; {status.hint}" if status.hint else ""
                raise ControlError(f"{device}: {reason}{hint}{f' after {number} readings' if number else ''}")
            yield {"device": device, **json.loads(body)}


def _next(bodies: queue.Queue[bytes], deadline: float, board: DeviceBoard) -> bytes | None:
    """The next reading; ``None`` when none came in time. Raises ``ControlError`` when none will come any more."""
    while True:
        left = deadline - time.monotonic()
        try:
            return bodies.get(timeout=max(0.0, min(left, LOOK)))
        except queue.Empty:
            if left <= 0:
                return None
            _refuse_if_over(board)


def _refuse_if_over(board: DeviceBoard) -> None:
    if board.state in (State.DISABLED, State.FAILED):
        status = board.snapshot()
        text = f"{status.device} is {status.state} in the running gateway {status.last_error}".rstrip()
        raise ControlError(f"{text}; {status.hint}" if status.hint else text)
