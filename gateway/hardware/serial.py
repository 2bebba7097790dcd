"""Serial ports, on pyserial. What pyserial raises never leaves this file."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gateway.driver import DeviceUnavailable, Misconfigured
from gateway.hardware.plugged import patiently
from gateway.hardware.serial_trouble import ERRORS, explain_open, explain_use

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None  # type: ignore[assignment]

SCHEMES = ("loop", "socket")
"""URLs that serve as ports: an echo in memory, and a serial server on the network (ser2net, ESP-Link, RFC 2217 off)."""

LINE_LIMIT = 64 * 1024
"""Bytes that ``read_until`` collects when its caller sets no limit."""


def open_port(
    port: str, baudrate: int, *, bytesize: int, parity: str, stopbits: float, timeout: float
) -> RealSerialPort:
    """Open a port for this process alone; see :meth:`gateway.driver.Driver.serial`."""
    import serial  # noqa: PLC0415 (pyserial costs 15 ms that a gateway without serial devices should not pay)

    if not 0 < timeout < math.inf:
        raise ValueError(f"a serial timeout is finite and above 0, not {timeout}")
    scheme = port.partition("://")[0] if "://" in port else ""
    if scheme and scheme not in SCHEMES:
        raise Misconfigured(f"port {port!r}: no such kind of port", hint="use a device, loop:// or socket://HOST:PORT")
    try:
        handle = patiently(
            lambda: serial.serial_for_url(
                port,
                baudrate,
                bytesize=bytesize,
                parity=parity,
                stopbits=stopbits,
                timeout=timeout,
                write_timeout=timeout,
                exclusive=True,
            ),
            port,
        )
    except ValueError as error:
        raise Misconfigured(f"port {port!r}: {error}") from error
    except ERRORS as error:
        settings = f"{baudrate} baud, {bytesize}{parity}{stopbits:g}"
        raise explain_open(port, error, settings) from error
    return RealSerialPort(handle, port, timeout)


class RealSerialPort:
    """An open port. Keeps what arrived beyond the end of a line, so that lines are read in large steps."""

    def __init__(self, handle: Any, name: str, timeout: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._handle = handle  # one of pyserial's classes, which have no type in common that knows all of them
        self._name = name
        self._monotonic = monotonic
        self._timeout = self._set_timeout = timeout
        self._early = bytearray()
        self._taken = False
        self.closed = False

    @property
    def timeout(self) -> float:
        """Seconds that one call waits at most."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        if not 0 <= seconds < math.inf:
            raise ValueError(f"a serial timeout is finite and not negative, not {seconds}")
        self._timeout = seconds

    @property
    def in_waiting(self) -> int:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        with self._trouble():
            return len(self._early) + int(self._handle.in_waiting)

    def read(self, size: int = 1) -> bytes:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        if size > len(self._early):
            with self._trouble():
                self._limit(self._timeout)
                self._early += self._handle.read(size - len(self._early))
        return self._take(size)

    def read_until(self, expected: bytes = b"\n", size: int | None = None) -> bytes:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        limit = LINE_LIMIT if size is None else size
        deadline = self._monotonic() + self._timeout
        while expected not in self._early[:limit] and len(self._early) < limit:
            left = deadline - self._monotonic()
            if not self._pull(limit - len(self._early), max(0.0, left)) or left <= 0:  # what is there counts as in time
                break
        end = self._early.find(expected, 0, limit)
        return self._take(end + len(expected) if end >= 0 else limit)

    def write(self, data: bytes) -> int:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        with self._trouble():
            return int(self._handle.write(data) or 0)

    def reset_input_buffer(self) -> None:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        self._early.clear()
        with self._trouble():
            self._handle.reset_input_buffer()

    @property
    def waiting(self) -> bool:
        """Nobody else uses it."""
        return False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        self._check()
        yield

    def cancel_wait(self) -> None:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        with suppress(*ERRORS, AttributeError, TypeError):  # sockets cannot; or it is being closed this very moment
            self._handle.cancel_read()

    def close(self) -> None:
        """See :class:`gateway.hardware.protocols.SerialPort`."""
        if self.closed:
            return
        self.closed = True
        connection = getattr(self._handle, "_socket", None)
        with suppress(*ERRORS):
            self._handle.close()
        if connection is not None:
            connection.close()  # pyserial forgets to when the other side was faster

    def take_away(self) -> None:
        """For another thread than the owner's: free the port although the owner may hang in a call on it.

        The owner's descriptor is not closed, because its number would be given to another file and the owner would go
        on with that. It is unlocked and pointed at /dev/null; the owner's next call fails, and its ``close`` closes it.
        """
        self._taken = True
        self.cancel_wait()
        with suppress(*ERRORS, AttributeError, TypeError):
            self._handle.reset_output_buffer()  # else the kernel may wait half a minute until it is sent
            descriptor = self._handle.fileno()
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            null = os.open(os.devnull, os.O_RDWR)
            try:
                os.dup2(null, descriptor, inheritable=False)
            finally:
                os.close(null)

    def _pull(self, most: int, seconds: float) -> bool:
        """Wait up to ``seconds`` for a byte, take at most ``most``; whether anything came."""
        with self._trouble():
            waiting = self._handle.in_waiting
            if not waiting:
                self._limit(seconds)
            fresh = self._handle.read(min(max(1, waiting), most))
        self._early += fresh
        return bool(fresh)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._early[:size])
        del self._early[:size]
        return taken

    def _check(self) -> None:
        if self.closed or self._taken:
            raise DeviceUnavailable(f"{self._name} is closed")

    def _limit(self, seconds: float) -> None:
        if abs(seconds - self._set_timeout) > 0.001:  # setting it is several system calls
            self._handle.timeout = self._set_timeout = seconds

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        self._check()
        try:
            yield
            self._check()
        except ERRORS as error:
            raise explain_use(self._name, error) from error
        except (TypeError, ValueError) as error:
            if not self._handle.is_open:  # closed by another thread in the middle of the call
                raise DeviceUnavailable(f"{self._name} is closed") from error
            if "select" in str(error):
                hint = "this process has more than 1000 files open; split the devices between two gateways"
                raise DeviceUnavailable(f"{self._name}: {error}", hint=hint) from error
            raise
