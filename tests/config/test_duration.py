"""gateway/config/duration.py: durations and sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.duration import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("10s", 10), ("1h30m", 5400), ("1.5s", 1.5), (" 2d ", 172_800), ("0s", 0), ("1m500ms", 60.5)],
)
def test_durations(text: str, seconds: float) -> None:
    """The forms of the contract, with decimals, spaces at the ends, and zero."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "s", "-1s", "1 s", "1e3s", "30m1h", "1s1s", "1S", "ten", "1h 30m", "9" * 30 + "s"]
)
def test_no_durations(text: str) -> None:
    """Refused with what is accepted."""
    with pytest.raises(ValueError, match=r'is no duration.*write a text such as "500ms", "10s" or "1h30m"'):
        parse_duration(text)


@given(st.integers(0, 10**11))
def test_every_duration_can_be_written_and_read_back(milliseconds: int) -> None:
    """What is shown to people is exact to the millisecond."""
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@pytest.mark.parametrize(
    ("text", "count"),
    [("64MB", 64_000_000), ("512KB", 512_000), ("1 GiB", 1 << 30), ("0B", 0), ("7b", 7), ("2kib", 2048)],
)
def test_sizes(text: str, count: int) -> None:
    """Powers of 1000 and of 1024; capitals do not matter."""
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "64", "64M", "MB", "-1MB", "1.5MB", "1TB"])
def test_no_sizes(text: str) -> None:
    """Refused with what is accepted."""
    with pytest.raises(ValueError, match=r"is no size; write a text such as"):
        parse_size(text)


@given(st.integers(0, 10**12 - 1))
def test_every_size_can_be_written_and_read_back(count: int) -> None:
    """What is shown to people is exact."""
    assert parse_size(format_size(count)) == count
