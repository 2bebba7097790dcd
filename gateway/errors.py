"""The three errors of drivers, each a reaction of the runtime; drivers import them from :mod:`gateway.driver`."""

from __future__ import annotations


class DriverError(Exception):
    """The base of the three errors; each names what the runtime does next. ``hint`` says what a person can do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class DeviceUnavailable(DriverError):
    """The device cannot be reached: close it, wait, open it again. Any ``OSError`` counts as this."""


class BadReading(DriverError):
    """The device answered, but not with something to publish: count it and poll again."""


class Misconfigured(DriverError):
    """Trying again cannot help before the configuration changes: stop this device."""
