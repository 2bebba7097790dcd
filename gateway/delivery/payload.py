"""Readings and status as JSON. Everything is UTF-8, without NaN or Infinity."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.reading.reading import Reading

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def rfc3339(wall_ns: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 UTC with milliseconds: ``2026-11-22T07:00:00.123Z``."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    parts = time.gmtime(seconds)
    return (
        f"{parts.tm_year:04d}-{parts.tm_mon:02d}-{parts.tm_mday:02d}"
        f"T{parts.tm_hour:02d}:{parts.tm_min:02d}:{parts.tm_sec:02d}.{rest // 1_000_000:03d}Z"
    )


def as_object(reading: Reading) -> dict[str, Any]:
    """A reading as contract section 4 shows it."""
    sample = reading.sample
    body: dict[str, Any] = {"time": rfc3339(sample.wall_ns), "run": reading.run, "seq": reading.seq}
    if sample.clock is not None:
        body["clock"] = sample.clock
    body.update(sample.values)
    return body


def encode(reading: Reading) -> bytes:
    """A reading as the bytes that go to the broker."""
    return _encode(as_object(reading)).encode()


def encode_json(value: Mapping[str, Any] | list[Any]) -> bytes:
    """Status, health and the like as JSON."""
    return _encode(value).encode()


def array(bodies: Iterable[bytes]) -> bytes:
    """Encoded readings as one JSON array, each with the very bytes it was accepted with."""
    return b"[" + b",".join(bodies) + b"]"
