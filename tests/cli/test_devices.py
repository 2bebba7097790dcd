"""Devices by the names that a user typed."""

from __future__ import annotations

import click
import pytest

from gateway.cli.devices import chosen
from gateway.config.load import loads

SETTINGS = loads('[devices.office]\ndriver = "mock"\n[devices.attic]\ndriver = "mock"\n')


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], ["office", "attic"]), (["attic", "office"], ["office", "attic"]), (["attic"], ["attic"])],
)
def test_chosen(names: list[str], expected: list[str]) -> None:
    """All without names, else those, in the order of the configuration."""
    assert [device.device for device in chosen(SETTINGS, names)] == expected


@pytest.mark.parametrize(("name", "hint"), [("atic", "did you mean attic?"), ("xyzzy", "there are: office, attic")])
def test_unknown(name: str, hint: str) -> None:
    """The nearest name, or all of them."""
    with pytest.raises(click.ClickException, match=hint.replace("?", r"\?")):
        chosen(SETTINGS, [name])
