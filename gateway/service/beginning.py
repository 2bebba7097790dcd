"""A configuration to begin with, and the files beside it that it names: they go to /etc/sensorpost together."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.service.machine import CannotError
from gateway.service.places import CONFIG, CONFIG_DIR

UNSEEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 (nothing is written there)
"""What the unit has a view of its own of, or none (ProtectHome=, PrivateTmp=)."""
NAMES = ("file", "tag_list", "drivers_dir")
"""Keys that name a file or a folder; a ``profile`` is none."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Texts by the place that they get."""

    files: dict[str, str]

    @classmethod
    def of(cls, config: Path) -> Beginning:
        """The file, what ``sensorpost.d`` beside it adds, and the secrets, certificates and drivers that they name.

        ``CannotError`` where one of them is not there, or would be out of the service's sight. The configuration itself
        is a valid one: the command has looked.
        """
        found = {CONFIG: _text(config, "utf-8-sig")}
        for more in sorted((config.parent / "sensorpost.d").glob("*.toml")):
            found[f"{CONFIG_DIR}/sensorpost.d/{more.name}"] = _text(more, "utf-8-sig")
        for text in tuple(found.values()):
            for name in _named(tomllib.loads(text)):
                for path in _files(config, name):
                    found[f"{CONFIG_DIR}/{path.relative_to(config.parent)}"] = _text(path)
        return cls(found)


def _named(value: Any, key: str = "") -> Iterator[str]:
    """The values of ``file``, ``ca_file`` and the like, ``tag_list`` and ``drivers_dir``, wherever they stand."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _named(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)
    elif isinstance(value, str) and value and (key in NAMES or key.endswith("_file")):
        yield value


def _files(config: Path, name: str) -> list[Path]:
    """What that name stands for, where it is beside the configuration; one elsewhere stays where it is."""
    if Path(name).is_absolute():
        if any(Path(name).is_relative_to(folder) for folder in UNSEEN):
            raise CannotError(
                f"{config} names {name}, which the service cannot see: put it beside {config} and name it so"
            )
        return []
    if ".." in Path(name).parts:
        raise CannotError(f"{config} names {name}: only what is below its folder can go to {CONFIG_DIR} with it")
    path = config.parent / name
    if path.is_dir():
        return sorted(one for one in path.iterdir() if one.suffix == ".py" and one.is_file())
    return [path]


def _text(path: Path, encoding: str = "utf-8") -> str:
    """A file; a configuration may begin with a byte order mark, as Windows' editors write it."""
    try:
        return path.read_text(encoding=encoding)
    except (OSError, UnicodeDecodeError) as exc:
        raise CannotError(f"{path}: {getattr(exc, 'strerror', None) or 'is no text in UTF-8'}") from exc
