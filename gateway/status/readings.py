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


def read(request: Request, taps: Taps, boards: Callable[[], Mapping[str, DeviceBoard]]) -> Iterator[dict[str, Any]]:
    """``{"device", "count", "timeout"}``: the next readings as they are accepted; fails with the reason at the end."""
    device = str(request.get("device", ""))
    board = boards().get(device)
    if board is None:
        raise ControlError(f"the running gateway has no device {device}; reload it or restart it")
    if board.state in (State.DISABLED, State.FAILED):
        raise ControlError(f"{device} is {board.state} in the running gateway {board.snapshot().last_error}".rstrip())
    deadline = time.monotonic() + min(LONGEST, float(request.get("timeout", 10.0)))
    with taps.tap(device) as bodies:
        for number in range(int(request.get("count", 1))):
            try:
                body = bodies.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                status = board.snapshot()
                reason = status.last_error or f"nothing came; the device is {status.state}"
                hint = f"; {status.hint}" if status.hint else ""
                raise ControlError(f"{device}: {reason}{hint}{f' after {number} readings' if number else ''}") from None
            yield {"device": device, **json.loads(body)}
