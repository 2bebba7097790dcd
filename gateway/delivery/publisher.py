"""The publisher: takes readings from the queue, and sees each one through to its acknowledgement.

One thread runs :meth:`Publisher.run` and owns all of this: store, lanes, the map of what is in flight, every publish
call. It waits on the inbox for readings, the connection and timers. A row leaves the store with its PUBACK, not before.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping

from gateway.clocks import Clock
from gateway.delivery.bulletin import Bulletin
from gateway.delivery.correction import Correction
from gateway.delivery.farewell import Farewell, Stop
from gateway.delivery.in_flight import InFlight
from gateway.delivery.intake import Intake, LedgerOf, Route
from gateway.delivery.lanes import Lanes, Send, Way
from gateway.delivery.link import TAKEN_OVER, Link
from gateway.delivery.message import Message
from gateway.delivery.mqtt import Acked, Closed, Connected, Received, Unsendable
from gateway.delivery.probe import Probe
from gateway.delivery.queue import DeviceQueue, Inbox
from gateway.delivery.refusals import Refusals
from gateway.delivery.settlement import Settlement
from gateway.delivery.store import Row, Store
from gateway.delivery.taps import Taps
from gateway.delivery.task import Task
from gateway.delivery.twin import Twin
from gateway.reading.reading import Reading
from gateway.status.alarms import Alarms

log = logging.getLogger(__name__)

DRAIN = 200
"""Inbox items handled before the next look at timers and window."""
TICK = 0.25


class Publisher:
    """Everything between the queue and the connection."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        link: Link,
        lanes: Lanes,
        store: Store,
        bulletin: Bulletin,
        alarms: Alarms,
        correction: Correction,
        twin: Twin,
        ledger_of: LedgerOf,
        clock: Clock,
        window: int,
        stall: float,
    ) -> None:
        """``stall``: seconds after which an unacknowledged publish means that the connection is dead."""
        self._inbox = inbox
        self._link = link
        self._lanes = lanes
        self._store = store
        self._bulletin = bulletin
        self._correction = correction
        self._twin = twin
        self._clock = clock
        self._most_in_flight = window
        self._stall_ns = int(stall * 1e9)
        self._intake = Intake(store, lanes, ledger_of)
        self._in_flight = InFlight()
        self._turn_late = False
        self._refusals = Refusals(lanes, alarms, clock)
        self._probe = Probe()
        lanes.set_aside = self._probe.set_aside
        self._settlement = Settlement(
            store=store,
            lanes=lanes,
            bulletin=bulletin,
            correction=correction,
            refusals=self._refusals,
            probe=self._probe,
            ledger_of=ledger_of,
        )
        self._farewell: Farewell | None = None
        self._done = False
        self.beat_ns = clock.boot_ns()
        """When the loop last came round, for the watchdog."""
        self.failure: BaseException | None = None
        """What broke the publisher, if anything did."""
        self.lost_at_stop = 0
        """Readings that were only in memory when the publisher ended."""

    def set_routes(self, routes: Mapping[str, Route]) -> None:
        """Give the devices their topics; replaces the mapping, so any thread may call it.

        A device that is there no longer keeps its topics for readings that are on their way.
        """
        self._intake.routes = {**self._intake.routes, **routes}

    @property
    def taps(self) -> Taps:
        """Where readings can be seen as they are accepted. Any thread."""
        return self._intake.taps

    def configure(self, *, window: int, stall: float) -> None:
        """See the constructor. For tasks on this thread."""
        self._most_in_flight = window
        self._stall_ns = int(stall * 1e9)

    def under_way(self) -> list[Row]:
        """Readings that were sent and are not acknowledged. For tasks on this thread."""
        return [row for send in self._in_flight.sends() for row in send.rows]

    def stop(self, flush: float) -> None:
        """Ask the loop to end after at most ``flush`` seconds. Any thread."""
        self._inbox.post(Stop(flush))

    def run(self) -> None:
        """The thread's body. What breaks it is kept in ``failure``, for whoever finds the thread ended."""
        try:
            while not self._done:
                self.step()
            self._end()
        except BaseException as exc:  # a SystemExit, too, would end the thread in silence
            self.failure = exc
            log.error("the publisher broke: %s: %s", type(exc).__name__, exc)  # noqa: TRY400 (the traceback is for debug)
            log.debug("the publisher broke", exc_info=exc)
            self._link.give_up("the publisher broke")
            with contextlib.suppress(Exception):
                self._end()

    def step(self) -> None:
        """One round: wait, handle what came, send what may be sent."""
        now_ns = self._clock.boot_ns()
        self.beat_ns = now_ns
        items = self._inbox.drain(DRAIN, self._wait(now_ns))
        now_ns = self._clock.boot_ns()
        readings: list[Reading] = []
        for item in items:
            self._handle(item, readings, now_ns)
        if readings:
            self._intake.accept(readings)
        self._link.tick(now_ns / 1e9)
        self._check_stall(now_ns)
        self._correction.tick()
        self._twin.tick(now_ns)
        self._store.tick(now_ns)
        if self._store.take_runs_changed():
            self._bulletin.runs_changed()
        self._bulletin.tick(now_ns, self._intake.again)
        if not self._link.up:
            self._lanes.relieve(now_ns)
        elif self._probe.may_send(now_ns):
            self._pump(now_ns)
        farewell, waiting = self._farewell, len(self._in_flight)
        if farewell is not None and farewell.step(now_ns, in_flight=waiting, queued=self._store.queued):
            self._done = True

    # What comes in ---------------------------------------------------------------------------------------------------

    def _handle(self, item: object, readings: list[Reading], now_ns: int) -> None:
        match item:
            case DeviceQueue():
                readings.extend(item.take())
            case Acked():
                send = self._in_flight.pop(item.mid) if item.number == self._link.number else None
                if send is not None:
                    self._probe.answered(send, now_ns)
                    self._settlement.acked(send, item.code)
            case Connected() | Closed():
                self._on_link(item, now_ns)
            case Stop():
                self._farewell = self._farewell or Farewell(self._link, self._bulletin, now_ns, item.flush)
            case Received():
                self._twin.heard(item)
                self._bulletin.heard(item)
            case Task():
                item.run()
            case str():
                self._bulletin.changed(item)
            case _:
                log.debug("unknown item in the inbox: %r", item)

    def _on_link(self, event: Connected | Closed, now_ns: int) -> None:
        now = now_ns / 1e9
        if isinstance(event, Connected):
            if self._link.connected(event, now):
                self._refusals.connected()
                self._lanes.limit_packet(self._link.limits.maximum_packet)
                self._bulletin.connected(self._intake.again())
        elif self._link.closed(event, now):
            self._refusals.closed(event.code, self._link.status.last_error)
            self._store.rewind()
            sends = self._in_flight.clear()
            self._lanes.give_back(
                sends if event.code == TAKEN_OVER or event.ours else self._probe.dropped(sends, now_ns)
            )
            self._bulletin.closed()
            if self._farewell is not None and self._farewell.closed():
                self._done = True

    # What goes out ---------------------------------------------------------------------------------------------------

    def _pump(self, now_ns: int) -> None:
        """Fill the window: status first, then live readings, and late ones in at most half of it."""
        window = self._window()
        self._lanes.most_rows = self._probe.chunk
        while len(self._in_flight) < window:
            message = self._bulletin.next_message()
            if message is not None:
                if not self._tell(message, now_ns):
                    return
                continue
            if now_ns < self._refusals.hold_until_ns or (self._farewell is not None and self._farewell.hurried):
                return
            send = self._next(window, now_ns)
            if send is None:
                freed = self._probe.acquitted(nothing_else=len(self._in_flight) == 0)
                if not freed:
                    return
                for suspect in freed:
                    self._settlement.put_back(suspect)
                continue
            self._turn_late = send.way is not Way.LATE
            if not self._link.fits(send.topic, send.payload, send.expiry):
                self._settlement.bury(send, "larger than the broker's maximum packet size")
                continue
            if not self._send(send, now_ns):
                self._settlement.put_back(send)
                return

    def _next(self, window: int, now_ns: int) -> Send | None:
        """Live before late; where only one may be in flight, they take turns."""
        send = self._lanes.next_late(now_ns) if self._turn_late and window == 1 else None
        send = send or self._lanes.next_live(now_ns)
        if send is None:
            return self._lanes.next_late(now_ns) if self._in_flight.late_fits(window) else None
        send.expiry = self._intake.expiry_of(send.device) if send.retain else None
        return send

    def _window(self) -> int:
        return self._probe.window(min(self._most_in_flight, self._link.limits.receive_maximum))

    def _tell(self, message: Message, now_ns: int) -> bool:
        """Send one of the bulletin's. False when the connection has no room."""
        control = Send(Way.CONTROL, message.topic, message.payload, message.retain, expiry=message.expiry)
        muted = message.topic in self._probe.muted
        if muted or not self._link.fits(message.topic, message.payload, message.expiry):
            (self._refusals.not_stood if muted else self._refusals.too_large)(message.topic)
            self._bulletin.settled(message.topic)
            return True
        if self._send(control, now_ns):
            return True
        self._bulletin.put_back(message)
        return False

    def _send(self, send: Send, now_ns: int) -> bool:
        """Hand one message to the connection. False when it has no room."""
        try:
            mid = self._link.publish(send.topic, send.payload, retain=send.retain, expiry=send.expiry)
        except Unsendable as exc:
            self._settlement.bury(send, str(exc))
            return True
        if mid is None:
            return False
        self._in_flight.add(mid, send, now_ns)
        return True

    def _wait(self, now_ns: int) -> float:
        """Seconds until a timer of ours is due; acknowledgements and readings end the wait by themselves."""
        due = [now_ns / 1e9 + TICK, self._link.next_due()]
        if self._link.up and len(self._in_flight) < self._window():
            # without room it is an acknowledgement that we wait for, however long a batch has been due
            if now_ns < (held_ns := max(self._refusals.hold_until_ns, self._probe.wait_until_ns)):
                due.append(held_ns / 1e9)
            elif (batch_ns := self._lanes.next_due_ns(now_ns)) is not None:
                due.append(batch_ns / 1e9)
        return max(0.0, min(due) - now_ns / 1e9)

    def _check_stall(self, now_ns: int) -> None:
        """The oldest publish is unacknowledged for too long: the broker or the way to it is dead, whatever TCP says."""
        oldest_ns = self._in_flight.oldest_ns()
        if self._link.up and oldest_ns is not None and now_ns - oldest_ns > self._stall_ns:
            self._link.abort("the broker does not acknowledge")

    def _end(self) -> None:
        """Once round no more: what is still in the inbox is kept, the store is closed, the connection let go of."""
        readings: list[Reading] = []
        for item in iter(lambda: self._inbox.get(0), None):
            if isinstance(item, DeviceQueue):
                readings.extend(item.take())
            elif isinstance(item, Closed):
                self._link.closed(item, self._clock.boot_ns() / 1e9)  # it lets go of the connection
        try:
            self._intake.accept(readings)
        finally:
            self._store.close()
            self.lost_at_stop = self._store.unsaved
