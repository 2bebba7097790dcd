"""From a driver's values to what is published: scale, offset, range, unit, digits; and what a deadband holds back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.config.settings import ChannelSettings
from gateway.driver import Kind, Scalar
from gateway.units import converter

Published = tuple[tuple[str, Scalar], ...]
"""Payload key to value, in the order of the channels."""
EXACT = 2**63
"""Beyond this a number without decimals stays a float."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What is done to one channel."""

    name: str
    settings: ChannelSettings
    convert: Callable[[float], float] | None

    def apply(self, value: Scalar) -> Scalar:
        """The published value; null for a number outside its range."""
        if value is None or isinstance(value, bool | str):
            return value
        settings = self.settings
        try:
            number = value if settings.scale is None else value * settings.scale
            number = number if settings.offset is None else number + settings.offset
            # Written so that a NaN, which an overflow can leave behind, is outside as well.
            if settings.min is not None and not number >= settings.min:
                return None
            if settings.max is not None and not number <= settings.max:
                return None
            if self.convert is not None:
                number = self.convert(number)
            if settings.digits is not None:
                number = round(number, settings.digits)
                if settings.digits <= 0 and abs(number) < EXACT:
                    number = int(number)
            elif number is not value:
                number = float(f"{number:.14g}")  # 20 °C is 68 °F, not 67.99999999999999
        except ArithmeticError:  # beyond the range of floats on the way
            return None
        if not math.isfinite(number):
            return None
        return number + 0  # never -0.0


class Transform:
    """The channels of one device as they are published."""

    def __init__(self, channels: Sequence[ChannelSettings], kind: Kind) -> None:
        self._complete = kind is not Kind.EVENT
        self._steps = tuple(
            _Step(settings.channel.name, settings, _conversion(settings)) for settings in channels if settings.enabled
        )
        self._known = frozenset(settings.channel.name for settings in channels)

    def apply(self, sample: Mapping[str, Scalar]) -> Published:
        """What is published of one sample.

        A sampled or state device always has all its enabled channels, null where there is no value; an event has what
        it came with, ``event`` and ``tag`` and the like first.
        """
        extras = [(name, value) for name, value in sample.items() if name not in self._known]
        return (
            *extras,
            *(
                (step.settings.key, step.apply(sample.get(step.name)))
                for step in self._steps
                if self._complete or step.name in sample
            ),
        )


def _conversion(settings: ChannelSettings) -> Callable[[float], float] | None:
    before, after = settings.channel.unit, settings.unit
    return converter(before, after) if before is not None and after is not None and before != after else None


class Gate:
    """Decides which readings of a device are published where deadbands, or the kind *state*, hold some back.

    A reading passes when it is the first after an open; when a number with a deadband has moved at least that much
    since the last reading that was published; when a boolean or a text has changed, or any channel to or from null;
    and when the smallest heartbeat has passed. For a state device a number without a deadband passes on any change.
    """

    def __init__(self, channels: Sequence[ChannelSettings], kind: Kind) -> None:
        enabled = [settings for settings in channels if settings.enabled]
        self._deadbands = {settings.key: settings.deadband for settings in enabled}
        state = kind is Kind.STATE
        beating = [settings.heartbeat for settings in enabled if state or settings.deadband is not None]
        self._any_change = state
        self.active = kind is not Kind.EVENT and bool(beating)
        # The instants of polls on the wall clock (`align`) move a little against boot time: hence the tolerance.
        self._heartbeat = int(min(beating, default=0.0) * 1e9) - 50_000_000
        self._last: dict[str, Scalar] | None = None
        self._last_ns = 0

    def reset(self) -> None:
        """The device was opened: what comes next is published."""
        self._last = None

    def passes(self, values: Published, due_ns: int) -> bool:
        """Whether to publish. ``due_ns``: when this poll was due, on boot time; so a late poll shifts no heartbeat."""
        last = self._last
        if not self.active or last is None or due_ns - self._last_ns >= self._heartbeat:
            return True
        return any(self._moved(key, last.get(key), value) for key, value in values)

    def published(self, values: Published, due_ns: int) -> None:
        """These values went out."""
        self._last = dict(values)
        self._last_ns = due_ns

    def _moved(self, key: str, before: Scalar, now: Scalar) -> bool:
        if before is None or now is None or isinstance(before, bool | str) or isinstance(now, bool | str):
            return type(before) is not type(now) or before != now
        deadband = self._deadbands.get(key)
        if deadband is None:
            return self._any_change and before != now
        step = abs(now - before)
        return step >= deadband or math.isclose(step, deadband, rel_tol=1e-6)
