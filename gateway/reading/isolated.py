"""The process of one isolated driver: ``python -m gateway.reading.isolated CONTROL DEVICE``, started by the gateway.

The driver runs in a thread, as it does in the gateway, and answers one call after the other on the socket that this
process has for its standard input. The main thread waits at the pipe CONTROL for what cannot wait until a call has
returned: ``w``, wake the driver, ``s``, let it stop, and the pipe's end: the gateway has let go of this process, or is
gone. What the driver prints goes to the gateway's log. Nothing here is needed in the gateway's own process.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from types import FrameType
from typing import Any

from gateway import threads
from gateway.clocks import SystemClock
from gateway.config.report import Report
from gateway.config.structure import INVALID, build
from gateway.driver import Driver, Misconfigured
from gateway.hardware.protocols import Hardware
from gateway.loading import load_again
from gateway.reading.freeze import freeze
from gateway.reading.runtime import DriverRuntime, ReaderHardware
from gateway.reading.trouble import Reaction, sort_out
from gateway.reading.wire import Message, decode, encode, from_frozen, from_trouble
from gateway.status import logs

REAL = "real"
"""Stands for the machine's own hardware; anything else is MODULE:FUNCTION, and the function is given the device."""
LAST_CALL = 1.5
"""Seconds that the driver gets to close when the gateway has let go."""
FIRST_VICTIM = "500"
"""When memory runs out the kernel ends this process before it ends the gateway."""


class Room:
    """Where one driver lives."""

    def __init__(self, talk: socket.socket) -> None:
        self.stop = threading.Event()
        self._talk = talk
        self._hardware: ReaderHardware | None = None
        self._type: type[Driver[Any]] | None = None
        self._driver: Driver[Any] | None = None
        self._check: Callable[[Any], Message] = lambda _: {}

    def serve(self) -> None:
        """Answer until the gateway has no more to say; then close what is still open."""
        try:
            with self._talk, self._talk.makefile("rb") as calls:
                for line in calls:
                    self._talk.sendall(encode(self._answer(decode(line))))
        except OSError:  # the gateway is gone
            pass
        finally:
            if self._driver is not None:
                with suppress(BaseException):  # nobody is left to be told
                    self._driver.release()

    def wake(self) -> None:
        """End what the driver waits for on its ports."""
        if self._hardware is not None:
            self._hardware.wake()

    def _answer(self, message: Message) -> Message:
        try:
            if message["call"] == "start":
                self._start(message)
            else:
                assert self._driver is not None
                result = getattr(self._driver, message["call"])(*message.get("arguments", ()))
                return self._check(result) if message["call"] == "read" else {}
        except BaseException as error:  # noqa: BLE001 (drivers may raise anything; the gateway decides what it means)
            trouble = sort_out(error)
            return from_trouble(trouble, _traceback(error) if trouble.reaction is Reaction.BUG else "")
        return {}

    def _start(self, message: Message) -> None:
        """Make the driver; and a new one when the gateway wants to begin anew with it."""
        if self._type is None or self._hardware is None:
            logs.setup(message["log"], "journal")
            _environment("PYTHONPATH", message["pythonpath"])
            module = load_again(message["module"], Path(message["file"]))
            self._type = attrgetter(message["class"])(module)
            self._hardware = ReaderHardware(_hardware(message["hardware"], message["device"]), self.stop)
        options = _options(self._type, message["options"])
        self._hardware.prepare(self._type, options)
        channels = {channel.name: channel for channel in self._type.channels_for(options)}
        kind = self._type.kind_for(options)
        self._check = lambda result: from_frozen(freeze(result, channels, kind))
        clock, started_ns = SystemClock(), message["started_ns"]
        runtime = DriverRuntime(
            message["device"], self._hardware, clock, self.stop, lambda: (clock.boot_ns() - started_ns) / 1e9
        )
        self._driver = self._type(options, runtime)


def _options(driver: type[Driver[Any]], values: dict[str, Any]) -> Any:
    """The driver's options from the values in the configuration, which the gateway has found to be right."""
    report = Report(values)
    options = build(driver.options_type, values, (), report)
    if options is INVALID:
        raise Misconfigured("its options are refused in its own process: was the driver's file changed?")
    return options


def _hardware(kind: str, device: str) -> Hardware:
    module, _, function = ("gateway.hardware.real:RealHardware" if kind == REAL else kind).partition(":")
    hardware: Hardware = getattr(importlib.import_module(module), function)(device)
    return hardware


def _environment(name: str, value: str | None) -> None:
    """Programs that the driver starts see the environment that the gateway was given."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _traceback(error: BaseException) -> str:
    with suppress(BaseException):  # formatting a traceback runs code of the exceptions in it
        return "in the driver's process:\n" + "".join(traceback.format_exception(error))
    return ""


def _socket() -> socket.socket:
    """The way to the gateway, out of the driver's reach: it may read from its standard input what it likes."""
    talk = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return talk


def _tie_to_the_gateway() -> None:
    """Die with the gateway also where the driver keeps the interpreter to itself. Only Linux can do that."""
    with suppress(ImportError, OSError, AttributeError, MemoryError):  # a hardened service may forbid ctypes
        import ctypes  # noqa: PLC0415 (there may be none)

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(signal.SIGKILL))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_VICTIM)


def _nothing(number: int, frame: FrameType | None) -> None:
    """A signal to all processes of the service is the gateway's business.

    It is handled and not ignored, because programs that the driver starts would inherit that.
    """


def main() -> None:
    """Serve until the gateway lets go."""
    _tie_to_the_gateway()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _nothing)
    faulthandler.register(signal.SIGUSR1)  # every thread's stack, even while the driver keeps the interpreter to itself
    control, device = int(sys.argv[1]), sys.argv[2]
    os.set_inheritable(control, False)
    room = Room(_socket())
    threads.show_name(threads.of_device(device))
    thread = threads.start(threads.of_device(device), room.serve)
    while order := os.read(control, 1):
        if order == b"s":
            room.stop.set()
        room.wake()
    thread.join(LAST_CALL)
    if thread.is_alive():
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
