"""What is on a pin, and moves by itself: a door, somebody who walks by, a button that is pressed."""

from __future__ import annotations

from typing import Any

from gateway.simulation.pin import Pin
from gateway.simulation.world import World

TIMES = {"contact": (20.0, 10.0), "motion": (25.0, 5.0), "button": (9.0, 0.4), "input": (10.0, 10.0)}
"""Seconds that it is off and on, by profile."""
LOW_IS_ON = frozenset({"button"})
"""Profiles that connect the pin to GND when they are on, where the options say nothing else."""


def attach(world: World, options: Any) -> Pin:
    """It is off and on in turn, from now on; ``set`` moves it as well."""
    pin = world.pin(options.pin)
    off, on = TIMES[options.profile]
    low_is_on = options.profile in LOW_IS_ON if options.active_low is None else options.active_low
    pin.set(low_is_on)

    def turn() -> None:
        pin.set(not pin.level)
        is_on = pin.level is not low_is_on
        pin.call(on if is_on else off, turn)

    pin.call(off, turn)
    return pin
