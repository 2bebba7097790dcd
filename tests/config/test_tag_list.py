"""gateway/config/tag_list.py: the file of known tags."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.config.errors import ConfigErrors
from gateway.config.tag_list import Entry, is_tag, plain_tag, read_tag_list, stamp


def refused(file: Path, text: str) -> list[str]:
    """What is wrong with it, without the file's name."""
    file.write_text(text)
    with pytest.raises(ConfigErrors) as caught:
        read_tag_list(file)
    return [str(problem).removeprefix(str(file)) for problem in caught.value.problems]


def test_entries(tmp_path: Path) -> None:
    """A label alone, or a table; tags as people write them."""
    file = tmp_path / "tags.toml"
    file.write_text(
        '[tags]\n04a23b5c6d7e80 = "Anna"\n"DE:AD be-ef" = { allowed = false }\n0102 = {}\n"12" = { label = "Bob" }\n'
    )
    assert dict(read_tag_list(file)) == {
        "04a23b5c6d7e80": Entry(label="Anna", allowed=True),
        "deadbeef": Entry(label=None, allowed=False),
        "0102": Entry(label=None, allowed=True),
        "12": Entry(label="Bob", allowed=True),
    }


def test_an_empty_list(tmp_path: Path) -> None:
    """Nobody is known: that is no mistake."""
    file = tmp_path / "tags.toml"
    file.write_text("")
    assert dict(read_tag_list(file)) == {}


def test_every_mistake_at_once(tmp_path: Path) -> None:
    """Each with its line, and what is accepted."""
    assert refused(
        tmp_path / "tags.toml",
        'x = 1\n[tags]\nanna = "04a2"\n04a2 = 5\n"04:A2" = "twice"\nff = { labl = "x" }\nfe = { allowed = "yes" }\n',
    ) == [
        ":1: x: unknown key; accepted: tags",
        ":3: tags.anna: is no tag; accepted: hexadecimal digits as in the events, such as 04a23b5c",
        ':4: tags.04a2: is neither a label nor a table (got 5); write "Anna" or { label = "Anna" }',
        ":6: tags.ff.labl: unknown key; accepted: label and allowed; did you mean label?",
        ':7: tags.fe.allowed: is not true or false (got "yes"); write true without quotes',
    ]


def test_a_label_that_is_a_book(tmp_path: Path) -> None:
    """It would be in every event."""
    long = "x" * 201
    for text in (f'[tags]\n04a2 = "{long}"\n', f'[tags]\n04a2 = {{ label = "{long}" }}\n'):
        assert refused(tmp_path / "tags.toml", text) == [
            ":2: tags.04a2: the label has 201 characters; 200 is the most",
        ]


def test_the_same_tag_twice(tmp_path: Path) -> None:
    """However it is written."""
    (problem,) = refused(tmp_path / "tags.toml", '[tags]\n04a2 = "x"\n"04:A2" = "y"\n')
    assert problem == ':3: tags."04:A2": the same tag is there twice; keep one of them'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tags\n", ":1: not TOML: a heading without its closing ]; a table's heading is [name] on a line of its own"),
        ("tags = 3\n", ":1: tags: is not a table (got 3); write [tags] on a line of its own, the tags below"),
    ],
)
def test_what_is_no_list(tmp_path: Path, text: str, expected: str) -> None:
    """In words for people, with the line."""
    assert refused(tmp_path / "tags.toml", text) == [expected]


def test_a_missing_file(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(ConfigErrors, match=r"tags\.toml: there is no such file"):
        read_tag_list(tmp_path / "tags.toml")


def test_a_tag_is_plain() -> None:
    """What is between the digits does not count."""
    assert plain_tag(" 04:A2-3b.5C ") == "04a23b5c"
    assert is_tag("04a2")
    assert not is_tag("04A2")
    assert not is_tag("")


def test_the_stamp_changes_with_the_file(tmp_path: Path) -> None:
    """Time, size, or another file in its place."""
    file = tmp_path / "tags.toml"
    file.write_text("x")
    first = stamp(file)
    assert stamp(file) == first
    os.utime(file, ns=(first.mtime_ns, first.mtime_ns + 1))
    assert stamp(file) != first
    second = stamp(file)
    fresh = tmp_path / "fresh"
    fresh.write_text("x")
    os.utime(fresh, ns=(second.mtime_ns, second.mtime_ns))
    fresh.replace(file)
    assert stamp(file) != second
