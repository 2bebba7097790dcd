"""gateway/config/positions.py: the lines agree with what tomllib reads, whatever the document looks like."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.positions import KeyPath, positions

SIMPLE = ["1", "true", "-3.5e7", "2026-11-22T07:00:00Z", "07:30:00", '"a # [b] \\" = c"', "'lit # \"'", '""', "nan"]
BLOCKS = ['"""\n  [no.table]\nx = 1 \\\n  y"""', "'''\n# no comment\n[[x]]'''", '""""quoted""""', "''''''"]
keys = st.sampled_from(["a", "b-c", "1", '"d e"', "'f.g'", '"h\\u00e9"', '"#"'])
comments = st.sampled_from(["", "  # a = [1, {x", "\t"])
values = st.recursive(
    st.sampled_from(SIMPLE + BLOCKS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n" + "".join(f"  {i}, # ]\n" for i in items) + "]"),
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(inner.filter(lambda text: "\n" not in text), max_size=3).map(
            lambda items: "{ " + ", ".join(f"k{n}.'x y' = {item}" for n, item in enumerate(items)) + " }"
        ),
    ),
    max_leaves=6,
)
dotted = st.lists(keys, min_size=1, max_size=3).map(" . ".join)
statements = st.one_of(
    st.tuples(dotted, values, comments).map(lambda t: f"{t[0]} = {t[1]}{t[2]}"),
    st.tuples(dotted, comments).map(lambda t: f"[{t[0]}]{t[1]}"),
    st.tuples(dotted, comments).map(lambda t: f"[[ {t[0]} ]]{t[1]}"),
    st.just(""),
)


def paths(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    """Every key and array element of a document."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [deeper for key, item in items for deeper in ((*path, key), *paths(item, (*path, key)))]


@settings(max_examples=300, deadline=None)
@given(st.lists(statements, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_positions_agree_with_tomllib(lines: list[str], newline: str) -> None:
    """The same keys, each on the line of the statement that first has it. Statements that break it are left out."""
    kept: list[str] = []
    for line in lines:
        try:
            tomllib.loads("\n".join([*kept, line]))
        except tomllib.TOMLDecodeError:
            continue
        kept.append(line)
    text = "\n".join(kept)
    found = positions(text.replace("\n", newline))
    assert set(found) == set(paths(tomllib.loads(text)))
    for path, line in found.items():
        before = tomllib.loads("\n".join(kept[: _statement(kept, line)]))
        after = tomllib.loads("\n".join(kept[: _statement(kept, line) + 1]))
        assert path in paths(after)
        header = kept[_statement(kept, line)].startswith("[")
        assert header or path not in paths(before)


def _statement(kept: list[str], line: int) -> int:
    """The index of the statement that a line is in."""
    at = 1
    for index, statement in enumerate(kept):
        at += statement.count("\n") + 1
        if line < at:
            return index
    raise AssertionError(f"no line {line}")


def test_lines() -> None:
    """The exact lines of a document with everything in it."""
    text = """# first
a.b = 1

[c]
d = '''
'''
e = [
  1,
  { f = 2 }, # comment
]
[[g.h]]
i = 1
[[g.h]]
[g.h.j]
k = "x"
[c.l]
"""
    assert positions(text) == {
        ("a",): 2,
        ("a", "b"): 2,
        ("c",): 4,
        ("c", "d"): 5,
        ("c", "e"): 7,
        ("c", "e", 0): 8,
        ("c", "e", 1): 9,
        ("c", "e", 1, "f"): 9,
        ("g",): 11,
        ("g", "h"): 11,
        ("g", "h", 0): 11,
        ("g", "h", 0, "i"): 12,
        ("g", "h", 1): 13,
        ("g", "h", 1, "j"): 14,
        ("g", "h", 1, "j", "k"): 15,
        ("c", "l"): 16,
    }
