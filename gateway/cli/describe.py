"""What a driver's own file says about it, as data: options, channels and a stanza to paste."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import re
import sys
import textwrap
import typing
from typing import Annotated, Any, Literal

from gateway.catalog import Found
from gateway.config.duration import format_duration
from gateway.config.fields import ARRAYS, TABLES, fields_of, is_union, is_unit, sample_of
from gateway.driver import Channel, Driver, DriverError


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One option of a driver."""

    name: str
    type: str
    default: Any
    required: bool
    choices: tuple[Any, ...] | None
    help: str


def options_of(driver: type[Driver[Any]]) -> list[Option]:
    """The driver's options, in the order of its file; durations as the user writes them."""
    return _options(driver.options_type, "")


def all_options_of(driver: type[Driver[Any]]) -> list[Option]:
    """The same with the options of tables within options, such as ``signals.NAME.shape`` and ``fields[].name``."""
    return _options(driver.options_type, "", nested=True)


def _options(cls: Any, prefix: str, *, nested: bool = False) -> list[Option]:
    found = []
    for key, field in fields_of(cls).items():
        type_, choices = type_name(field.hint)
        default = None if field.required else field.default
        if is_unit(field.hint, "duration") and default is not None:
            default = format_duration(default)
        help_ = str(field.facts.get("help", ""))
        found.append(Option(prefix + key, type_, _plain(default), field.required, choices, help_))
        if nested:
            inner, where = _inner(field.hint)
            if inner is not None:
                found += _options(inner, f"{prefix}{key}{where}", nested=True)
    return found


def _inner(hint: Any) -> tuple[Any, str]:
    """The options class within an option's type, and how a user reaches it."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return hint, "."
    if origin in TABLES and dataclasses.is_dataclass(args[1]):
        return args[1], ".NAME."
    if origin in ARRAYS and dataclasses.is_dataclass(args[0]):
        return args[0], "[]."
    return None, ""


def channels_of(driver: type[Driver[Any]]) -> tuple[Channel, ...]:
    """The channels that a device has with nothing but defaults; empty where options must decide."""
    if driver.channels:
        return driver.channels
    try:
        return driver.channels_for(driver.options_type())
    except (TypeError, ValueError, DriverError):  # required options are missing, or the defaults name no channel
        return ()


def type_name(hint: Any) -> tuple[str, tuple[Any, ...] | None]:  # noqa: PLR0911 (one return a kind of type)
    """A type in few words, with the choices where there are only some."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return type(args[0]).__name__, args
    if is_union(hint):
        kinds = [type_name(arg) for arg in args if arg is not type(None)]
        return " or ".join(dict.fromkeys(name for name, _ in kinds)), next((some for _, some in kinds if some), None)
    if origin is Annotated:
        return str(args[1]), None
    if origin in ARRAYS:
        inner, choices = type_name(args[0])
        return f"list of {inner}", choices
    if origin in TABLES or dataclasses.is_dataclass(hint):
        return "table", None
    if issubclass(hint, enum.Enum):
        return "str", tuple(member.value for member in hint)
    return str(hint.__name__), None


def as_json(found: Found) -> dict[str, Any]:
    """The shape of ``sensorpost drivers --json``; a broken driver has ``error`` as well."""
    shape: dict[str, Any] = {"name": found.name, "source": found.source, "summary": found.summary}
    driver = found.driver
    if driver is None:
        return {**shape, "kind": None, "options": [], "channels": [], "error": found.error}
    return {
        **shape,
        "kind": str(driver.kind),
        "options": [
            {**dataclasses.asdict(option), "choices": list(option.choices) if option.choices else None}
            for option in options_of(driver)
        ],
        "channels": [
            {"name": channel.name, "unit": channel.unit, "device_class": channel.device_class}
            for channel in channels_of(driver)
        ],
    }


def wiring(found: Found) -> str:
    """How to connect it, from the driver's docstring; empty when it does not say."""
    match = re.search(r"^Wiring: (.*?)(?=\n\n|\Z)", _docstring(found), re.DOTALL | re.MULTILINE)
    return " ".join(match[1].split()).replace("``", "`") if match else ""


def sample(found: Found) -> str:
    """A stanza to paste: the one in the driver's docstring, else one made of the options that must be set."""
    assert found.driver is not None
    written = re.search(r"^ +\[devices\..*?(?=\n\S|\Z)", _docstring(found), re.DOTALL | re.MULTILINE)
    if written:
        return textwrap.dedent(written[0]).strip()
    lines = [f"[devices.my-{found.name.replace('_', '-')}]", f'driver = "{found.name}"']
    options: Any = found.driver.options_type
    for key, field in fields_of(options).items():
        if field.required:
            value = toml("/dev/ttyUSB0") if key == "port" else sample_of(field.hint)
            lines.append(f"{key} = {value}" + (f"  # {field.facts['help']}" if field.facts.get("help") else ""))
    if found.driver.interval is not None:
        lines.append(f'interval = "{found.driver.interval}"')
    return "\n".join(lines)


def toml(value: Any) -> str:
    """A default as it would be written in the configuration."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # TOML escapes as JSON does
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }" if value else "{}"
    return str(value)


def _docstring(found: Found) -> str:
    assert found.driver is not None
    module = sys.modules.get(found.driver.__module__)
    return inspect.cleandoc((module.__doc__ if module else "") or "")


def _plain(value: Any) -> Any:
    """A default that JSON can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
