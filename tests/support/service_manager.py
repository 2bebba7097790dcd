"""The part of systemd that a service talks to: its notify socket, and its watchdog."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

from support.waiting import wait_until

Message = dict[str, str]


class ServiceManager:
    """A real datagram socket that keeps every message. ``address`` goes into ``NOTIFY_SOCKET``."""

    def __init__(self, address: str | Path) -> None:
        self.address = str(address)
        self.messages: list[Message] = []
        self.times: list[float] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.address[1:] if self.address.startswith("@") else self.address)
        self._thread = threading.Thread(target=self._listen, name="service manager")
        self._thread.start()

    def said(self, name: str) -> list[str]:
        """All values that a name was given, in order."""
        return [message[name] for message in tuple(self.messages) if name in message]

    def wait_for(self, name: str, value: str | None = None, *, after: int = 0, timeout: float = 20.0) -> Message:
        """The first message from number ``after`` on in which ``value`` is a part of what ``name`` says."""

        def found() -> list[Message]:
            said = (message for message in self.messages[after:] if name in message)
            return [message for message in said if value is None or value in message[name]]

        wait_until(found, timeout, f"{name}={value or ''}")
        return found()[0]

    def quiet_for(self, name: str) -> float:
        """Seconds since a name was last said."""
        said = [at for at, message in zip(tuple(self.times), tuple(self.messages), strict=False) if name in message]
        return time.monotonic() - said[-1] if said else 1e9

    def close(self) -> None:
        """Nobody listens any more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()
        if not self.address.startswith("@"):
            Path(self.address).unlink(missing_ok=True)

    def _listen(self) -> None:
        while data := self._socket.recv(65536):
            pairs = (line.partition("=") for line in data.decode().splitlines())
            self.times.append(time.monotonic())
            self.messages.append({name: value for name, _, value in pairs})
