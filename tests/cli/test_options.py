"""Options that several commands share."""

from __future__ import annotations

import click
import pytest

from gateway.cli.options import Duration, example


@pytest.mark.parametrize(("text", "seconds"), [("500ms", 0.5), ("10s", 10.0), ("1h30m", 5400.0), (2.5, 2.5)])
def test_durations_are_the_configurations(text: str | float, seconds: float) -> None:
    """The same words as in the file; a default in seconds stays what it is."""
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["10", "", "-1s", "soon"])
def test_no_duration(text: str) -> None:
    """Wrong usage, with what is accepted."""
    with pytest.raises(click.UsageError, match='"10s"'):
        Duration().convert(text, None, None)


def test_example() -> None:
    """The end of a help text, which click must not wrap."""
    assert example("sensorpost run", "sensorpost check") == "\b\nExample:\n  sensorpost run\n  sensorpost check"
