"""What an acknowledgement, or the want of one, means for the readings of a message."""

from __future__ import annotations

import logging

from gateway.delivery.bulletin import ALLOWED_AFTER, Bulletin
from gateway.delivery.correction import Correction
from gateway.delivery.intake import LedgerOf
from gateway.delivery.lanes import Lanes, Send, Way
from gateway.delivery.message import Message
from gateway.delivery.outcome import Outcome, outcome_of
from gateway.delivery.probe import Probe
from gateway.delivery.refusals import Refusals
from gateway.delivery.store import Store

log = logging.getLogger(__name__)


class Settlement:
    """Used by the publisher's thread."""

    def __init__(
        self,
        *,
        store: Store,
        lanes: Lanes,
        bulletin: Bulletin,
        correction: Correction,
        refusals: Refusals,
        probe: Probe,
        ledger_of: LedgerOf,
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._bulletin = bulletin
        self._correction = correction
        self._refusals = refusals
        self._probe = probe
        self._ledger_of = ledger_of

    def acked(self, send: Send, code: int) -> None:
        """The broker has answered with this reason code."""
        outcome = outcome_of(code)
        if send.way is Way.CONTROL:
            self._told(send, outcome)
        elif outcome in (Outcome.DELIVERED, Outcome.UNHEARD):
            self._delivered(send, unheard=outcome is Outcome.UNHEARD)
        elif outcome is Outcome.NEVER:
            self.bury(send, f"the broker refused it (reason code 0x{code:02X})")
        else:
            self._refusals.refused(send, outcome, code)
            self.put_back(send)

    def bury(self, send: Send, reason: str) -> None:
        """The readings of a message can never be delivered."""
        rows = [row for row in send.rows if not row.settled]  # a suspect may have been dropped for want of room
        if not rows:
            return
        log.warning("%s: %d reading(s) can never be delivered: %s", rows[0].device, len(rows), reason)
        self._store.bury(rows, reason)
        for row in rows:
            self._correction.settled(row)
            if (ledger := self._ledger_of(row)) is not None:
                ledger.died()
                self._bulletin.changed(row.device)

    def put_back(self, send: Send) -> None:
        """The readings of a message are to be sent again."""
        if send.way is Way.LATE:
            self._store.give_back(send.rows)
        else:
            self._lanes.give_back([send])

    def _told(self, send: Send, outcome: Outcome) -> None:
        self._bulletin.settled(send.topic)
        message = Message(send.topic, send.payload, send.retain, send.expiry)
        if outcome is Outcome.LATER:
            self._bulletin.again_later(message)
        elif outcome is Outcome.FORBIDDEN:
            self._refusals.forbidden(send.topic)
            self._bulletin.again_later(message, ALLOWED_AFTER)
        else:
            self._refusals.taken(send.topic)
            if outcome is not Outcome.NEVER:
                self._bulletin.delivered(send.topic, send.payload)

    def _delivered(self, send: Send, *, unheard: bool) -> None:
        self._store.settle(send.rows)
        for row in send.rows:
            self._correction.settled(row)
            if (ledger := self._ledger_of(row)) is not None:
                ledger.acked(unheard=unheard)
        self._refusals.taken(send.topic)
        for suspect in self._probe.acked():
            self.bury(suspect, "the broker drops the connection whenever it is sent")
