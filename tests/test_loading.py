"""gateway/loading.py: a driver's module, in this process and once more in another."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.loading import BUNDLED_MODULES, USER_MODULES, load_again, load_file


@pytest.fixture
def file(tmp_path: Path, finally_do: Callable[[Callable[[], object]], None]) -> Path:
    """A module; what is loaded of it is forgotten after the test."""
    before = set(sys.modules)
    finally_do(lambda: [sys.modules.pop(name) for name in set(sys.modules) - before])
    path = tmp_path / "thing.py"
    path.write_text("NAME = __name__\n")
    return path


@pytest.mark.parametrize("prefix", [BUNDLED_MODULES, USER_MODULES])
@pytest.mark.parametrize("load", [load_file, load_again])
def test_from_its_file_under_our_name(file: Path, prefix: str, load: Callable[..., object]) -> None:
    """Whatever else there is of that name; the types in it can be looked up."""
    name = f"{prefix}thing"
    module = load(name, file)
    assert sys.modules[name] is module
    assert vars(module)["NAME"] == name


def test_a_file_that_breaks_leaves_nothing(file: Path) -> None:
    """Its own error comes out."""
    file.write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        load_file(f"{USER_MODULES}thing", file)
    assert f"{USER_MODULES}thing" not in sys.modules


def test_from_a_package(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, so that it finds the rest of its package."""
    monkeypatch.syspath_prepend(file.parent)
    assert vars(load_again("thing", file))["NAME"] == "thing"
