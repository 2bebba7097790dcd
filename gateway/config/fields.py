"""The keys that a dataclass stands for, and what its types mean in words."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from gateway.config.duration import parse_duration, parse_size
from gateway.config.report import one_of, show

ARRAYS: tuple[Any, ...] = (tuple, Sequence)
TABLES: tuple[Any, ...] = (dict, Mapping)
TYPES: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes"}


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table, from one field of a dataclass."""

    attribute: str
    key: str
    hint: Any
    default: Any
    """``dataclasses.MISSING`` for a key that must be there."""
    facts: Mapping[str, Any]
    """``min``, ``max``, ``pattern`` and ``help``, where declared."""

    @property
    def required(self) -> bool:
        """Whether the user must set it."""
        return self.default is dataclasses.MISSING


@functools.cache
def fields_of(cls: Any) -> dict[str, Field]:
    """The keys that a dataclass stands for. Raises ``TypeError`` for a type that no key can have."""
    hints = typing.get_type_hints(cls, include_extras=True)
    found: dict[str, Field] = {}
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        hint = hints[field.name]
        _refuse_unknown(hint, f"{cls.__name__}.{field.name}")
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        elif isinstance(default, str) and is_unit(hint, "duration"):
            default = parse_duration(default)
        elif isinstance(default, str) and is_unit(hint, "size"):
            default = parse_size(default)
        key = field.metadata.get("key", field.name)
        found[key] = Field(field.name, key, hint, default, field.metadata)
    return found


def is_unit(hint: Any, name: str) -> bool:
    """Whether a type is ``Duration`` (or ``Size``), also within ``X | None``."""
    if get_origin(hint) is Annotated:
        return name in get_args(hint)[1:]
    return is_union(hint) and any(is_unit(member, name) for member in get_args(hint))


def is_union(hint: Any) -> bool:
    """Whether a type is ``A | B``."""
    return get_origin(hint) in (Union, types.UnionType)


def fits(hint: Any, value: Any) -> bool:  # noqa: PLR0911 (one return a kind of type)
    """Whether a value is of a type at first sight."""
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin is Annotated:
        return isinstance(value, str)
    if origin is Literal:
        return any(type(choice) is type(value) and choice == value for choice in get_args(hint))
    if origin in ARRAYS:
        return isinstance(value, list)
    if origin in TABLES or dataclasses.is_dataclass(hint):
        return isinstance(value, dict)
    if issubclass(hint, enum.Enum):
        return value in [member.value for member in hint]
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint


def name_of(hint: Any) -> str:
    """A type in words."""
    origin = get_origin(hint)
    if origin is Annotated:
        return "a duration" if is_unit(hint, "duration") else "a size"
    if origin is Literal:
        return one_of(get_args(hint))
    if origin in ARRAYS:
        return "an array"
    if origin in TABLES or dataclasses.is_dataclass(hint):
        return "a table"
    return TYPES.get(hint, "a text in quotes")


def sample_of(hint: Any) -> str:
    """What a value of a type looks like in TOML."""
    origin = get_origin(hint)
    if origin is Annotated:
        return '"10s"' if is_unit(hint, "duration") else '"64MB"'
    if origin is Literal:
        return show(get_args(hint)[0])
    if origin in ARRAYS:
        return f"[{sample_of(get_args(hint)[0])}]"
    if origin in TABLES or dataclasses.is_dataclass(hint):
        return "{ ... }"
    return {int: "1", float: "1.0", bool: "true"}.get(hint, '"..."')


def _refuse_unknown(hint: Any, where: str) -> None:
    """Raise ``TypeError`` where a driver's author used a type that no key can have."""
    origin = get_origin(hint)
    if hint is Any or origin is Literal or hint in TYPES:
        return
    if origin is Annotated and (is_unit(hint, "duration") or is_unit(hint, "size")):
        return
    if is_union(hint):
        members = [member for member in get_args(hint) if member is not type(None)]
    elif origin in ARRAYS:
        members = [member for member in get_args(hint) if member is not Ellipsis]
    elif origin in TABLES and get_args(hint)[0] is str:
        members = [get_args(hint)[1]]
    elif isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, enum.Enum)):
        return
    else:
        raise TypeError(
            f"{where}: the type {hint} cannot be an option; use int, float, bool, str, Duration, Literal[...], "
            "X | None, tuple[X, ...], dict[str, X] or an options class"
        )
    for member in members:
        _refuse_unknown(member, where)
