"""A pin that a test makes up."""

from __future__ import annotations

from gateway.simulation.pin import Pin


class FakeGPIO(Pin):
    """A pin; :class:`FakeHardware` has them by number: ``gpio={17: wire}``."""
