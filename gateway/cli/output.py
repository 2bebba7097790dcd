"""Where a command's words go: results to stdout, messages to stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any


def out(text: str = "") -> None:
    """One result, flushed at once so that the next program in a pipe sees it."""
    print(text, flush=True)  # noqa: T201 (this is where commands print)


def out_json(value: Any) -> None:
    """One JSON value on a line of its own."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    out(json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":")))


def note(text: str = "") -> None:
    """One message for the person at the terminal. A closed stderr is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201 (this is where commands print)


def fancy() -> bool:
    """Whether stdout is a terminal that can redraw itself."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
