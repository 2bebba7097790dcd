"""Anything on a pin that is on or off: a button, a reed contact at a door, a motion sensor, the output of a module.

Wiring: button and reed contact between the pin and GND; the pull-up is in the Raspberry Pi, long cables want one more
of 4.7 kΩ to 3.3 V and 100 nF to GND. A motion sensor (HC-SR501, AM312) has VCC (HC-SR501: 5 V, AM312: 3.3 V), GND and
OUT, which is 3.3 V and goes to the pin. Never put 5 V on a pin. ``pin`` is the number of the GPIO, not of the place
on the header.

Sample:

    [devices.front-door]
    driver = "gpio"
    profile = "contact"                 # or motion, button, input
    pin = 17
    device_class = "door"

Traps: a motion sensor triggers at random for up to a minute after power-on: nothing is read before ``warm_up`` has
passed since the gateway's start. It holds its output for some seconds, so a person who stays is seen again and again,
with pauses. GPIO2 and GPIO3 have pull-ups that stay; GPIO0 and GPIO1 belong to the HAT's memory. Contacts bounce for
some ms: a level has to last for ``debounce``. A button's press that ends within that time is not seen.

Sources: the kernel's GPIO character device (include/uapi/linux/gpio.h) for edges and debounce; data sheet of
BISS0001, the chip of the HC-SR501.
"""

from __future__ import annotations

from typing import Literal

from gateway.driver import (
    Channel,
    Driver,
    Duration,
    GPIOInput,
    GPIOOptions,
    Kind,
    Misconfigured,
    Pull,
    Result,
    Values,
    option,
    options,
)

WAIT = 0.9
"""Seconds that one ``read`` waits for news: it has to be back within 1 s."""
MOST = 1024
"""Changes that one ``read`` takes at most."""

PROFILES: dict[str, tuple[str, str | None, Pull, bool, float]] = {
    "input": ("active", None, "none", False, 0.0),
    "contact": ("open", "opening", "up", False, 0.0),
    "motion": ("motion", "motion", "down", False, 60.0),
    "button": ("pressed", None, "up", True, 0.0),
}
"""Channel, device class, resistor, low active, warm-up in seconds."""


@options
class Options(GPIOOptions):
    """The pin, and what is on it. What is not given is the profile's."""

    profile: Literal["input", "contact", "motion", "button"] = option("input", help="what is on the pin")
    pull: Literal["auto", "up", "down", "none"] = option("auto", help="the pin's resistor")
    active_low: bool | None = option(None, help="true: low is on")
    debounce: Duration = option("20ms", min=0, max=1, help="how long a level has to last before it counts")
    warm_up: Duration | None = option(None, min=0, help="how long after the start to wait; motion: 60s")
    device_class: str | None = option(
        None, help="its device class in Home Assistant, such as door, window or vibration"
    )
    events: bool = option(False, help="button: each press and each release is an event, instead of a state")


class Gpio(Driver[Options]):
    """Lets the kernel notice every change."""

    options_type = Options
    kind = Kind.STATE
    interval = None

    pin: GPIOInput
    _told: bool
    """Whether the state was told since the pin was opened."""
    _lost: int
    _pressed_at: float | None

    @classmethod
    def kind_for(cls, options: Options) -> Kind:
        """A state, but for a button with ``events``."""
        return Kind.EVENT if options.events else Kind.STATE

    @classmethod
    def channels_for(cls, options: Options) -> tuple[Channel, ...]:
        """One; of events also how long it was held."""
        name, device_class, *_ = PROFILES[options.profile]
        if options.events:
            if options.profile != "button":
                raise Misconfigured('events: only with profile = "button"')
            held = Channel("held", "s", "duration", precision=2, help="released: how long it was held")
            return Channel("event", type=str, choices=("pressed", "released")), held
        try:
            return (Channel(name, None, options.device_class or device_class, type=bool),)
        except ValueError as error:
            raise Misconfigured(f"device_class: {error}") from error

    def open(self) -> None:
        """Get hold of the pin."""
        o = self.options
        _, _, pull, active_low, _ = PROFILES[o.profile]
        self.pin = self.gpio(
            o.pin,
            pull=pull if o.pull == "auto" else o.pull,
            active_low=active_low if o.active_low is None else o.active_low,
            debounce=o.debounce,
        )
        self._told = False
        self._lost = 0
        self._pressed_at = None

    def read(self) -> Result:
        """Every change that came; waits for the first. To begin with how it is now."""
        warm_up = PROFILES[self.options.profile][-1] if self.options.warm_up is None else self.options.warm_up
        if self.elapsed() < warm_up:
            self.wait(min(WAIT, warm_up - self.elapsed()))
            return None
        return self._events() if self.options.events else self._states()

    def _states(self) -> Result:
        name = PROFILES[self.options.profile][0]
        if not self._told:
            self._told = True
            while self.pin.wait_for_edge(0):  # of the warm-up: they say nothing
                pass
            return {name: self.pin.value}
        states: list[Values] = []
        while len(states) < MOST and (edge := self.pin.wait_for_edge(0 if states else WAIT)):
            states.append({name: edge.value})
        if self.pin.lost != self._lost:  # it changed too fast: how it is now is right in any case
            self._lost = self.pin.lost
            states.append({name: self.pin.value})
        return states or None

    def _events(self) -> Result:
        events: list[Values] = []
        while len(events) < MOST and (edge := self.pin.wait_for_edge(0 if events else WAIT)):
            if edge.value:
                self._pressed_at = edge.time
                events.append({"event": "pressed"})
            else:
                held = None if self._pressed_at is None else round(edge.time - self._pressed_at, 3)
                self._pressed_at = None
                events.append({"event": "released", "held": held})
        return events or None
