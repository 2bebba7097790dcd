"""A program that a test makes up."""

from __future__ import annotations

from gateway.simulation.program import Program


class FakeProcess(Program):
    """A program; :class:`FakeHardware` has them by name: ``processes={"rtl_433": program}``."""
