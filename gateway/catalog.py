"""Finds drivers by name: in the user's folder, among the bundled ones, and in installed packages."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import stat
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from gateway.config.duration import parse_duration
from gateway.config.fields import fields_of
from gateway.config.shape import DeviceTable
from gateway.driver import Channel, Driver, Kind
from gateway.loading import BUNDLED_MODULES, USER_MODULES, load_file
from gateway.trust import ourselves, wrong_hands

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BUNDLED = Path(__file__).resolve().parent.parent / "drivers"
GROUP = "sensorpost.drivers"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_contents: dict[str, bytes] = {}
"""What the files of users' drivers had in them when they were loaded, by the module's name."""


@dataclass(frozen=True, slots=True)
class Found:
    """A driver that was found by name, loaded or broken."""

    name: str
    source: str
    """``bundled``, the path of the user's file, or ``package NAME VERSION``."""
    driver: type[Driver[Any]] | None
    error: str = ""
    """Why it could not be loaded: one line, with file and line number."""
    summary: str = ""
    """The first line of the file's docstring."""


class Catalog:
    """The drivers that this gateway can use. Loads a driver only when it is asked for by name, and once."""

    def __init__(self, drivers_dir: Path | None = None, *, bundled: Path = BUNDLED, owner: int | None = None) -> None:
        """``owner``: the user that the configuration belongs to, who is trusted beside root and ourselves."""
        self._trusted = ourselves() | ({owner} if owner is not None else set())
        self._folders = [(bundled, "bundled")]
        self._found: dict[str, Found | None] = {}
        self._packages: dict[str, EntryPoint] | None = None
        warnings = []
        if drivers_dir is not None:
            self._folders.insert(0, (drivers_dir, ""))
            if wrong := wrong_hands(drivers_dir, self._trusted):
                warnings.append(f"{wrong}: the gateway runs what is in this folder, so it uses nothing of it")
            elif _writable_by_group(drivers_dir):
                warnings.append(
                    f"{drivers_dir}: others than the owner may write here, and the gateway runs what is in it; "
                    f"chmod go-w {drivers_dir}"
                )
        self.warnings: tuple[str, ...] = tuple(warnings)
        """What is accepted but worth a line."""

    def names(self) -> list[str]:
        """All names, sorted, without loading any of them."""
        files = {path.stem for folder, _ in self._folders for path in folder.glob("*.py") if _NAME.fullmatch(path.stem)}
        return sorted(files | set(self._entry_points()))

    def find(self, name: str) -> Found | None:
        """Load one driver. ``None`` when there is none of that name; a broken file is a ``Found`` with ``error``."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> Found | None:
        if not _NAME.fullmatch(name):
            return None
        for folder, source in self._folders:
            path = folder / f"{name}.py"
            if path.is_file():
                if not source and (wrong := self._wrong(folder, path)):
                    return Found(name, str(path), None, f"{path}:1: it is not run: {wrong}")
                return _from_file(name, path, source)
        entry = self._entry_points().get(name)
        return None if entry is None else _from_package(name, entry)

    def _wrong(self, folder: Path, path: Path) -> str:
        """Who else can change what is run: the folder that a link is in is as good as what the link leads to."""
        return wrong_hands(folder, self._trusted) or wrong_hands(path, self._trusted)

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._packages is None:
            from importlib.metadata import entry_points  # noqa: PLC0415 (20 ms: only for names that are in no folder)

            self._packages = {entry.name: entry for entry in entry_points(group=GROUP) if _NAME.fullmatch(entry.name)}
        return self._packages


def _from_file(name: str, path: Path, source: str) -> Found:
    module_name = (BUNDLED_MODULES if source == "bundled" else USER_MODULES) + name
    summary = _summary(path)
    try:
        module = _module(module_name, path)
        driver = _driver_of(module, path)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a driver's file can do anything; that device alone fails)
        return Found(name, source or str(path), None, _reason(error, path), summary)
    return Found(name, source or str(path), driver, "", summary)


def _module(name: str, path: Path) -> ModuleType:
    """The module of a file. One that is as it was when it was loaded is not loaded again: a reload leaves it alone."""
    loaded = sys.modules.get(name)
    known = loaded is not None and getattr(loaded, "__file__", None) == str(path)
    if known and name.startswith(BUNDLED_MODULES):
        return sys.modules[name]  # a bundled driver never changes while we run
    content = path.read_bytes()
    if known and _contents.get(name) == content:
        return sys.modules[name]
    module = load_file(name, path)
    _contents[name] = content
    return module


def _from_package(name: str, entry: EntryPoint) -> Found:
    source = f"package {entry.dist.name} {entry.dist.version}" if entry.dist else "package"
    path = Path(entry.module.replace(".", "/") + ".py")
    try:
        loaded = entry.load()
        module = loaded if isinstance(loaded, ModuleType) else sys.modules[entry.module]
        path = Path(getattr(module, "__file__", None) or path)
        driver = _driver_of(module, path) if loaded is module else _sound(loaded, path)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (as for a file)
        return Found(name, source, None, _reason(error, _file_of(error, path)))
    return Found(name, source, driver, "", _first_line(module.__doc__))


class _Unsound(Exception):
    """A driver that could never work; ``line`` of its file says where."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def _driver_of(module: ModuleType, path: Path) -> type[Driver[Any]]:
    drivers = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Driver)
        and thing.__module__ == module.__name__
        and not thing.__name__.startswith("_")
    ]
    drivers = list(dict.fromkeys(drivers))
    if not drivers:
        raise _Unsound("no Driver class in this file; a driver is one class that inherits from gateway.driver.Driver")
    if len(drivers) > 1:
        names = " and ".join(driver.__name__ for driver in drivers)
        raise _Unsound(f"{len(drivers)} Driver classes ({names}); one file holds one driver", _line_of(drivers[1]))
    return _sound(drivers[0], path)


