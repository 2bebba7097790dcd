"""What a PUBACK's reason code means for a reading (MQTT 5.0, section 3.4.2.1)."""

from __future__ import annotations

from enum import Enum, auto

QUOTA_EXCEEDED = 0x97


class Outcome(Enum):
    """What the publisher does next."""

    DELIVERED = auto()
    UNHEARD = auto()
    """Delivered, and the broker says that nobody subscribes."""
    LATER = auto()
    """The broker cannot take it now."""
    FORBIDDEN = auto()
    """Not allowed on this topic: an administrator may change that."""
    NEVER = auto()
    """The broker will refuse the same message every time."""


_OUTCOMES = {
    0x00: Outcome.DELIVERED,
    0x10: Outcome.UNHEARD,
    0x80: Outcome.LATER,  # unspecified error
    0x83: Outcome.LATER,  # implementation specific error
    0x91: Outcome.LATER,  # packet identifier in use
    QUOTA_EXCEEDED: Outcome.LATER,
    0x87: Outcome.FORBIDDEN,  # not authorised
    0x90: Outcome.NEVER,  # topic name invalid
    0x99: Outcome.NEVER,  # payload format invalid
}


def outcome_of(code: int) -> Outcome:
    """The outcome for a reason code; an unknown failure is taken as one that may pass."""
    return _OUTCOMES.get(code, Outcome.DELIVERED if code < 0x80 else Outcome.LATER)
