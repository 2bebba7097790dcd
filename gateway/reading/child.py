"""The process of one isolated driver, as the gateway sees it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from gateway.reading.prints import Prints
from gateway.reading.trouble import Reaction, Relayed, Trouble
from gateway.reading.wire import LONGEST, Garbled, Message, decode, encode, to_trouble

GRACE = 2.0
"""Seconds from letting go of a process to killing it."""
EXIT = 1.0
"""Seconds that a process which has closed its side may take to end."""
MOST_PRINTED = 1_000_000
"""Bytes that are taken at one look of what a driver prints."""


class Child:
    """One process. :meth:`call` is for the device's thread, everything else for the main thread."""

    def __init__(self, device: str, hardware: str) -> None:
        """Start it. From the main thread: the kernel ends the process together with the thread that has started it.

        Raises ``OSError`` when the machine has no room for another process.
        """
        self.device = device
        self.hardware = hardware
        """The kind of hardware that its driver is given; see ``gateway.reading.isolated``."""
        self._talk, theirs = socket.socketpair()
        control, self._control = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 (this interpreter, with a module of ours)
                [sys.executable, "-P", "-u", "-m", "gateway.reading.isolated", str(control), device],
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=(control,),
                start_new_session=True,  # killing it reaches the programs that the driver has started, too
                env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path)},
            )
        except BaseException:
            os.close(self._control)
            self._talk.close()
            raise
        finally:
            theirs.close()
            os.close(control)
        self.pid = self._process.pid
        self._prints = Prints(device)
        self._ends_at: float | None = None
        self._buried = False
        assert self._process.stdout is not None
        self._printed = self._process.stdout.fileno()
        os.set_blocking(self._printed, False)
        os.set_blocking(self._control, False)

    # For the device's thread -----------------------------------------------------------------------------------------

    def call(self, message: Message) -> Message:
        """Ask and wait for the answer. Raises ``Relayed`` for the driver's trouble, and for that with the process."""
        try:
            self._talk.sendall(encode(message))
            answer = decode(self._line())
            trouble = to_trouble(answer)
        except OSError:
            raise Relayed(self.end_of_it()) from None
        except Garbled:
            raise Relayed(Trouble(Reaction.REPLACE, "its process does not say what it should")) from None
        if trouble is not None:
            raise trouble
        return answer

    def _line(self) -> bytes:
        """The answer, which ends with the only line end in it. ``OSError`` when the process has closed its side."""
        answer = bytearray()
        while not answer.endswith(b"\n"):
            piece = self._talk.recv(65_536)
            if not piece:
                raise ConnectionError
            answer += piece
            if len(answer) > LONGEST:
                raise Garbled
        return bytes(answer)

    # For any thread --------------------------------------------------------------------------------------------------

    def end_of_it(self) -> Trouble:
        """Why it has ended, in words. Waits a moment for the end of a process that has only closed its side."""
        if self._ends_at is not None:
            return Trouble(Reaction.REPLACE, "its process was ended")
        deadline = time.monotonic() + EXIT
        while (status := self._status()) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if status is None:
            return Trouble(Reaction.REPLACE, "its process has closed the connection")
        if status.si_code == os.CLD_EXITED:
            text, hint = f"its process has ended with exit code {status.si_status}", "the driver or a library ended it"
        else:
            name = signal.Signals(status.si_status).name
            text, hint = f"its process was ended by {name}", "the driver or a library of it has crashed"
            if status.si_status == signal.SIGKILL:
                hint = "killed from outside, or because the memory ran out (dmesg says so)"
        return Trouble(Reaction.REPLACE, text, hint)

    def _status(self) -> os.waitid_result | None:
        """How it has ended; it keeps its number until it is buried, so that the number is never another's."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None

    # For the main thread ---------------------------------------------------------------------------------------------

    @property
    def has_ended(self) -> bool:
        """Whether the process is over."""
        return self._buried or self._status() is not None

    def wake(self, *, stop: bool) -> None:
        """Wake the driver, and let it ``stop`` when that is so. Never waits: it may be deaf."""
        with suppress(OSError):
            os.write(self._control, b"s" if stop else b"w")

    def let_go(self) -> None:
        """It is of no more use: it ends by itself, or is killed when it does not."""
        if self._ends_at is None:
            self._ends_at = time.monotonic() + GRACE
            os.close(self._control)
            with suppress(OSError):  # not closed: the device's thread may just be at it
                self._talk.shutdown(socket.SHUT_RDWR)

    def kill(self) -> None:
        """End it now, with every program that the driver has started."""
        if not self._buried:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self.let_go()

    def tick(self) -> bool:
        """Log what it has printed, and see it off when it was let go. Whether there is still something of it."""
        if self._buried:
            return False
        self._prints.take(self._fresh())
        if self._ends_at is None:
            return True
        if self.has_ended:
            self.kill()  # the programs that it has started
            self._prints.take(self._fresh())
            self._bury()
        elif time.monotonic() >= self._ends_at:
            self.kill()
        return not self._buried

    def _bury(self) -> None:
        self._buried = True
        self._prints.end()
        self._process.wait()
        self._talk.close()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _fresh(self) -> bytes:
        fresh = bytearray()
        with suppress(BlockingIOError):
            while len(fresh) < MOST_PRINTED and (piece := os.read(self._printed, 65_536)):
                fresh += piece
        return bytes(fresh)
