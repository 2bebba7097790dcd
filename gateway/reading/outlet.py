"""The way of one device's samples from its reader to the queue: transformed, held back, limited, handed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from gateway.config.settings import DeviceSettings
from gateway.delivery.queue import DeviceQueue
from gateway.driver import Kind
from gateway.reading.freeze import Frozen
from gateway.reading.memory import DeviceMemory, Report
from gateway.reading.pace import RateLimit
from gateway.reading.presence import Presence
from gateway.reading.reading import Sample
from gateway.reading.transform import Gate, Published, Transform


@dataclass(frozen=True, slots=True)
class Taken:
    """What one read brought, and when it returned."""

    frozen: Frozen
    wall_ns: int
    boot_ns: int


class Outcome(Enum):
    """How handing over went."""

    DONE = "done"
    TOO_FAST = "some of it was dropped, because there are more than max_rate a second"
    REPLACED = "another generation has taken this reader's place"


class Outlet:
    """One generation's way out."""

    def __init__(
        self,
        settings: DeviceSettings,
        queue: DeviceQueue,
        *,
        report: Report,
        memory: DeviceMemory,
        trust: Callable[[], str | None],
        boot_ns: int,
    ) -> None:
        self._queue = queue
        self._generation = queue.claim(settings.kind)
        self._report = report
        self._trust = trust
        self._rate = RateLimit(settings.max_rate, boot_ns)
        self._transform = Transform(settings.channels, settings.kind)
        self._gate = Gate(settings.channels, settings.kind)
        self._lasts = settings.kind is Kind.STATE
        self._condition: Published | None = None
        self._presence = None if settings.presence is None else Presence(settings.presence, report, memory)

    def reset(self, now_ns: int) -> None:
        """The device was opened: the next sample is published whatever a deadband says."""
        self._gate.reset()
        self._condition = None
        if self._presence is not None:
            self._presence.opened(now_ns)

    def see(self, frozen: Frozen, boot_ns: int) -> Frozen:
        """What there is to deliver of one good read: of the tags on a reader, the events. Raises ``BadReading``."""
        return frozen if self._presence is None else self._presence.see(frozen, boot_ns)

    def deliver(self, taken: Taken, due_ns: int) -> Outcome:
        """Hand over what came. All samples of one read have the same time, and keep their order.

        A state device that has nothing new is still as it was: that is published once the heartbeat has passed.
        """
        outcome = self._deliver(taken, due_ns)
        if self._presence is not None and outcome is not Outcome.REPLACED:
            self._presence.settle()
        return outcome

    def _deliver(self, taken: Taken, due_ns: int) -> Outcome:
        outcome = Outcome.DONE
        for sample in taken.frozen.samples:
            values = self._transform.apply(sample)
            if self._lasts:
                self._condition = values
            if not self._gate.passes(values, due_ns):
                self._report.count("suppressed")
                continue
            one = self._put(values, taken, due_ns)
            if one is Outcome.REPLACED:
                return one
            outcome = one if one is Outcome.TOO_FAST else outcome
        if not taken.frozen.samples and self._condition is not None and self._gate.passes(self._condition, due_ns):
            return self._put(self._condition, taken, due_ns)
        return outcome

    def _put(self, values: Published, taken: Taken, due_ns: int) -> Outcome:
        if not self._rate.allows(taken.boot_ns):
            return Outcome.TOO_FAST if self._queue.refuse(self._generation, "rate") else Outcome.REPLACED
        if not self._queue.put(self._generation, Sample(values, taken.wall_ns, taken.boot_ns, self._trust())):
            return Outcome.REPLACED
        self._gate.published(values, due_ns)
        return Outcome.DONE
