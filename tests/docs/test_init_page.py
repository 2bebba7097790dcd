"""docs/init.md: its commands have options that there are, and every option is told."""

from __future__ import annotations

import re
from pathlib import Path

import click

from gateway.cli.init import command

PAGE = (Path(__file__).parents[2] / "docs" / "init.md").read_text(encoding="utf-8")
ELSEWHERE = {"--yes", "--no-trial", "--config", "--help"}
"""Told above the table, or for every command."""


def test_every_option_is_told() -> None:
    """In the table, or in the text; and none that there is not."""
    options = {
        name for one in command.params if isinstance(one, click.Option) for name in (*one.opts, *one.secondary_opts)
    }
    named = set(re.findall(r"--[a-z][a-z-]+", PAGE))
    assert named - options == set()
    assert {name for name in options if name.startswith("--")} - named - ELSEWHERE == set()
