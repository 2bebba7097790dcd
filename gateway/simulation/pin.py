"""A pin of a simulation, and what is connected to it."""

from __future__ import annotations

import math
import threading
from bisect import insort
from collections.abc import Callable

from gateway.driver import DeviceUnavailable
from gateway.hardware.protocols import Edge, Pull
from gateway.simulation.held import Held

MOST_EDGES = 1024
"""Changes that wait for ``wait_for_edge``; then the oldest is lost, as in the kernel."""


class Pin(Held):
    """A pin and what is connected to it, as an input or an output of the driver.

    ``set`` is the level that the device puts on an input, now or later: ``pin.set(True, after=2.0)``. Levels are those
    of the wire: true is high, also where the driver calls low active.

    ``written`` is what the driver made of an output: ``(time, level)`` each. ``on_write`` is called with the level, so
    that a test can let another pin answer.
    """

    def __init__(self, level: bool = False, *, on_write: Callable[[bool], object] | None = None) -> None:  # noqa: FBT001, FBT002 (a level)
        super().__init__()
        self.level = level
        self.pull: Pull | None = None
        """The resistor that the driver asked for."""
        self.plugged_in = True
        self.written: list[tuple[float, bool]] = []
        self.lost = 0
        self._on_write = on_write
        self._lock = threading.RLock()  # what is connected may be moved by another thread
        self._coming: list[tuple[float, bool | Callable[[], object]]] = []
        self._at: float | None = None
        """When what is called at this moment was due."""
        self._edges: list[Edge] = []
        self._reported = level
        self._active_low = False
        self._debounce = 0.0

    # The device's side ------------------------------------------------------------------------------------------------

    def set(self, level: bool, *, after: float = 0.0) -> None:  # noqa: FBT001 (a level)
        """Make the wire high or low, now or ``after`` so many seconds."""
        self._plan(after, level)
        if self._at is None:
            self._pass_by()

    def call(self, after: float, function: Callable[[], object]) -> None:
        """Call a function ``after`` so many seconds, in which more can be set and called."""
        self._plan(after, function)

    def unplug(self) -> None:
        """Take the pin away, as a GPIO expander on USB that is pulled out, or a pin that another program uses."""
        self.plugged_in = False

    def plug_in(self) -> None:
        """Bring it back."""
        self.plugged_in = True

    # The driver's side, see gateway.hardware.protocols.GPIOInput and GPIOOutput ---------------------------------------

    def open(self, *, active_low: bool, pull: Pull | None = None, debounce: float = 0.0) -> None:
        """Give it to a driver."""
        if not self.plugged_in:
            raise DeviceUnavailable("the pin is in use by another program")
        if self.is_open:
            raise DeviceUnavailable("the pin is in use by another device of this gateway")
        self._pass_by()
        self.pull, self._active_low, self._debounce = pull, active_low, debounce
        self._reported = self.level
        self._edges.clear()
        self.lost = 0
        self.is_open = True

    @property
    def value(self) -> bool:
        """Whether it is active now."""
        self._check()
        self._pass_by()
        return (self._reported if self._debounce else self.level) is not self._active_low

    def wait_for_edge(self, timeout: float) -> Edge | None:
        """The oldest change that was not told yet, or the next within ``timeout`` s."""
        if not 0 <= timeout < math.inf:
            raise ValueError(f"a wait for an edge is finite and not negative, not {timeout}")
        self._check()
        deadline = self.time.now + timeout
        self._pass_by()
        while not self._edges and self.time.now < deadline:
            ended = self.time.wait(min([deadline, *self._news()]) - self.time.now)
            self._check()
            self._pass_by()
            if ended:
                break
        with self._lock:
            return self._edges.pop(0) if self._edges else None

    def write(self, value: bool) -> None:  # noqa: FBT001 (as in the protocol)
        """Make it active or not."""
        self._check()
        self.level = value is not self._active_low
        self.written.append((self.time.now, self.level))
        if self._on_write is not None:
            self._on_write(self.level)

    def _check(self) -> None:
        if not self.is_open:
            raise DeviceUnavailable("the pin is closed")
        if not self.plugged_in:
            raise DeviceUnavailable("the pin is gone")

    def _news(self) -> list[float]:
        """Times after now at which something may happen."""
        with self._lock:
            times = [at for at, _ in self._coming]
            if self.level is not self._reported:
                times.append(self._since + self._debounce)
        return [at for at in times if at > self.time.now]

    _since = 0.0
    """When the level last changed."""

    def _pass_by(self) -> None:
        """Let everything happen that was to happen until now."""
        with self._lock:
            while self._coming and self._coming[0][0] <= self.time.now:
                self._at, what = self._coming.pop(0)
                self._settle(self._at)
                if callable(what):
                    what()
                elif what is not self.level:
                    self.level, self._since = what, self._at
            self._at = None
            self._settle(self.time.now)

    def _plan(self, after: float, what: bool | Callable[[], object]) -> None:  # noqa: FBT001 (a level)
        with self._lock:
            now = self.time.now if self._at is None else self._at
            insort(self._coming, (now + after, what), key=lambda item: item[0])
        self.time.nudge()

    def _settle(self, now: float) -> None:
        """Report a level that has lasted."""
        if self.level is self._reported or now < self._since + self._debounce:
            return
        self._reported = self.level
        if self.is_open:
            self._edges.append(Edge(self.level is not self._active_low, self._since + self._debounce))
            if len(self._edges) > MOST_EDGES:
                del self._edges[0]
                self.lost += 1
