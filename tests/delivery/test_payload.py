"""Readings as bytes."""

from __future__ import annotations

import json

import pytest

from gateway.delivery.payload import array, encode, encode_json, rfc3339
from gateway.driver import Kind
from gateway.reading.reading import Reading, Sample


def reading(clock: str | None = None) -> Reading:
    """One with every kind of value."""
    values = (("temperature", 21.5), ("door", True), ("text", "ü\n"), ("bad", None))
    return Reading("d", "k7fp2qza", 42, Kind.SAMPLED, Sample(values, 1_763_794_800_123_999_999, 0, clock))


def test_a_reading_is_the_contracts_object() -> None:
    """time, run, seq first; UTC with milliseconds, cut and not rounded."""
    assert (
        encode(reading())
        == (
            '{"time":"2025-11-22T07:00:00.123Z","run":"k7fp2qza","seq":42,'
            '"temperature":21.5,"door":true,"text":"ü\\n","bad":null}'
        ).encode()
    )


def test_clock_is_there_only_when_it_is_not_trusted() -> None:
    """Between ``seq`` and the values."""
    assert b'"seq":42,"clock":"unsynced","temperature"' in encode(reading("unsynced"))


@pytest.mark.parametrize(
    ("wall_ns", "text"),
    [(0, "1970-01-01T00:00:00.000Z"), (999_999_999, "1970-01-01T00:00:00.999Z"), (-1, "1969-12-31T23:59:59.999Z")],
)
def test_times_of_wrong_clocks(wall_ns: int, text: str) -> None:
    """A Pi may believe that it is 1970."""
    assert rfc3339(wall_ns) == text


def test_an_array_holds_the_very_bytes() -> None:
    """And is JSON."""
    bodies = [encode(reading()), encode(reading("unsynced"))]
    assert array(bodies) == b"[" + b",".join(bodies) + b"]"
    assert len(json.loads(array(bodies))) == 2


def test_nan_never_leaves() -> None:
    """It would be no JSON."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_json({"x": float("nan")})
