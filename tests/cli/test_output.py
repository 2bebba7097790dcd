"""Results on stdout, messages on stderr, and what a terminal is."""

from __future__ import annotations

import io
import json
import sys

import pytest

from gateway.cli.listing import show
from gateway.cli.output import fancy, note, out_json


class Terminal(io.TextIOWrapper):
    """A stdout that says it is a terminal."""

    def isatty(self) -> bool:
        """It does."""
        return True


def test_json_is_utf8_where_the_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    """One value, one line, no NaN."""
    out_json({"unit": "°C"})
    assert capsys.readouterr().out == '{"unit":"°C"}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        out_json(float("nan"))


def test_json_is_ascii_where_the_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays JSON in any encoding."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", errors="backslashreplace"))
    out_json({"unit": "°C"})
    assert json.loads(raw.getvalue()) == {"unit": "°C"}


def test_a_closed_stderr_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that nobody can see is not worth dying for."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    note("hello")


@pytest.mark.parametrize(("term", "expected"), [("xterm", True), ("dumb", False), ("", False)])
def test_fancy(term: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 (pytest passes it)
    """Only a terminal that can redraw itself is drawn on."""
    monkeypatch.setenv("TERM", term)
    assert not fancy()
    monkeypatch.setattr(sys, "stdout", Terminal(io.BytesIO()))
    assert fancy() is expected


def test_a_listing_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Aligned columns, nothing after the last word."""
    show(("name", "what"), [("a", "first"), ("longer", "")])
    assert capsys.readouterr().out == "NAME    WHAT\na       first\nlonger\n"


def test_a_listing_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long texts wrap within their column, and markup in them is only text."""
    raw = io.BytesIO()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(sys, "stdout", Terminal(raw, encoding="utf-8"))
    show(("name", "what"), [("a", "[red]one two three four five six[/red]")])
    sys.stdout.flush()
    lines = raw.getvalue().decode().splitlines()
    assert len(lines) > 2
    assert "[red]one" in raw.getvalue().decode()
