"""gateway/config/source.py: whatever file is given, one clear line."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.workshop import DEVICE, Workshop

from gateway.config.errors import ConfigErrors
from gateway.config.load import load
from gateway.config.source import DEEPEST, LARGEST, from_text, read

NESTED = "tables or arrays are nested more than 32 deep"
CONTENTS = {
    "empty": (b"", ":1: there is nothing in it; add for example a line [devices.system] and below it"),
    "comments": (b"# nothing\n\n", ":1: there is nothing in it; add for example"),
    "binary": (b"\x7fELF\x00\x01\x02", ": is a binary file, not TOML text; is it the right file?"),
    "5 MB": (b"# x\n" * 1_300_000, ": is larger than 1 MiB; a configuration is never that large"),
    "latin-1": ('[mqtt]\nusername = "Jürgen"\n'.encode("latin-1"), ":2: is not UTF-8 text (got byte 0xfc); save it as"),
    "utf-16": (DEVICE.encode("utf-16"), ":1: is UTF-16 text; save it as UTF-8"),
    "deep arrays": (b"x = " + b"[" * 5000 + b"]" * 5000, f":1: {NESTED}"),
    "deep tables": (b"x = " + b"{a=" * 100 + b"1" + b"}" * 100, f":1: {NESTED}"),
    "deep key": (b"\n" + b"a." * 100_000 + b"a = 1", f":2: {NESTED}"),
    "deep heading": (b"[" + b"a." * 40 + b"a]", f":1: {NESTED}"),
    "old Mac line ends": (b"[gateway]\rid = 'x'\r", ":1: not TOML: "),
    "yaml": (b"mqtt:\n  url: x\n", ":1: not TOML: a key and its value are joined by =, not by a colon"),
    "json": (b'{"mqtt": {"url": "x"}}', ":1: not TOML: "),
}


@pytest.mark.parametrize(("content", "expected"), CONTENTS.values(), ids=CONTENTS)
def test_strange_content(workshop: Workshop, content: bytes, expected: str) -> None:
    """One line with the file's name, in well under a second."""
    path = workshop.folder / "sensorpost.toml"
    path.write_bytes(content)
    begin = time.process_time()
    with pytest.raises(ConfigErrors) as caught:
        load(path, environ={}, catalog=workshop.catalog)
    (line,) = caught.value.lines()
    assert line.startswith(f"{path}{expected}")
    assert time.process_time() - begin < 0.5


def test_byte_order_mark_and_windows_line_ends(workshop: Workshop) -> None:
    """What Windows editors write is fine, and lines are counted as they show them."""
    workshop.load("\ufeff" + DEVICE.replace("\n", "\r\n"))
    (line,) = workshop.mistakes("\ufeff" + (DEVICE + "x = 1\n").replace("\n", "\r\n"))
    assert line.startswith("sensorpost.toml:3: devices.a.x: ")


def test_missing_file_and_folder(workshop: Workshop) -> None:
    """Said as such, with the file inside the folder that was probably meant."""
    workshop.write(DEVICE)
    for path, expected in (
        (workshop.folder / "nowhere.toml", "there is no such file"),
        (workshop.folder / "sensorpost.toml" / "x", "cannot be read: Not a directory"),
        (workshop.folder, f"is a folder, not a file; did you mean {workshop.folder}/sensorpost.toml?"),
        (Path("a\0b"), "cannot be read: embedded null byte"),
    ):
        with pytest.raises(ConfigErrors) as caught:
            load(path, environ={})
        assert caught.value.lines() == [f"{path}: {expected}"]


def test_a_missing_file_from_the_environment_says_so(workshop: Workshop) -> None:
    """Nobody remembers an exported variable."""
    path = workshop.folder / "gone.toml"
    with pytest.raises(ConfigErrors) as caught:
        load(environ={"SENSORPOST_CONFIG": str(path)})
    assert caught.value.lines() == [f"{path}: there is no such file; the file is named by $SENSORPOST_CONFIG"]


@pytest.fixture
def nobody() -> Iterator[None]:
    """Not root, who may read everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def test_unreadable_file(workshop: Workshop, request: pytest.FixtureRequest) -> None:
    """The command that shows why is in the line."""
    path = workshop.write(DEVICE)
    path.chmod(0)
    request.getfixturevalue("nobody")
    with pytest.raises(ConfigErrors) as caught:
        load(path, environ={})
    assert caught.value.lines() == [f"{path}: this user may not read the file; see: ls -l {path}"]


def test_two_broken_files_are_both_reported(workshop: Workshop) -> None:
    """All mistakes at once holds for syntax too."""
    workshop.write("=", "sensorpost.d/1.toml")
    lines = workshop.mistakes("x = ")
    assert [line.split(": ")[0] for line in lines] == ["sensorpost.toml:1", "sensorpost.d/1.toml:1"]


def test_of_a_huge_file_no_more_is_read_than_is_taken(workshop: Workshop) -> None:
    """The wrong file, such as an image of a card, costs no memory."""
    path = workshop.write("")
    os.truncate(path, 256 * 1024 * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(ConfigErrors, match="is larger than 1 MiB"):
            read(path, {}, workshop.folder)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * LARGEST


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ("{a = ", "}"), ("[{a = [", "]}]")])
def test_depth(begin: str, end: str) -> None:
    """As deep as is allowed, and one more."""
    levels = begin.count("[") + begin.count("{")

    def nested(depth: int) -> str:
        full, rest = divmod(depth, levels)
        return f"x = {begin * full}{'[' * rest}{']' * rest}{end * full}".replace("= }", "= 1}")

    assert from_text(nested(DEEPEST), "x.toml").data
    with pytest.raises(ConfigErrors, match=f"more than {DEEPEST} deep"):
        from_text(nested(DEEPEST + 1), "x.toml")
