"""Where a command's words go: results to stdout, messages to stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any


def out(text: str = "") -> None:
    """One result, flushed at once so that the next program in a pipe sees it. It cannot command the terminal."""
    print(harmless(text), flush=True)  # noqa: T201 (this is where commands print)


def out_json(value: Any) -> None:
    """One JSON value on a line of its own."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    print(_escaped(json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":"))), flush=True)  # noqa: T201 (the same)


def note(text: str = "") -> None:
    """One message for the person at the terminal. A closed stderr is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        print(harmless(text), file=sys.stderr, flush=True)  # noqa: T201 (this is where commands print)


def harmless(text: str) -> str:
    r"""Text of one or several lines, in which what cannot be seen becomes ``\x1b`` or ``\u202e``.

    The last fence: text from devices and brokers is made one line where it comes in (:mod:`gateway.status.text`).
    """
    if text.isprintable():
        return text
    from gateway.status.text import visible  # noqa: PLC0415 (most commands never have anything to hide)

    return "\n".join(
        "\t".join(cell if cell.isprintable() else visible(cell) for cell in line.split("\t"))
        for line in text.split("\n")
    )


def _escaped(text: str) -> str:
    """JSON that says the same, with everything escaped that a terminal might take for a command."""
    return text if text.isprintable() else text.translate(_Escapes())


class _Escapes(dict[int, str]):
    """What each character becomes in JSON, by its code; filled as they come."""

    def __missing__(self, code: int) -> str:
        one = chr(code)
        shown = self[code] = one if one.isprintable() else json.dumps(one)[1:-1]
        return shown


def fancy() -> bool:
    """Whether stdout is a terminal that can redraw itself."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
