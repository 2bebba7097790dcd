"""The one value that walks through the house."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.driver import Kind, Scalar


@dataclass(frozen=True, slots=True)
class Sample:
    """What a reader hands to the queue: values that are checked, converted and frozen, with the time they were read."""

    values: tuple[tuple[str, Scalar], ...]
    """Payload key to value, in the order of the channels. Never NaN or infinite."""
    wall_ns: int
    """When ``read`` returned: CLOCK_REALTIME, nanoseconds since 1970 UTC."""
    boot_ns: int
    """The same instant on CLOCK_BOOTTIME, in nanoseconds. Ages and intervals use only this one."""
    clock: str | None
    """``None`` when the wall clock was trusted at that time, else ``"unsynced"``."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An accepted sample. (gateway, ``device``, ``run``, ``seq``) is its identity on every delivery."""

    device: str
    run: str
    seq: int
    kind: Kind
    sample: Sample
