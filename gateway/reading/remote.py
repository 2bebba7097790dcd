"""A driver in a process of its own, as its reader sees it: it is made, opened, read and released like any other."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Protocol

from gateway.config.settings import DeviceSettings
from gateway.driver import Settable
from gateway.reading.freeze import Frozen
from gateway.reading.memory import DeviceMemory
from gateway.reading.wire import Message, to_frozen

START = 30.0
"""Seconds that the process may take to start: that is the machine's time, not the device's."""


class Process(Protocol):
    """What a reader needs of a :class:`gateway.reading.child.Child`."""

    pid: int

    def call(self, message: Message) -> Message:
        """Ask and wait for the answer."""

    def wake(self, *, stop: bool) -> None:
        """Wake the driver."""

    @property
    def hardware(self) -> str:
        """The kind of hardware that it has; see ``gateway.reading.isolated``."""


class Remote:
    """See :class:`gateway.reading.home.Home`."""

    def __init__(self, process: Process, settings: DeviceSettings, memory: DeviceMemory, stop: threading.Event) -> None:
        self.moving_in = max(START, settings.open_timeout)
        self._process = process
        self._settings = settings
        self._memory = memory
        self._stop = stop
        self._channels = {one.channel.name: one.channel for one in settings.channels}
        self.waiting = False
        """See :class:`gateway.reading.home.Home`: a driver in a process shares its bus with nobody."""

    def new_driver(self) -> RemoteDriver:
        """Let the process make a driver object. Raises what making it raises there."""
        settings, driver = self._settings, self._settings.driver_type
        assert driver is not None
        self._process.call(
            {
                "call": "start",
                "device": settings.device,
                "module": driver.__module__,
                "file": getattr(sys.modules.get(driver.__module__), "__file__", None) or "",
                "class": driver.__qualname__,
                "options": settings.written,
                "hardware": self._process.hardware,
                "started_ns": self._memory.start(),
                "pythonpath": os.environ.get("PYTHONPATH"),
                "log": logging.getLevelName(logging.getLogger().getEffectiveLevel()).lower(),
            }
        )
        return RemoteDriver(self._process)

    def check(self, answer: Message) -> Frozen:
        """What ``read`` has brought: checked where the driver is, and once more here."""
        return to_frozen(answer, self._channels, self._settings.kind)

    def wake(self) -> None:
        """End what the driver waits for. For the main thread."""
        self._process.wake(stop=self._stop.is_set())

    def forget(self) -> None:
        """The driver has released everything: that is its process's affair."""


class RemoteDriver:
    """The methods of a driver that the reader calls."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def open(self) -> None:
        """See :meth:`gateway.driver.Driver.open`."""
        self._process.call({"call": "open"})

    def read(self) -> Message:
        """See :meth:`gateway.driver.Driver.read`; :meth:`Remote.check` makes values of what comes."""
        return self._process.call({"call": "read"})

    def write(self, channel: str, value: Settable) -> None:
        """See :meth:`gateway.driver.Driver.write`."""
        self._process.call({"call": "write", "arguments": [channel, value]})

    def reset(self) -> None:
        """See :meth:`gateway.driver.Driver.reset`."""
        self._process.call({"call": "reset"})

    def release(self) -> None:
        """See :meth:`gateway.driver.Driver.release`."""
        self._process.call({"call": "release"})
