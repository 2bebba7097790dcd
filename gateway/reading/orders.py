"""What people ask of devices while they run: any thread asks, the main thread carries it out between two looks."""

from __future__ import annotations

import queue
from collections.abc import Callable

from gateway.clocks import Clock
from gateway.driver import Settable
from gateway.reading.slot import Slot
from gateway.reading.writing import Write
from gateway.status.control import ControlError

ROUNDS = 5.0
"""Seconds within which the main thread comes round."""
SLACK = 1.0


class Orders:
    """Waits for the main thread; see :meth:`tick`."""

    def __init__(self, slot_of: Callable[[str], Slot | None], clock: Clock) -> None:
        self._slot_of = slot_of
        self._clock = clock
        self._asked: queue.SimpleQueue[_Order] = queue.SimpleQueue()

    def tick(self) -> None:
        """Carry out what was asked for. On the main thread."""
        while True:
            try:
                order = self._asked.get_nowait()
            except queue.Empty:
                return
            order.carry_out(self._slot_of)

    def restart(self, device: str) -> None:
        """Begin anew with a device, whatever it is at. Raises ``ControlError``."""
        self._do(device, self._restart)

    def switch(self, device: str, *, enabled: bool) -> None:
        """Enable or disable a device for this run, until its configuration changes. Raises ``ControlError``."""

        def switch(slot: Slot) -> None:
            if slot.settings.enabled != enabled:
                slot.switch(self._clock.boot_ns(), enabled=enabled)

        self._do(device, switch)

    def write(self, device: str, channel: str, value: Settable) -> None:
        """Let the driver set a channel, and wait until it has. Raises ``ControlError``."""
        write = Write(channel, value)
        limit = 0.0

        def hand_over(slot: Slot) -> None:
            nonlocal limit
            if slot.reader is None:
                raise ControlError(f"{device}: it is not open")
            limit = 2 * slot.settings.timeout + SLACK  # of the read that may be under way, and of the write
            slot.reader.writes.put(write)

        self._do(device, hand_over)
        error = write.wait(limit)
        if error is None and write.claim():
            error = f"it did not come to that within {limit:g} s, and will not do it later"
        elif error is None:
            error = f"it has begun to do that, and has not ended within {limit:g} s"
        if error:
            raise ControlError(f"{device}: {error}")

    def _restart(self, slot: Slot) -> None:
        if not slot.settings.enabled:
            raise ControlError(f"{slot.settings.device}: it is disabled; enable it instead")
        slot.restart(self._clock.boot_ns())

    def _do(self, device: str, what: Callable[[Slot], None]) -> None:
        order = _Order(device, what)
        self._asked.put(order)
        try:
            error = order.outcome.get(timeout=ROUNDS)
        except queue.Empty:
            raise ControlError(f"the gateway did not come round within {ROUNDS:g} s; try again") from None
        if error is not None:
            raise error


class _Order:
    def __init__(self, device: str, what: Callable[[Slot], None]) -> None:
        self._device = device
        self._what = what
        self.outcome: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def carry_out(self, slot_of: Callable[[str], Slot | None]) -> None:
        slot = slot_of(self._device)
        if slot is None or slot.leaving:
            self.outcome.put(ControlError(f"{self._device}: it has left the configuration"))
            return
        try:
            self._what(slot)
        except Exception as exc:  # noqa: BLE001 (it is raised again where it was asked for)
            self.outcome.put(exc)
        else:
            self.outcome.put(None)
