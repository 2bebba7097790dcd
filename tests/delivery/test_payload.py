"""Readings as bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.payload import array, as_object, encode, encode_json, rfc3339
from gateway.driver import Kind, Scalar
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


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(),
                st.floats(allow_nan=False, allow_infinity=False),
                st.text(st.characters(exclude_categories=["Cs"])),
            ),
        ),
        unique_by=lambda pair: pair[0],
    ),
    st.integers(0, 4 * 10**18),
    st.sampled_from([None, "unsynced"]),
)
def test_by_hand_it_is_what_json_would_write(values: list[tuple[str, Scalar]], wall_ns: int, clock: str | None) -> None:
    """Byte for byte, whatever the values."""
    one = Reading("d", "k7fp2qza", 42, Kind.SAMPLED, Sample(tuple(values), wall_ns, 0, clock))
    if not {key for key, _ in values} & {"time", "run", "seq", "clock"}:  # the configuration has no such keys
        assert encode(one) == json.dumps(as_object(one), ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "\ud800", b"bytes", object()])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    """A driver's values are checked before; this is the last line of defence."""
    one = Reading("d", "r", 1, Kind.SAMPLED, Sample((("a", value),), 0, 0, None))
    with pytest.raises((ValueError, TypeError)):
        encode(one)
