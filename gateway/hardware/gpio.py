"""Pins of the 40-pin header. What the kernel says never leaves this file as an error number."""

from __future__ import annotations

import errno
import math
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.driver import DeviceUnavailable, Misconfigured
from gateway.hardware import gpio_kernel as kernel
from gateway.hardware.permission import permission_hint
from gateway.hardware.plugged import patiently
from gateway.hardware.protocols import Edge, Pull
from gateway.hardware.waker import Waker

LONGEST_DEBOUNCE = 1.0
"""Seconds."""


def open_input(owner: str, pin: int, *, pull: Pull, active_low: bool, debounce: float) -> RealGPIOInput:
    """See :meth:`gateway.driver.Driver.gpio`; ``owner`` is the name of the device whose it is."""
    if pull not in kernel.BIAS:
        raise Misconfigured(f"GPIO {pin}: there is no pull {pull!r}", hint="up, down and none are possible")
    if not 0 <= debounce <= LONGEST_DEBOUNCE:
        raise Misconfigured(f"GPIO {pin}: no debounce of {debounce:g} s", hint=f"0 to {LONGEST_DEBOUNCE:g} s")
    flags = kernel.INPUT | kernel.BOTH_EDGES | kernel.BIAS[pull] | (kernel.ACTIVE_LOW if active_low else 0)
    return RealGPIOInput(pin, _request(owner, pin, flags, debounce_us=round(debounce * 1e6)))


def open_output(owner: str, pin: int, *, initial: bool, active_low: bool) -> RealGPIOOutput:
    """See :meth:`gateway.driver.Driver.gpio_output`."""
    flags = kernel.OUTPUT | (kernel.ACTIVE_LOW if active_low else 0)
    return RealGPIOOutput(pin, _request(owner, pin, flags, value=initial))


def _request(owner: str, pin: int, flags: int, *, value: bool = False, debounce_us: int = 0) -> kernel.Line:
    chip = _header(pin)
    try:
        return kernel.request(chip, pin, f"sensorpost {owner}", flags, value=value, debounce_us=debounce_us)
    except OSError as error:
        raise _explain(chip, pin, error) from error


def _header(pin: int) -> kernel.Chip:
    """The chip that has the pin."""
    path = f"{kernel.DEV}/gpiochip0"
    try:
        found = patiently(kernel.chips, path)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            path = error.filename or path
            message, hint = f"no permission to use {path}", permission_hint(path, "gpio")
        else:
            message, hint = f"GPIO cannot be used: {os.strerror(error.errno or 0)}", ""
        raise DeviceUnavailable(f"GPIO {pin}: {message}", hint=hint) from error
    for chip in found:
        if chip.is_header or (len(found) == 1 and chip.label.startswith("pinctrl-")):  # a board like a Pi
            if pin not in range(chip.lines):
                raise Misconfigured(f"there is no GPIO {pin}", hint=f"0 to {chip.lines - 1} are there, mostly 2 to 27")
            return chip
    here = ", ".join(chip.label for chip in found)
    hint = f"GPIO chips here: {here}" if here else "is this a Raspberry Pi, and is /dev/gpiochip0 there?"
    raise DeviceUnavailable(f"GPIO {pin}: this machine has no 40-pin header", hint=hint)


def _explain(chip: kernel.Chip, pin: int, error: OSError) -> DeviceUnavailable:
    if error.errno == errno.EBUSY:
        user = kernel.user_of(chip, pin)
        by = f" by {user}" if user else ""
        hint = "a pin serves one device: end that program, remove that overlay from config.txt, or take another pin"
        return DeviceUnavailable(f"GPIO {pin} is in use{by}", hint=hint)
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        hint = "it takes Linux 5.10 or later, and a pin that can do this"
        return DeviceUnavailable(f"GPIO {pin} is refused by {chip.label}", hint=hint)
    return DeviceUnavailable(f"GPIO {pin} cannot be used: {os.strerror(error.errno or 0)}")


class _Pin:
    """What inputs and outputs have in common."""

    waiting = False
    """Nobody else uses it."""

    def __init__(self, pin: int, line: kernel.Line) -> None:
        self._name = f"GPIO {pin}"
        self._line = line
        self._lock = threading.Lock()  # for the descriptor: closed by its owner, taken by another thread
        self._taken = False
        self.closed = False

    def cancel_wait(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""

    def close(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""
        with self._lock:
            if not self.closed:
                self.closed = True
                os.close(self._line.descriptor)

    def take_away(self) -> None:
        """For another thread than the owner's: free the line. The descriptor stays the owner's, see serial.py."""
        with self._lock:
            if self.closed:
                return
            self._taken = True
            null = os.open(os.devnull, os.O_RDWR)
            try:
                os.dup2(null, self._line.descriptor, inheritable=False)
            finally:
                os.close(null)
        self.cancel_wait()

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        self._check()
        try:
            yield
        except OSError as error:
            self._check()
            reason = os.strerror(error.errno or 0)
            raise DeviceUnavailable(f"{self._name} is gone: {reason}", hint="was its chip unplugged?") from error
        self._check()

    def _check(self) -> None:
        if self.closed or self._taken:
            raise DeviceUnavailable(f"{self._name} is closed")


class RealGPIOInput(_Pin):
    """See :class:`gateway.hardware.protocols.GPIOInput`."""

    def __init__(self, pin: int, line: kernel.Line) -> None:
        super().__init__(pin, line)
        self._waker = Waker()
        self._edges: deque[Edge] = deque()
        self._last = 0
        self.lost = 0

    @property
    def value(self) -> bool:
        """See :class:`gateway.hardware.protocols.GPIOInput`."""
        with self._trouble():
            return self._line.get()

    def wait_for_edge(self, timeout: float) -> Edge | None:
        """See :class:`gateway.hardware.protocols.GPIOInput`."""
        if not 0 <= timeout < math.inf:
            raise ValueError(f"a wait for an edge is finite and not negative, not {timeout}")
        deadline = time.monotonic() + timeout
        with self._trouble():
            while not self._edges:
                left = max(0.0, deadline - time.monotonic())
                if not self._waker.wait(left, [self._line.descriptor]):
                    return None
                self._check()
                self._take(self._line.events())
        return self._edges.popleft()

    def cancel_wait(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""
        self._waker.wake()

    def close(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""
        super().close()
        self._waker.close()

    def _take(self, events: list[kernel.Event]) -> None:
        if not events:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        for event in events:
            self.lost += event.number - self._last - 1
            self._last = event.number
            self._edges.append(Edge(event.rising, event.ns / 1e9))


class RealGPIOOutput(_Pin):
    """See :class:`gateway.hardware.protocols.GPIOOutput`."""

    def write(self, value: bool) -> None:  # noqa: FBT001 (as in the protocol)
        """See :class:`gateway.hardware.protocols.GPIOOutput`."""
        with self._trouble():
            self._line.set(value)
