"""Loads a driver's module: from its file, under a name that is ours, or from an installed package."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

BUNDLED_MODULES = "drivers."
USER_MODULES = "sensorpost_user_drivers."
"""What the names of modules begin with that were loaded from a file: a bundled one, one of the user's."""


class _SourceAlone(SourceFileLoader):
    """Never runs what somebody has put into ``__pycache__`` beside a user's driver, and writes nothing there."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def load_file(name: str, path: Path) -> ModuleType:
    """Run a file as the module ``name``. Raises whatever the file raises."""
    loader = _SourceAlone(name, str(path)) if name.startswith(USER_MODULES) else None
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up the types of their fields there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def load_again(name: str, path: Path) -> ModuleType:
    """In another process: the module that has the name ``name`` and the file ``path`` in the gateway's."""
    if name.startswith((BUNDLED_MODULES, USER_MODULES)):
        return load_file(name, path)
    return importlib.import_module(name)
