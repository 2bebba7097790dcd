"""A serial port of a simulation, at the place of pyserial, and the line behind it with the models on it."""

from __future__ import annotations

import errno
import itertools
import os
import threading
from collections.abc import Callable
from heapq import heappop, heappush

from gateway.hardware.serial import RealSerialPort
from gateway.hardware.serial_trouble import explain_open
from gateway.hardware.shared_serial import Line
from gateway.simulation.clockwork import Time
from gateway.simulation.serial_model import SerialModel

LONGEST_BACKLOG = 4096
"""Bytes that the kernel keeps of what nobody reads; the rest is lost."""


class SimulatedLine:
    """One port. One driver, or those that share it, has it open; one model, or several as on RS-485, is on it."""

    def __init__(self, name: str, time: Time) -> None:
        self.name = name
        self.models: list[SerialModel] = []
        self._time = time
        self._lock = threading.RLock()  # a port may be taken away while its thread reads
        self._coming: list[tuple[float, int, bytes | Callable[[], object]]] = []
        self._order = itertools.count()
        self._arrived = bytearray()
        self._at: float | None = None
        """When what a model does at this moment was due: so a stream keeps its rhythm, however seldom one looks."""
        self._handle: LineHandle | None = None
        self._settings: Line | None = None

    def open(self, settings: Line, timeout: float) -> SimulatedPort:
        """Open the port, exclusively. ``DeviceUnavailable`` as a real one."""
        try:
            with self._lock:
                if self.is_gone:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
                if self._handle is not None:
                    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
                handle = self._handle = LineHandle(self, self._time, timeout)
                self._settings = settings
                self._coming.clear()
                self._arrived.clear()
                for model in self.models:
                    model.opened()
        except OSError as error:
            raise explain_open(self.name, error, str(settings)) from error
        return SimulatedPort(handle, self.name, timeout, lambda: self._time.now)

    @property
    def is_gone(self) -> bool:
        """Whether the port is not there: it goes with the last device on it."""
        return all(model.faults.gone for model in self.models)

    # The models' side -------------------------------------------------------------------------------------------------

    def send(self, model: SerialModel, data: bytes, after: float) -> None:
        """A model says something."""
        with self._lock:
            if self._is_misunderstood(model):
                data = model.dice.randbytes(len(data))
            for later, piece in model.faults.pieces(data):
                self._push(after + later, piece)

    def call(self, after: float, function: Callable[[], object]) -> None:
        """A model wants to be called."""
        with self._lock:
            self._push(after, function)

    # The port's side --------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """The driver writes."""
        with self._lock:
            for model in self.models:
                if not model.faults.dead:
                    model.received(model.dice.randbytes(len(data)) if self._is_misunderstood(model) else data)

    def arrived(self) -> bytearray:
        """What has come until now and was not taken."""
        with self._lock:
            while self._coming and self._coming[0][0] <= self._time.now:
                at, _, what = heappop(self._coming)
                if not isinstance(what, bytes):
                    self._at = at
                    try:
                        what()
                    finally:
                        self._at = None
                elif len(self._arrived) < LONGEST_BACKLOG:
                    self._arrived += what
            return self._arrived

    def next_at(self) -> float | None:
        """When something happens next."""
        with self._lock:
            return self._coming[0][0] if self._coming else None

    def release(self, handle: LineHandle) -> None:
        """The port is free again, if this is who has it."""
        with self._lock:
            if self._handle is handle:
                self._handle = None

    @property
    def is_locked(self) -> bool:
        """Whether it takes no data."""
        return any(model.faults.locked for model in self.models)

    def _is_misunderstood(self, model: SerialModel) -> bool:
        wrong = self._settings is not None and model.baudrate not in (None, self._settings.baudrate)
        return wrong or model.faults.garbage

    def _push(self, after: float, what: bytes | Callable[[], object]) -> None:
        now = self._time.now if self._at is None else self._at
        heappush(self._coming, (now + after, next(self._order), what))
        if self._handle is not None:
            self._handle.nudge()


class LineHandle:
    """An open port, with the names of pyserial."""

    def __init__(self, line: SimulatedLine, time: Time, timeout: float) -> None:
        self.timeout = timeout
        self.is_open = True
        self._line = line
        self._waiter = time.waiter()

    @property
    def in_waiting(self) -> int:
        """Bytes that are there."""
        self._check()
        return len(self._line.arrived())

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes within ``timeout``."""
        deadline = self._waiter.now + self.timeout
        while len(self._arrived()) < size and self._waiter.now < deadline:
            due = self._line.next_at()
            until = deadline if due is None else min(due, deadline)
            if self._waiter.wait(until - self._waiter.now):
                break
        arrived = self._arrived()
        taken = bytes(arrived[:size])
        del arrived[:size]
        return taken

    def write(self, data: bytes) -> int:
        """Send ``data``."""
        self._check()
        if self._line.is_locked:
            self._waiter.wait(self.timeout)
            raise OSError("Write timeout")
        self._line.write(bytes(data))
        return len(data)

    def reset_input_buffer(self) -> None:
        """Throw away what has come."""
        self._arrived().clear()

    def cancel_read(self) -> None:
        """Wake a read."""
        self._waiter.cancel()

    def nudge(self) -> None:
        """Something is on its way."""
        self._waiter.nudge()

    def close(self) -> None:
        """Close it."""
        self.is_open = False
        self._line.release(self)

    def _arrived(self) -> bytearray:
        self._check()
        return self._line.arrived()

    def _check(self) -> None:
        if self._line.is_gone:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


class SimulatedPort(RealSerialPort):
    """An open port as a driver has it: all that is above the library is as on a real one."""

    def take_away(self) -> None:
        """For another thread than the owner's: the port is free, and the owner's next call fails."""
        self._taken = True
        self._handle.cancel_read()
        self._handle.close()
