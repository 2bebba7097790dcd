"""gateway/hardware/private_library.py: a library as it is, with other things in place of what it imports."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.hardware.private_library import private_library

FILES = {
    "__init__.py": "from .core import Reader\nfrom .extra import more\nimport json\nname = 'oldlib'\n",
    "core.py": "import RPi.GPIO as GPIO\nimport spidev\nfrom time import sleep\nimport os.path\n"
    "class Reader:\n    def read(self):\n        sleep(1)\n        return spidev.xfer(GPIO.OUT)\n"
    "    def late(self):\n        import spidev as again\n        return again.xfer(3)\n",
    "extra.py": "from . import core\nfrom .core import Reader as R\nimport oldlib.deep\nfrom RPi import GPIO\n"
    "def more():\n    return oldlib.deep.VALUE, GPIO.OUT, R is core.Reader\n",
    "deep.py": "VALUE = 7\n",
}


@pytest.fixture
def _library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that talks to hardware by itself."""
    (tmp_path / "oldlib").mkdir()
    for name, text in FILES.items():
        (tmp_path / "oldlib" / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))


def stand_ins(factor: int) -> tuple[dict[str, object], list[float]]:
    """What the library gets, and the seconds that it has slept."""
    slept: list[float] = []
    gpio = SimpleNamespace(OUT=5)
    spidev = SimpleNamespace(xfer=lambda value: factor * value)
    made = {"RPi.GPIO": gpio, "RPi": SimpleNamespace(GPIO=gpio), "spidev": spidev}
    return {**made, "time": SimpleNamespace(sleep=slept.append)}, slept


@pytest.mark.usefixtures("_library")
def test_a_copy_for_each_with_its_own_stand_ins() -> None:
    """Also of what is imported later, within a function; the process's modules are as before."""
    before = dict(sys.modules)
    given, slept = stand_ins(2)
    one, two = private_library("oldlib", given), private_library("oldlib", stand_ins(3)[0])
    assert (one.Reader().read(), two.Reader().read()) == (10, 15)
    assert (one.Reader().late(), two.Reader().late()) == (6, 9)
    assert slept == [1]
    assert one.more() == (7, 5, True)
    assert one.Reader is not two.Reader
    assert {name for name in sys.modules if name not in before} <= {"json", "os.path"}
    assert not any(name.startswith(("oldlib", "RPi", "spidev")) for name in sys.modules)


@pytest.mark.usefixtures("_library")
def test_from_many_threads_at_once() -> None:
    """Each gets its own."""
    found: list[int] = []

    def load(factor: int) -> None:
        found.append(private_library("oldlib", stand_ins(factor)[0]).Reader().read() - 5 * factor)

    threads = [threading.Thread(target=load, args=(factor,)) for factor in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0] * 20


@pytest.mark.usefixtures("_library")
def test_a_real_module_of_that_name_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another library of the process goes on with it."""
    real = SimpleNamespace(OUT="real")
    monkeypatch.setitem(sys.modules, "RPi.GPIO", real)  # type: ignore[misc]  # any object can be there
    assert private_library("oldlib", stand_ins(2)[0]).Reader().read() == 10
    assert sys.modules["RPi.GPIO"] is real  # type: ignore[comparison-overlap]


def test_not_installed() -> None:
    """As any import says it."""
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        private_library("no_such_library", {})


@pytest.mark.usefixtures("_library")
def test_what_is_missing_beside() -> None:
    """A stand-in that was forgotten is a module that is looked for."""
    given, _ = stand_ins(2)
    del given["spidev"]
    with pytest.raises(ImportError):
        private_library("oldlib", {**given, "spidev.nothing": None})
