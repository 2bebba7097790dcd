"""What is said between the gateway and the process of an isolated driver: one JSON object a line, never pickled.

The gateway asks ``{"call": "start"}`` (with all that makes a driver), ``open``, ``read``, ``write`` (with its
``arguments``), ``reset`` or ``release``; the answer is ``{}``, what ``read`` brought, or the trouble that the driver
has with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.driver import Channel, Kind
from gateway.reading.freeze import Frozen, freeze
from gateway.reading.trouble import Reaction, Relayed, Trouble
from gateway.status.text import plain

LONGEST = 64 * 1024 * 1024
"""Bytes of one answer."""
LONGEST_TRACEBACK = 8000

Message = dict[str, Any]


class Garbled(Exception):
    """What came is no message of ours."""


def encode(message: Mapping[str, Any]) -> bytes:
    """One line; also of texts that are not valid Unicode."""
    return json.dumps(message).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message of one line. Raises ``Garbled``."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Garbled from error
    if not isinstance(message, dict):
        raise Garbled
    return message


def from_frozen(frozen: Frozen) -> Message:
    """The answer to ``read``."""
    return {"samples": frozen.samples, "notes": frozen.notes}


def to_frozen(message: Message, channels: Mapping[str, Channel], kind: Kind) -> Frozen:
    """What ``read`` brought, checked as if it came from the driver itself."""
    notes = message.get("notes")
    samples = freeze(message.get("samples"), channels, kind).samples
    return Frozen(samples, tuple(plain(note) for note in notes if isinstance(note, str)) if notes else ())


def from_trouble(trouble: Trouble, traceback: str) -> Message:
    """The answer to a call that has failed."""
    return {"trouble": [trouble.reaction.name, trouble.text, trouble.hint], "traceback": traceback[-LONGEST_TRACEBACK:]}


def to_trouble(message: Message) -> Relayed | None:
    """The exception that stands for the driver's; ``None`` when there is no trouble. Raises ``Garbled``."""
    if "trouble" not in message:
        return None
    try:
        name, text, hint = message["trouble"]
        relayed = Relayed(Trouble(Reaction[name], plain(text), plain(hint)))
        relayed.add_note(message["traceback"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Garbled from error
    return relayed
