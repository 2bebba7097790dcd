"""What systemd is told about this process: the protocol of sd_notify(3), a datagram with ``NAME=value`` lines."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping

from gateway import threads

log = logging.getLogger(__name__)

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
PATIENCE = 1.0
"""Seconds that a message waits for room in systemd's queue."""
MORE_TIME = 30
"""Seconds that are asked for again and again while something takes long."""
ASK_EVERY = 10.0


class Notifier:
    """Sends to systemd's socket; without one, nothing happens and nothing is an error. Any thread."""

    def __init__(self, address: str = "", watchdog: float | None = None) -> None:
        """``address``: a path, or ``@name`` for an abstract socket. ``watchdog``: seconds, see ``WatchdogSec=``."""
        self._address = address
        self.watchdog = watchdog

    @classmethod
    def from_environ(cls, environ: MutableMapping[str, str]) -> Notifier:
        """As systemd asks for it. The variables are taken away, so that no child of ours speaks in our name."""
        address, usec, pid = (environ.pop(name, "") for name in VARIABLES)
        ours = pid in ("", str(os.getpid()))
        watchdog = int(usec) / 1e6 if ours and usec.isdecimal() and int(usec) else None
        return cls(address, watchdog)

    @property
    def there(self) -> bool:
        """Whether somebody wants to be told, and starts us again when we end with a failure."""
        return bool(self._address)

    def send(self, **fields: object) -> bool:
        """Send ``NAME=value`` lines as one message; whether it has gone. Values are on one line each."""
        if not self._address:
            return False
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        message = "".join(f"{name}={value}\n" for name, value in fields.items()).encode(errors="replace")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(PATIENCE)
                sender.sendto(message, address)
        except OSError as exc:  # a full queue, a socket that has gone: neither is a reason to stop
            log.debug("systemd does not hear %s: %s", ", ".join(fields), exc)
            return False
        return True

    def reloading(self) -> bool:
        """A reload begins; READY ends it. systemd tells by the time which of several it is."""
        return self.send(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)

    @contextlib.contextmanager
    def taking_long(self, most: float) -> Iterator[None]:
        """While the block runs, ask for more time, for ``most`` seconds altogether: the limits are for what hangs."""
        done = threading.Event()
        thread = threads.start("notify", self._ask_for_time, done, most) if self._address else None
        try:
            yield
        finally:
            done.set()
            if thread is not None:
                thread.join(PATIENCE)

    def _ask_for_time(self, done: threading.Event, most: float) -> None:
        until = time.monotonic() + most
        while not done.wait(ASK_EVERY) and time.monotonic() < until:
            self.send(EXTEND_TIMEOUT_USEC=MORE_TIME * 1_000_000)
