"""A library that brings its own way to the hardware, given ours in its place.

The library's code runs as it was installed. Only what it imports is another thing, and only for this copy of it: the
process's modules stay as they are, so that neither another thread nor another library sees anything of it.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, SimpleNamespace
from typing import Any


def private_library(name: str, stand_ins: Mapping[str, object]) -> ModuleType:
    """A copy of a package of Python code in which ``stand_ins`` are in place of the modules of these names.

    Raises ``ModuleNotFoundError`` when it is not installed.
    """
    return _Copy(name, stand_ins).module(name)


class _Copy:
    def __init__(self, name: str, stand_ins: Mapping[str, object]) -> None:
        self._name = name
        self._stand_ins = stand_ins
        self._modules: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def module(self, name: str) -> ModuleType:
        """One module of the package."""
        if name in self._modules:
            return self._modules[name]
        parent = self.module(name.rpartition(".")[0]) if "." in name else None
        if name in self._modules:  # its package has imported it
            return self._modules[name]
        module = self._make(name, PathFinder.find_spec(name, None if parent is None else parent.__path__))
        if parent is not None:
            setattr(parent, name.rpartition(".")[2], module)
        return module

    def _make(self, name: str, spec: ModuleSpec | None) -> ModuleType:
        code = getattr(spec.loader, "get_code", lambda _: None)(name) if spec is not None else None
        if spec is None or code is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module = ModuleType(name)
        module.__file__, module.__package__, module.__spec__ = spec.origin, spec.parent, spec
        if spec.submodule_search_locations is not None:
            module.__path__ = list(spec.submodule_search_locations)
        module.__dict__["__builtins__"] = self._builtins
        self._modules[name] = module
        try:
            exec(code, module.__dict__)  # noqa: S102 (that is what an import does)
        except BaseException:
            del self._modules[name]
            raise
        return module

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """What an ``import`` of the library's code brings."""
        absolute = name
        if level:
            package = str((globals or {}).get("__package__") or "").split(".")
            absolute = ".".join([*package[: len(package) - level + 1], *([name] if name else [])])
        if absolute in self._stand_ins:
            return self._stand_ins[absolute] if fromlist or "." not in absolute else self._parent_of(absolute)
        if absolute.split(".")[0] != self._name:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        module = self.module(absolute)
        for item in fromlist or ():
            if not hasattr(module, item) and hasattr(module, "__path__"):
                self.module(f"{absolute}.{item}")
        return module if fromlist else self._modules[self._name]

    def _parent_of(self, name: str) -> object:
        """What stands for the package of a stand-in: ``import a.b`` binds ``a``."""
        found = self._stand_ins[name]
        for part in reversed(name.split(".")[1:]):
            found = SimpleNamespace(**{part: found})
        return found
