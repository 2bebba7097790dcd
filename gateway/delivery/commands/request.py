"""From a message to a request. Everything in it comes from somebody else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from gateway.status.control import ControlError

LONGEST = 64 * 1024
"""Bytes of a request."""
LONGEST_ID = 100
EXAMPLE = 'write {"id": "1", "device": "office"}'


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants."""

    verb: str
    id: str | None = None
    """Comes back with the answer; ``None`` where there was none that could."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Without the id."""
    error: str = ""
    """Why it can only be refused."""


def parse(verb: str, payload: bytes) -> Request:
    """A request of one verb, or what is wrong with it."""
    try:
        body = _object(payload)
    except ControlError as exc:
        return Request(verb, error=str(exc))
    id_ = body.pop("id", None)
    if not (isinstance(id_, str) and 0 < len(id_) <= LONGEST_ID and _encodable(id_)):
        return Request(
            verb, error=f'"id": a text of 1 to {LONGEST_ID} characters, which comes back with the answer; {EXAMPLE}'
        )
    return Request(verb, id_, body)


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > LONGEST:
        raise ControlError(f"a request of {len(payload)} bytes; {LONGEST} is the most")
    try:
        body = json.loads(payload.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ControlError(f"a request that is no JSON; {EXAMPLE}") from None
    if not isinstance(body, dict):
        raise ControlError(f"a request is a JSON object; {EXAMPLE}")
    return body


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)


def _encodable(text: str) -> bool:
    """Whether it can be sent back: JSON knows halves of characters, UTF-8 does not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
