"""Habits that a look at the files shows: their length, their tests, their words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 300

TESTED_ELSEWHERE: dict[str, str] = {}
"""Modules without a test file of their own, each with the reason and where its tests are."""

NOT_OURS = {".git", ".venv", "dist", "build", "node_modules"}
CACHES = re.compile(r"__pycache__|\..*_cache|\.venv.*|\.hypothesis|.*\.egg-info")


def files() -> Iterator[Path]:
    """Every file of the repository; what git ignores is left out by name, since a fresh machine has no git."""
    folders = [ROOT]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            if path.is_dir():
                if path.name not in NOT_OURS and not CACHES.fullmatch(path.name):
                    folders.append(path)
            elif not path.name.startswith((".venv", ".coverage")):
                yield path


def modules() -> Iterator[Path]:
    """Every source file of the two packages, relative to the repository."""
    for package in ("gateway", "drivers"):
        yield from (path.relative_to(ROOT) for path in sorted((ROOT / package).rglob("*.py")))


def test_a_file_does_one_thing() -> None:
    """No source file is longer than 300 lines."""
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in modules()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_a_test_file_mirrors_each_source_file() -> None:
    """gateway/delivery/queue.py has tests/delivery/test_queue.py, drivers/mock.py has tests/drivers/test_mock.py."""
    missing = set()
    for path in modules():
        folder = Path("tests", *path.parts[1 if path.parts[0] == "gateway" else 0 : -1])
        code = (ROOT / path).read_text()
        if path.name == "__init__.py" and "def " not in code and "class " not in code:
            continue
        name = path.parent.name if path.name == "__init__.py" else path.stem
        if not (ROOT / folder / f"test_{name}.py").exists():
            missing.add(str(path))
    assert sorted(missing - TESTED_ELSEWHERE.keys()) == []
    assert sorted(TESTED_ELSEWHERE.keys() - missing) == [], "these have a test file now: take them off the list"


def test_nothing_is_left_for_later() -> None:
    """No source file says that something is still to be done, and none has a stub."""
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in modules()
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if later.search(line)
    ]
    assert found == []


def test_nothing_is_tied_to_one_place() -> None:
    """No file names a folder of somebody's workplace or a host of a package index: those are the machine's business."""
    places = re.compile(
        r"(?<![\w.])/work\b/|\bpypi\.org|pythonhosted\.org|piwheels\.org|registry\.npmjs|deb\.debian\.org"
    )
    found = []
    for path in files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
            if places.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert found == []
