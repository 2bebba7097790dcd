"""Programs that run for a device: started without a shell, read line by line, and never left behind."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gateway.driver import BadReading, DeviceUnavailable
from gateway.hardware.waker import Waker

WRITE = 1.0
"""Seconds that a program may take to take what it is given."""
GRACE = 1.0
"""Seconds from asking a program to end to killing it."""
LONGEST_SAID = 200
"""Characters of its last words."""

TIE = (sys.executable, "-I", "-S", str(Path(__file__).with_name("tied.py")))
"""What becomes the program, see there. Our process number and the program's words follow."""


def start(command: Sequence[str], env: Mapping[str, str] | None, line_limit: int) -> RealChildProcess:
    """See :meth:`gateway.driver.Driver.process`."""
    if not command or isinstance(command, str):
        raise TypeError(f"a command is a list of words, not {command!r}")
    environment = {**os.environ, **(env or {})}
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        raise DeviceUnavailable(f"there is no program {command[0]}", hint="install it, or give its whole path")
    tie = (*TIE, str(os.getpid())) if sys.platform == "linux" else ()
    words = [*tie, program, *command[1:]]
    try:
        process = subprocess.Popen(  # noqa: S603 (the driver's words, and no shell)
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
            process_group=0,  # Ctrl-C at the terminal is not for it, and what it starts ends with it
        )
    except (OSError, ValueError) as error:
        raise DeviceUnavailable(f"{command[0]} cannot be started: {error}") from error
    return RealChildProcess(process, command[0], line_limit)


class RealChildProcess:
    """See :class:`gateway.hardware.protocols.ChildProcess`."""

    waiting = False
    """Nobody else uses it."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, line_limit: int) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._name = name
        self._limit = line_limit
        self._in, self._out, self._err = (one.fileno() for one in (process.stdin, process.stdout, process.stderr))
        for descriptor in (self._in, self._out, self._err):
            os.set_blocking(descriptor, False)
        self._waker = Waker()
        self._reading = [self._out, self._err]
        """What has not ended yet."""
        self._printed = bytearray()
        self._skipping = False
        self._said = bytearray()
        self._lock = threading.Lock()  # for its end: by its owner, or by another thread
        self._buried = False
        self._taken = False
        self.closed = False

    @property
    def returncode(self) -> int | None:
        """See :class:`gateway.hardware.protocols.ChildProcess`."""
        with self._lock:
            if self._buried:
                return self._process.returncode
            with suppress(ChildProcessError):
                # it keeps its number until it is buried, so that nobody else's group is ever killed
                status = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if status is not None:
                    return status.si_status if status.si_code == os.CLD_EXITED else -status.si_status
        return None

    def read_line(self, timeout: float) -> bytes | None:
        """See :class:`gateway.hardware.protocols.ChildProcess`."""
        if not 0 <= timeout < math.inf:
            raise ValueError(f"a wait for a line is finite and not negative, not {timeout}")
        deadline = time.monotonic() + timeout
        while True:
            self._check()
            line = self._line()
            if line is not None:
                return line
            if self._out not in self._reading:
                raise self._end()
            left = deadline - time.monotonic()
            ready = self._waker.wait(max(0.0, left), self._reading)
            self._check()
            for descriptor in ready:
                self._pull(descriptor)
            if self._out not in ready and (not ready or left <= 0):
                if self.returncode is not None:  # a program that it has started may have the other end of its output
                    raise self._end()
                return None

    def write(self, data: bytes) -> None:
        """See :class:`gateway.hardware.protocols.ChildProcess`."""
        deadline = time.monotonic() + WRITE
        left = memoryview(data)
        while left:
            self._check()
            try:
                left = left[os.write(self._in, left[: 64 * 1024]) :]
            except BlockingIOError:
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._waker.wait(remaining, [], [self._in]):
                    raise DeviceUnavailable(f"{self._name} takes no data") from None
            except OSError as error:
                raise self._end() from error

    def cancel_wait(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""
        self._waker.wake()

    def close(self) -> None:
        """See :class:`gateway.hardware.protocols.Handle`."""
        if self.closed:
            return
        self.closed = True
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while self.returncode is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self._bury()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(OSError):  # what was not taken yet
                    stream.close()
        self._waker.close()

    def take_away(self) -> None:
        """For another thread than the owner's: end the program. The descriptors are closed by their owner."""
        self._taken = True
        self._bury()
        self._waker.wake()

    def _bury(self) -> None:
        """Kill it and what it has started, and see it off."""
        self._signal(signal.SIGKILL)
        with self._lock:
            if not self._buried:
                with suppress(subprocess.TimeoutExpired):  # a driver of the kernel may hold it for ever
                    self._process.wait(GRACE)
                self._buried = True

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if not self._buried:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, number)

    def _check(self) -> None:
        if self.closed or self._taken:
            raise DeviceUnavailable(f"{self._name} is closed")

    def _pull(self, descriptor: int) -> None:
        """Take what has come from it."""
        try:
            piece = os.read(descriptor, 64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._reading.remove(descriptor)
        elif descriptor == self._out:
            self._printed += piece
        else:
            self._said = (self._said + piece)[-4096:]

    def _line(self) -> bytes | None:
        """The next line that is there as a whole, or the rest after which nothing comes."""
        end = self._printed.find(b"\n")
        if end > self._limit or (end < 0 and len(self._printed) > self._limit):
            self._skipping = True
        if end < 0:
            if self._skipping:
                self._printed.clear()
            if self._out in self._reading or not (self._printed or self._skipping):
                return None
            end = len(self._printed)
        line = bytes(self._printed[:end]).removesuffix(b"\r")
        del self._printed[: end + 1]
        if self._skipping:
            self._skipping = False
            raise BadReading(f"{self._name} printed a line of more than {self._limit} bytes")
        return line

    def _end(self) -> DeviceUnavailable:
        """Why it has ended, in words."""
        deadline = time.monotonic() + GRACE
        while (code := self.returncode) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        while self._err in self._reading and self._waker.wait(0, [self._err]):
            self._pull(self._err)
        lines = [line.strip() for line in self._said.decode(errors="replace").splitlines()]
        said = next((line[:LONGEST_SAID] for line in reversed(lines) if line), "")
        if code is None:
            how = "has closed its output"
        elif code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        else:
            how = f"has ended with exit code {code}"
        return DeviceUnavailable(f"{self._name} {how}" + (f": {said}" if said else ""))
