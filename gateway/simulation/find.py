"""Finds the model of a driver's device: by the driver's name, one file each, without a list."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from gateway.loading import BUNDLED_MODULES, load_file

MODELS = "gateway.simulation.models."
USER_MODELS = "sensorpost_user_simulation."

Attach = Callable[[Any, Any], Any]
"""``attach(world, options)``: puts the device into the world, and returns its model."""


class NotInstalled(LookupError):
    """A library that the driver brings is missing: so it does not run on its model either."""


def find_model(driver: type[Any]) -> Attach | None:
    """How a driver's device gets into a world; ``None`` when nobody has written a model of it.

    The model of a user's driver is ``simulation/NAME.py`` beside it, that of a bundled driver is in
    ``gateway/simulation/models``. Raises what the file raises, ``AttributeError`` when it has no ``attach``, and
    ``NotInstalled`` when the library is missing whose name in an ``import`` the file has as ``NEEDS``.
    """
    module = _module(driver)
    if module is None:
        return None
    needs = getattr(module, "NEEDS", "")
    if needs and importlib.util.find_spec(needs) is None:
        name = driver.__module__.rpartition(".")[2]
        raise NotInstalled(f"its library is not installed, see: sensorpost drivers {name}")
    attach: Attach = module.attach
    return attach


def _module(driver: type[Any]) -> ModuleType | None:
    module, _, name = driver.__module__.rpartition(".")
    if f"{module}." == BUNDLED_MODULES:
        known = importlib.util.find_spec(MODELS + name)
        return None if known is None else importlib.import_module(MODELS + name)
    file = getattr(sys.modules.get(driver.__module__), "__file__", None)
    if file is None:
        return None
    path = Path(file).parent / "simulation" / f"{name}.py"
    return load_file(USER_MODELS + name, path) if path.is_file() else None
