"""gateway/catalog.py: drivers by name from three places; a broken one says where and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.workshop import write_drivers

from gateway.catalog import BUNDLED, Catalog
from gateway.driver import Driver

GOOD = '''"""{summary}

More.
"""
from gateway.driver import Channel, Driver

class {name}(Driver):
    channels = (Channel("x"),)

    def read(self):
        return {{"x": 1}}
'''


@pytest.fixture
def bundled(tmp_path: Path) -> Path:
    """A folder in the place of the bundled drivers."""
    folder = tmp_path / "bundled"
    folder.mkdir()
    return write_drivers(folder)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of the user's."""
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o755)
    return folder


def test_names_run_nothing(bundled: Path, mine: Path) -> None:
    """A list of drivers is safe whatever is in the folders; files that begin with _ are no drivers."""
    (mine / "dangerous.py").write_text("raise SystemExit")
    for name in ("_helper.py", "Upper.py", "with-dash.py", "notes.txt", "__init__.py"):
        (mine / name).write_text("raise SystemExit")
    names = Catalog(mine, bundled=bundled).names()
    assert names == ["broken", "dangerous", "explodes", "meter", "stream", "tags"]


def test_found(bundled: Path) -> None:
    """A driver with where it is from and the first line of its docstring; loaded once."""
    catalog = Catalog(bundled=bundled)
    found = catalog.find("meter")
    assert found is not None
    assert found.driver is not None
    assert issubclass(found.driver, Driver)
    assert (found.source, found.error, found.summary) == ("bundled", "", "Measures what a test wants.")
    assert catalog.find("meter") is found
    assert catalog.find("nowhere") is None
    for name in ("../meter", "Meter", "", "meter.py", "__init__"):
        assert catalog.find(name) is None


def test_the_users_folder_wins_over_the_bundled(bundled: Path, mine: Path) -> None:
    """So that a bundled driver can be mended without waiting for a release."""
    (mine / "meter.py").write_text(GOOD.format(summary="Mine.", name="Own"))
    found = Catalog(mine, bundled=bundled).find("meter")
    assert found is not None
    assert (found.source, found.summary) == (str(mine / "meter.py"), "Mine.")


BROKEN = {
    "syntax": ("x = 1\ndef f(:\n", ":2: invalid syntax"),
    "import": ("import os\n\nimport no_such_thing\n", ":3: ModuleNotFoundError: No module named 'no_such_thing'"),
    "exit": ("\nraise SystemExit(3)\n", ":2: SystemExit: 3"),
    "nothing": ("x = 1\n", ":1: no Driver class in this file; a driver is one class that inherits from"),
    "two": (
        GOOD.format(summary="x", name="A") + GOOD.format(summary="x", name="B"),
        ":18: 2 Driver classes (A and B); one file holds one driver",
    ),
    "no read": ("from gateway.driver import *\n\nclass A(Driver):\n    channels = ()\n", ":3: A has no read method"),
    "pair": (
        "from gateway.driver import *\nC = Channel('t', 'C', 'temperature')\n",
        ":2: ValueError: channel 't': temperature does not go with the unit 'C'; allowed: °C, °F, K",
    ),
    "no tuple": (
        GOOD.format(summary="x", name="A").replace('(Channel("x"),)', '(Channel("x"))'),
        ":7: A.channels is not a tuple of Channel; mind the comma",
    ),
    "twice": (
        GOOD.format(summary="x", name="A").replace('(Channel("x"),)', '(Channel("x"), Channel("x"))'),
        ":7: A.channels has 'x' twice",
    ),
    "kind": (GOOD.format(summary="x", name="A") + "    kind = 'state'\n", ":7: A.kind is 'state'; write Kind.SAMPLED"),
    "interval": (GOOD.format(summary="x", name="A") + "    interval = '10 s'\n", ':7: A: "10 s" is no duration'),
    "options": (
        GOOD.format(summary="x", name="A") + "    options_type = int\n",
        ":7: A.options_type is not an options",
    ),
    "taken": (
        "from gateway.driver import *\n@options\nclass O:\n    timeout: int = option(1, help='x')\n"
        + GOOD.format(summary="x", name="A")
        + "    options_type = O\n",
        ":11: A: the option 'timeout' is a key of every device; name it otherwise",
    ),
    "type": (
        "from gateway.driver import *\n@options\nclass O:\n    ports: set[int] = option(help='x')\n"
        + GOOD.format(summary="x", name="A")
        + "    options_type = O\n",
        ":11: A: O.ports: the type set[int] cannot be an option; use int, float",
    ),
    "not text": ("\udc80", ":1: (unicode error)"),
}


