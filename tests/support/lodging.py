"""For tests of isolated drivers: a driver's file from a few lines of code, and a process that it lives in."""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.clocks import SystemClock
from gateway.config.load import loads
from gateway.config.settings import DeviceSettings
from gateway.driver import Scalar
from gateway.reading.child import Child
from gateway.reading.home import Openable
from gateway.reading.memory import DeviceMemory
from gateway.reading.remote import Remote
from support.waiting import wait_until

TINY = '''"""Does what a test wants."""

import ctypes, os, signal, subprocess, sys, threading, time
from pathlib import Path

from gateway.driver import *


class Tiny(Driver):
    channels = (Channel("text", type=str), Channel("number"), Channel("flag", type=bool))
    interval = "50ms"

    def open(self):
{open}

    def read(self):
{read}

    def close(self):
{close}

    def reset(self):
{reset}

    def write(self, channel, value):
{write}
'''


def tiny(folder: Path, read: str, *, name: str = "tiny", **others: str) -> Path:
    """Write a driver whose methods have these bodies; the folder it is in, for ``drivers_dir``."""
    bodies = {"open": "pass", "close": "pass", "reset": "pass", "write": "pass", "read": read, **others}
    indented = {key: textwrap.indent(textwrap.dedent(body).strip(), " " * 8) for key, body in bodies.items()}
    (folder / f"{name}.py").write_text(TINY.format(**indented))
    return folder


def devices(folder: Path, text: str) -> tuple[DeviceSettings, ...]:
    """The devices of a configuration, with the drivers in ``folder``."""
    return loads(f'[gateway]\nid = "test"\ndrivers_dir = "{folder}"\n{text}', folder=folder, strict=True).devices


class Lodging:
    """One process with one driver in it, without a reader and a supervisor."""

    def __init__(self, settings: DeviceSettings, hardware: str = "real") -> None:
        self.stop = threading.Event()
        self.memory = DeviceMemory(settings.device, SystemClock())
        self.child = Child(settings.device, hardware)
        self.remote = Remote(self.child, settings, self.memory, self.stop)
        self.driver: Openable | None = None

    def open(self) -> None:
        """Make the driver and open it."""
        self.driver = self.remote.new_driver()
        self.driver.open()

    def read(self) -> dict[str, Scalar]:
        """The only reading of one ``read``."""
        assert self.driver is not None
        (sample,) = self.remote.check(self.driver.read()).samples
        return sample

    def reading(self) -> Reading:
        """A ``read`` that is under way in a thread."""
        assert self.driver is not None
        return Reading(self.driver)

    def leave(self) -> None:
        """Close, let the process go, and see it off."""
        self.child.let_go()
        self.seen_off()

    def seen_off(self, timeout: float = 20.0) -> float:
        """Wait until nothing of the process is left; the seconds that it took."""
        began = time.monotonic()
        wait_until(lambda: not self.child.tick(), timeout, "the end of the process")
        return time.monotonic() - began


class Reading:
    """One ``read``, waited for by a thread."""

    def __init__(self, driver: Openable) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(driver.read,), daemon=True)
        self._thread.start()

    def _run(self, read: Callable[[], Any]) -> None:
        try:
            self.result = read()
        except BaseException as error:  # noqa: BLE001 (whatever it is, the test wants to see it)
            self.error = error

    def wait(self, timeout: float = 5.0) -> float:
        """Until it has returned; the seconds that it took."""
        began = time.monotonic()
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the read does not return"
        return time.monotonic() - began

    @property
    def returned(self) -> bool:
        """Whether it has."""
        return not self._thread.is_alive()


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    return _state(pid) not in ("", "Z")


def sleeps(pid: int) -> bool:
    """Whether a process waits for something: its main thread, in a call of the system."""
    return _state(pid) == "S"


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