def _sound(driver: Any, path: Path) -> type[Driver[Any]]:
    """Check what can be checked without a device, so that a mistake shows before the first start."""
    if not (isinstance(driver, type) and issubclass(driver, Driver)):
        raise _Unsound(f"{path.name} names {driver!r}, which is no Driver class")
    wrong = _wrong_declarations(driver) or _wrong_options(driver)
    if wrong:
        raise _Unsound(wrong, _line_of(driver))
    return driver


def _wrong_declarations(driver: type[Driver[Any]]) -> str:
    name, kind, channels = driver.__name__, cast(Any, driver.kind), cast(Any, driver.channels)
    if driver.read is Driver.read:
        return f"{name} has no read method"
    if not isinstance(kind, Kind):
        return f"{name}.kind is {kind!r}; write Kind.SAMPLED, Kind.STATE or Kind.EVENT"
    if not (isinstance(channels, tuple) and all(isinstance(channel, Channel) for channel in channels)):
        return f"{name}.channels is not a tuple of Channel; mind the comma in (Channel(...),)"
    names = [channel.name for channel in channels]
    twice = next((one for one in names if names.count(one) > 1), None)
    return f"{name}.channels has {twice!r} twice" if twice else ""


def _wrong_options(driver: type[Driver[Any]]) -> str:
    name = driver.__name__
    if not dataclasses.is_dataclass(driver.options_type):
        return f"{name}.options_type is not an options class; put @options above it"
    try:
        for text in (driver.interval, driver.timeout, driver.open_timeout):
            if text is not None:
                parse_duration(text)
        keys = fields_of(driver.options_type)
    except (TypeError, ValueError, AttributeError, NameError) as error:
        return f"{name}: {error}"
    taken = sorted(set(keys) & set(fields_of(DeviceTable)))
    return f"{name}: the option {taken[0]!r} is a key of every device; name it otherwise" if taken else ""


def _line_of(driver: type) -> int:
    try:
        return inspect.getsourcelines(driver)[1]
    except (OSError, TypeError):
        return 1


def _reason(error: BaseException, path: Path) -> str:
    """One line: the last place in the driver's own file, and what happened there."""
    if isinstance(error, _Unsound):
        return f"{path}:{error.line}: {error}"
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    text = " ".join(str(error).split())
    return f"{path}:{lines[-1] if lines else 1}: {type(error).__name__}{': ' if text else ''}{text}"


def _file_of(error: BaseException, path: Path) -> Path:
    """The whole path of a package's file of which we know the end, when the error has been there."""
    names = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        names.append(error.filename)
    ends = (path.as_posix(), f"{path.with_suffix('').as_posix()}/__init__.py")
    return next((Path(name) for name in reversed(names) if Path(name).as_posix().endswith(ends)), path)


def _summary(path: Path) -> str:
    try:
        return _first_line(ast.get_docstring(ast.parse(path.read_bytes())))
    except (OSError, SyntaxError, ValueError):
        return ""


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0].strip()


def _writable_by_group(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & stat.S_IWGRP)
    except OSError:
        return False