@pytest.mark.parametrize(("text", "error"), BROKEN.values(), ids=BROKEN)
def test_broken_drivers_say_where_and_why(mine: Path, bundled: Path, text: str, error: str) -> None:
    """One line with file and line number."""
    path = mine / "faulty.py"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = Catalog(mine, bundled=bundled).find("faulty")
    assert found is not None
    assert found.driver is None
    assert found.error.startswith(f"{path}{error}")
    assert "\n" not in found.error


def test_a_mended_file_is_loaded_anew(mine: Path, bundled: Path) -> None:
    """By the next catalog, as after a reload."""
    path = mine / "mended.py"
    path.write_text("import no_such_thing\n")
    broken = Catalog(mine, bundled=bundled).find("mended")
    path.write_text(GOOD.format(summary="Works now.", name="Mended"))
    mended = Catalog(mine, bundled=bundled).find("mended")
    assert broken is not None
    assert mended is not None
    assert (broken.driver is None, mended.driver is None) == (True, False)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package that brings drivers."""
    info = tmp_path / "site" / "acme_drivers-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-drivers\nVersion: 1.2\n")
    entries = "acme = acme_one\nacme_class = acme_one:One\nacme_bad = acme_two\nmeter = acme_one\nBad-Name = acme_one\n"
    (info / "entry_points.txt").write_text(f"[sensorpost.drivers]\n{entries}")
    (info.parent / "acme_one.py").write_text(GOOD.format(summary="From a package.", name="One"))
    (info.parent / "acme_two.py").write_text("\nimport no_such_thing\n")
    monkeypatch.syspath_prepend(str(info.parent))
    yield info.parent
    for name in ("acme_one", "acme_two"):
        sys.modules.pop(name, None)


def test_drivers_of_packages(package: Path, bundled: Path) -> None:
    """Last in order; by module or by class; a broken one says where."""
    catalog = Catalog(bundled=bundled)
    assert [name for name in catalog.names() if "acme" in name] == ["acme", "acme_bad", "acme_class"]
    for name in ("acme", "acme_class"):
        found = catalog.find(name)
        assert found is not None
        assert found.driver is not None
        assert (found.source, found.summary) == ("package acme-drivers 1.2", "From a package.")
    bad = catalog.find("acme_bad")
    assert bad is not None
    assert bad.error == f"{package}/acme_two.py:2: ModuleNotFoundError: No module named 'no_such_thing'"
    meter = catalog.find("meter")
    assert meter is not None
    assert meter.source == "bundled"


def test_a_folder_that_others_can_write_to_is_warned_about(mine: Path, bundled: Path) -> None:
    """The gateway runs what is in it."""
    assert Catalog(mine, bundled=bundled).warnings == ()
    for mode, hint in ((0o775, f"chmod go-w {mine}"), (0o757, "so it uses nothing of it")):
        mine.chmod(mode)
        (warning,) = Catalog(mine, bundled=bundled).warnings
        assert warning.endswith(hint)


def test_every_bundled_driver_is_sound() -> None:
    """Each file in drivers/ is a driver that loads here, without its hardware."""
    catalog = Catalog()
    files = sorted(path.stem for path in BUNDLED.glob("*.py") if not path.stem.startswith("_"))
    assert files
    for name in files:
        found = catalog.find(name)
        assert found is not None
        assert found.error == ""
        assert found.summary
