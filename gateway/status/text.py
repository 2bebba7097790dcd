"""Text for people that may come from anywhere: a device, a driver, another program's error."""

from __future__ import annotations

import unicodedata

LIMIT = 200
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control and format characters (those that turn the direction of writing too), surrogates, line separators."""


def plain(text: str, limit: int = LIMIT) -> str:
    r"""One line that can forge no other: what cannot be seen becomes ``\x1b`` or ``\u2028``, the rest is cut off.

    At most ``limit`` characters come out, the last of them ``…`` when there was more.
    """
    if len(text) <= limit and text.isprintable():
        return text
    shown = "".join(map(_shown, text[: limit + 1]))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def visible(text: str) -> str:
    """The same for text that is cut elsewhere or not at all."""
    return text.translate(_visible)


class _Visible(dict[int, str]):
    """What each character becomes, by its code; filled as they come."""

    def __missing__(self, code: int) -> str:
        shown = self[code] = _shown(chr(code))
        return shown


_visible = _Visible()


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _INVISIBLE:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def span(seconds: float) -> str:
    """A length of time as people say it: ``0.4 s``, ``12 s``, ``3 min``, ``2.5 h``, ``4 days``."""
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.0f} days"


def waiting(count: int) -> str:
    """What a line about a start or a stop adds, where it is of interest: ``; 12 reading(s) wait for the broker``."""
    return f"; {count} reading(s) wait for the broker" if count > 0 else ""
