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
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway import threads

log = logging.getLogger(__name__)

LONGEST_REQUEST = 64 * 1024
PATIENCE = 5.0
"""Seconds that a client may take for its request, or to take an answer."""
MOST_CLIENTS = 16
"""At a time: a client that floods must not take the threads that devices need."""
BUSY = f"{MOST_CLIENTS} requests are under way already; try again"
BUSY_LINE = json.dumps({"ok": False, "error": BUSY}).encode() + b"\n"

Request = Mapping[str, Any]
Verb = Callable[[Request], Iterable[Mapping[str, Any]]]
"""Takes a request and yields the lines of the answer, without ``ok``. Raises ``ControlError`` to refuse."""


class ControlError(Exception):
    """The request cannot be carried out; the text is for a person."""


class NotRunning(Exception):
    """No gateway listens on the socket."""


class _Server(socketserver.ThreadingUnixStreamServer):
    """A thread for each client, for so many at a time; one more is told so and let go."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._seats = threading.BoundedSemaphore(MOST_CLIENTS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._seats.acquire(blocking=False):
            with contextlib.suppress(OSError):
                request.send(BUSY_LINE, socket.MSG_DONTWAIT)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread to be had
            self._seats.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._seats.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (its signature)
        """Nothing on stderr, where a traceback would go."""
        log.debug("a control request failed", exc_info=True)  # noqa: LOG014 (it is called where one is handled)


class ControlServer:
    """Listens while the gateway runs. Threads are named ``control``."""

    def __init__(self, path: Path, verbs: Mapping[str, Verb]) -> None:
        self._path = path
        self._verbs = verbs
        self._server: _Server | None = None

    def start(self) -> None:
        """Begin to listen. Raises ``OSError`` when the socket cannot be made."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()  # of a gateway that was killed; two that run at once are kept apart by the spool's lock
        verbs = self._verbs

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                threading.current_thread().name = "control"
                threads.show_name("control")
                with contextlib.suppress(OSError):
                    for line in encoded(answer(_request(self.request), verbs)):
                        self.request.sendall(line)

        before = os.umask(0o117)
        try:
            self._server = _Server(str(self._path), Handler)
        finally:
            os.umask(before)
        threads.start("control", self._server.serve_forever, 0.1)

    def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            with contextlib.suppress(OSError):
                self._path.unlink()


def encoded(lines: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Lines of an answer as they are sent, whatever texts are in them. What is no JSON ends it with a refusal."""
    for line in lines:
        try:
            yield json.dumps(line, allow_nan=False).encode() + b"\n"
        except (ValueError, TypeError, RecursionError) as exc:
            log.debug("an answer cannot be told", exc_info=True)
            yield (
                json.dumps({"ok": False, "error": f"the answer cannot be told: {type(exc).__name__}"}).encode() + b"\n"
            )
            return


def _request(sock: socket.socket) -> bytes:
    """The line that a client sends, or what there is of it. ``OSError`` when it takes longer than ``PATIENCE``."""
    deadline = time.monotonic() + PATIENCE
    data = bytearray()
    while b"\n" not in data and len(data) < LONGEST_REQUEST:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        piece = sock.recv(4096)
        if not piece:
            break
        data += piece
    sock.settimeout(PATIENCE)
    return bytes(data)


def answer(line: bytes, verbs: Mapping[str, Verb]) -> Iterator[Mapping[str, Any]]:
    """The lines that answer one request."""
    try:
        request = json.loads(line)
        verb = verbs[request["verb"]]
    except (ValueError, TypeError, KeyError, RecursionError):
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
        except BlockingIOError as exc:  # it listens, and so many wait before us that the kernel takes no more
            raise ControlError(BUSY) from exc
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
