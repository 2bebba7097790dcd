"""The simulated hardware of a driver that lives in a process of its own; see :mod:`gateway.reading.isolated`."""

from __future__ import annotations

from gateway.simulation.hardware import SimulatedHardware
from gateway.simulation.world import World

HARDWARE = f"{__name__}:hardware"
"""How the process is told."""


def hardware(device: str) -> SimulatedHardware:
    """A world with one device in it, which has a bus for itself, as any driver in a process."""
    return SimulatedHardware(device, World())
