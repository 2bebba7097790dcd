"""What goes to the broker and is no reading on its way through the store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One message to publish with QoS 1."""

    topic: str
    payload: bytes
    retain: bool = True
    expiry: int | None = None
    """Seconds that the broker may keep it, with MQTT 5; ``None``: for ever."""
