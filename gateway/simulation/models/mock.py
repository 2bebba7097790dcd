"""The mock driver is a simulation itself, and uses no hardware."""

from __future__ import annotations

from typing import Any

from gateway.simulation.world import World


def attach(world: World, options: Any) -> None:
    """Nothing is needed."""
    del world, options
