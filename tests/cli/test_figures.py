"""Values as they stand in the live table."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.cli.figures import age, curve, figure, pace
from gateway.cli.quantity import Quantity


@pytest.mark.parametrize(
    ("quantity", "value", "expected"),
    [
        (Quantity("t", "°C", precision=1), 21.4837, ("21.5", "°C")),
        (Quantity("t", "°C"), 21.4837, ("21.48", "°C")),
        (Quantity("p", "hPa"), 1013.257, ("1013", "hPa")),
        (Quantity("p", "hPa"), 213.257, ("213.3", "hPa")),
        (Quantity("n"), 42, ("42", "")),
        (Quantity("n"), 1e300, ("1e+300", "")),
        (Quantity("b", "B"), 512, ("512", "B")),
        (Quantity("b", "B"), 123_456_789, ("123.5", "MB")),
        (Quantity("b", "MiB"), 1024, ("1.1", "GB")),
        (Quantity("u", "s", "duration"), 523_422, ("6d01h", "")),
        (Quantity("u", "s", "duration", 1), 3.25, ("3.2", "s")),
        (Quantity("d", "", "door"), True, ("open", "")),
        (Quantity("d", "", "door"), False, ("closed", "")),
        (Quantity("m", "", "motion"), True, ("detected", "")),
        (Quantity("x"), True, ("on", "")),
        (Quantity("x", "°C"), None, ("–", "")),  # noqa: RUF001 (the dash that is shown)
        (Quantity("x"), "a\x1bb", ("a\\x1bb", "")),
        (Quantity("x"), [1, 2], ("[1, 2]", "")),
    ],
)
def test_figure(quantity: Quantity, value: Any, expected: tuple[str, str]) -> None:
    """Few digits, near units, words for true and false."""
    assert figure(quantity, value) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-1, "0.0s"), (0.42, "0.4s"), (9.9, "9.9s"), (9.97, "9s"), (59.9, "59s"), (192, "3m12s"), (18420, "5h07m")],
)
def test_age(seconds: float, expected: str) -> None:
    """Two units at most."""
    assert age(seconds) == expected


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(None, ""), (1.02, "1.0/s"), (250.4, "250/s"), (0.1, "6/min"), (0.5, "30/min"), (0.001, "4/h")],
)
def test_pace(rate: float | None, expected: str) -> None:
    """A second, a minute or an hour, whatever makes a good number."""
    assert pace(rate) == expected


@pytest.mark.parametrize(
    ("values", "expected"), [([], ""), ([1, 1], "▃▃"), ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"), (range(20), "▁▂▃▄▅▆▇█")]
)
def test_curve(values: Any, expected: str) -> None:
    """The newest values between their least and greatest."""
    assert curve(values, 8) == expected
