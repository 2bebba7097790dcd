"""gateway/config/errors.py: one line a mistake, and the same as JSON."""

from __future__ import annotations

from gateway.config.errors import ConfigErrors, Problem


def test_the_line_and_its_json() -> None:
    """A line is FILE:LINE: dotted.path: what is wrong (got ...); what is accepted. Without a line number, the file."""
    problem = Problem("a.toml", 3, "mqtt.window", "is out of range (got 0)", "accepted: from 1 to 65535")
    errors = ConfigErrors([problem, Problem("b.toml", None, "", "there is no such file")])
    assert errors.lines() == [
        "a.toml:3: mqtt.window: is out of range (got 0); accepted: from 1 to 65535",
        "b.toml: there is no such file",
    ]
    assert str(errors) == "\n".join(errors.lines())
    assert errors.as_json() == [
        {
            "file": "a.toml",
            "line": 3,
            "path": "mqtt.window",
            "message": "is out of range (got 0)",
            "hint": "accepted: from 1 to 65535",
        },
        {"file": "b.toml", "line": None, "path": "", "message": "there is no such file", "hint": ""},
    ]
