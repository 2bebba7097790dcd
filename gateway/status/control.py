"""The control socket: how commands on this machine reach the running gateway.

One request is one line of JSON with a ``verb``; the answer is one or more lines of JSON, the last one with ``ok``. The
socket's mode is 0660: whoever may write to it may use every verb.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway import threads

log = logging.getLogger(__name__)

LONGEST_REQUEST = 64 * 1024
PATIENCE = 5.0
"""Seconds that a client may take for its request, or to take an answer."""

Request = Mapping[str, Any]
Verb = Callable[[Request], Iterable[Mapping[str, Any]]]
"""Takes a request and yields the lines of the answer, without ``ok``. Raises ``ControlError`` to refuse."""


class ControlError(Exception):
    """The request cannot be carried out; the text is for a person."""


class NotRunning(Exception):
    """No gateway listens on the socket."""


class ControlServer:
    """Listens while the gateway runs. Threads are named ``control``."""

    def __init__(self, path: Path, verbs: Mapping[str, Verb]) -> None:
        self._path = path
        self._verbs = verbs
        self._server: socketserver.ThreadingUnixStreamServer | None = None

    def start(self) -> None:
        """Begin to listen. Raises ``OSError`` when the socket cannot be made."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()  # of a gateway that was killed; two that run at once are kept apart by the spool's lock
        verbs = self._verbs

        class Handler(socketserver.StreamRequestHandler):
            timeout = PATIENCE

            def handle(self) -> None:
                threading.current_thread().name = "control"
                threads.show_name("control")
                with contextlib.suppress(OSError):
                    for line in answer(self.rfile.readline(LONGEST_REQUEST), verbs):
                        self.wfile.write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode() + b"\n")

        before = os.umask(0o117)
        try:
            self._server = socketserver.ThreadingUnixStreamServer(str(self._path), Handler)
        finally:
            os.umask(before)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threads.start("control", self._server.serve_forever, 0.1)

    def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            with contextlib.suppress(OSError):
                self._path.unlink()


def answer(line: bytes, verbs: Mapping[str, Verb]) -> Iterator[Mapping[str, Any]]:
    """The lines that answer one request."""
    try:
        request = json.loads(line)
        verb = verbs[request["verb"]]
    except (ValueError, TypeError, KeyError):
        yield {"ok": False, "error": f"no such request; verbs are {', '.join(sorted(verbs))}"}
        return
    try:
        yield from verb(request)
    except ControlError as exc:
        yield {"ok": False, "error": str(exc)}
    except Exception as exc:  # whatever a request does, the gateway goes on
        log.exception("control request %r failed", request)
        yield {"ok": False, "error": f"{type(exc).__name__}: {exc}"}
    else:
        yield {"ok": True}


def call(path: Path, request: Request, timeout: float = PATIENCE) -> Iterator[dict[str, Any]]:
    """Ask the running gateway; the lines of the answer without the last.

    ``timeout`` (seconds) is for each line. Raises ``NotRunning``, or ``ControlError`` with the gateway's reason.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        try:
            sock.connect(str(path))
        except PermissionError as exc:
            raise ControlError(f"{path}: not permitted; use the gateway's user or sudo") from exc
        except OSError as exc:
            raise NotRunning(str(path)) from exc
        try:
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile("rb") as lines:
                for line in lines:
                    value = json.loads(line)
                    if "ok" in value:
                        if not value["ok"]:
                            raise ControlError(value["error"])
                        return
                    yield value
        except TimeoutError as exc:
            raise ControlError(f"the gateway did not answer within {timeout:g} s") from exc
        except (OSError, ValueError) as exc:
            raise ControlError(f"the gateway broke off: {exc}") from exc
        raise ControlError("the gateway broke off")
