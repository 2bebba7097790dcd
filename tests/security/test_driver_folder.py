"""Driver injection: what is in the folder of one's own drivers is run, so it must be in no wrong hands."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.catalog import Catalog
from gateway.config.errors import ConfigErrors
from gateway.config.load import load

GOOD = '''"""Measures."""
from gateway.driver import Channel, Driver

class Mine(Driver):
    channels = (Channel("x"),)

    def read(self):
        return {"x": 1}
'''
STRANGER = 12345
Finally = Callable[[Callable[[], object]], None]


@pytest.fixture
def folder(tmp_path: Path, finally_do: Finally) -> Path:
    """A folder with one driver, which is forgotten after the test."""
    before = set(sys.modules)
    finally_do(lambda: [sys.modules.pop(name) for name in set(sys.modules) - before])
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o755)
    (folder / "own.py").write_text(GOOD)
    (folder / "own.py").chmod(0o644)
    return folder


def refused(folder: Path, owner: int | None = None) -> str:
    """Why the driver is not loaded; and it is not: a file that would break is not even run."""
    found = Catalog(folder, owner=owner).find("own")
    assert found is not None
    if found.error:
        assert found.driver is None
    return found.error


def test_a_folder_that_everybody_may_write_to(folder: Path) -> None:
    """Nothing of it is run, and the configuration says why."""
    assert refused(folder) == ""
    folder.chmod(0o777)
    (folder / "own.py").write_text("raise SystemExit('it was run')")
    assert refused(folder) == f"{folder}/own.py:1: it is not run: everybody may write to {folder}; chmod o-w {folder}"
    (warning,) = Catalog(folder).warnings
    assert warning.startswith(f"everybody may write to {folder}; ")


def test_a_file_that_everybody_may_write_to(folder: Path) -> None:
    """That one driver is not run; others are."""
    (folder / "other.py").write_text(GOOD)
    (folder / "own.py").chmod(0o666)
    assert "everybody may write to" in refused(folder)
    other = Catalog(folder).find("other")
    assert other is not None
    assert other.driver is not None


@pytest.mark.needs("root")
def test_a_file_of_another_user(folder: Path) -> None:
    """Unless the configuration is that user's, too: who writes the one may write the other."""
    os.chown(folder / "own.py", STRANGER, -1)
    assert f"belongs to the unknown user {STRANGER}" in refused(folder)
    assert refused(folder, owner=STRANGER) == ""


@pytest.mark.needs("root")
def test_the_owner_of_the_configuration_is_trusted(folder: Path) -> None:
    """By the owner of the main file."""
    config = folder.parent / "sensorpost.toml"
    config.write_text('[gateway]\ndrivers_dir = "mine"\n[devices.a]\ndriver = "own"\n')
    os.chown(folder / "own.py", STRANGER, -1)
    with pytest.raises(ConfigErrors, match="it is not run"):
        load(config, environ={}, strict=True)
    os.chown(config, STRANGER, -1)
    assert load(config, environ={}, strict=True).devices[0].driver == "own"


@pytest.mark.parametrize("where", ["file", "folder"])
def test_a_link_out_of_the_folder(folder: Path, tmp_path: Path, where: str) -> None:
    """What it leads to counts: neither a file that is open to all, nor one in a folder that is."""
    public = tmp_path / "public"
    public.mkdir()
    (public / "trap.py").write_text("raise SystemExit('it was run')")
    (folder / "own.py").unlink()
    (folder / "own.py").symlink_to(public / "trap.py")
    (public / "trap.py" if where == "file" else public).chmod(0o777)
    assert "everybody may write to" in refused(folder)


def test_a_link_in_a_folder_that_everybody_may_write_to(folder: Path, tmp_path: Path) -> None:
    """To a file that is in order: somebody else may have chosen that file."""
    safe = tmp_path / "safe"
    safe.mkdir(mode=0o755)
    (folder / "own.py").rename(safe / "own.py")
    (folder / "own.py").symlink_to(safe / "own.py")
    assert refused(folder) == ""
    folder.chmod(0o777)
    assert f"everybody may write to {folder};" in refused(folder)


def test_compiled_files_beside_a_driver_are_never_run(folder: Path) -> None:
    """A file in ``__pycache__`` that claims to be the driver's is not believed, and none is written."""
    trap = folder / "trap.py"
    trap.write_text("raise SystemExit('it was run')")
    cached = importlib.util.cache_from_source(str(folder / "own.py"))
    if sys.pycache_prefix is None:
        py_compile.compile(str(trap), cached, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    trap.unlink()
    assert refused(folder) == ""
    if sys.pycache_prefix is None:
        Path(cached).unlink()
        assert refused(folder) == ""
        assert not Path(cached).exists()


@pytest.mark.parametrize(
    "name", ["../own", "/tmp/own", "own.py", "mine/own", "os", "gateway.app", "", "OWN", "own\0", "own\n", "__init__"]
)
def test_a_name_is_no_path(folder: Path, name: str) -> None:
    """A driver is looked up by its name among what is there; nothing is imported because of it."""
    before = set(sys.modules)
    (folder / "sub").mkdir()
    (folder / "__init__.py").write_text(GOOD)
    (folder / "OWN.py").write_text(GOOD)
    for where in (folder / "sub", folder, folder.parent):
        assert Catalog(where).find(name) is None
    assert set(sys.modules) == before
