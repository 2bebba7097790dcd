"""Text from anywhere, made safe for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.status.text import plain, span


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("21.5 °C, café, 日本, 🌡", "21.5 °C, café, 日本, 🌡"),
        ("AB\n2026-01-01 INFO forged\x1b[2J", "AB\\x0a2026-01-01 INFO forged\\x1b[2J"),
        ("a\0b\x7f\x85", "a\\x00b\\x7f\\x85"),
        ("\u202egpj.exe\u2066", "\\u202egpj.exe\\u2066"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\ud800\U000e0001", "\\ud800\\U000e0001"),
        ("no\u00a0break", "no\u00a0break"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    """What cannot be seen, or what turns the line around, is spelled out."""
    assert plain(text) == shown


def test_plain_is_short() -> None:
    """200 characters at most, also when what was spelled out makes it longer; the cut shows."""
    assert plain("x" * 200) == "x" * 200
    assert plain("x" * 10_000_000) == "x" * 199 + "…"
    assert plain("\0" * 100) == "\\x00" * 49 + "\\x0…"
    assert plain("abcdef", 4) == "abc…"


@given(st.text())
def test_plain_never_leaves_anything_odd(text: str) -> None:
    """It can always be encoded, is one line, and no longer than it may be."""
    shown = plain(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= 200


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.42, "0.4 s"), (5.0, "5 s"), (59.6, "60 s"), (180.0, "3 min"), (9000.0, "2.5 h"), (345_600.0, "4 days")],
)
def test_span(seconds: float, shown: str) -> None:
    """Lengths of time as people say them."""
    assert span(seconds) == shown
