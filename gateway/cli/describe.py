"""What a driver's own file says about it, as data: options, channels and a stanza to paste."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import textwrap
import types
import typing
from typing import Any, Literal

from gateway.catalog import Found
from gateway.config.duration import format_duration
from gateway.driver import Channel, Driver, DriverError, Duration

NAMES = {int: "int", float: "float", bool: "bool", str: "str"}


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
    """The driver's options, in the order of its file."""
    hints = typing.get_type_hints(driver.options_type, include_extras=True)
    found = []
    for field in dataclasses.fields(driver.options_type):
        type_, choices = type_name(hints[field.name])
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        default: Any = None
        if field.default is not dataclasses.MISSING:
            default = field.default
        elif field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if type_ == "duration" and isinstance(default, int | float):
            default = format_duration(default)
        name = str(field.metadata.get("key", field.name))
        found.append(Option(name, type_, _plain(default), required, choices, str(field.metadata.get("help", ""))))
    return found


def channels_of(driver: type[Driver[Any]]) -> tuple[Channel, ...]:
    """The channels that a device has with nothing but defaults; empty where options must decide."""
    if driver.channels:
        return driver.channels
    try:
        return driver.channels_for(driver.options_type())
    except (TypeError, ValueError, DriverError):  # required options are missing, or the defaults name no channel
        return ()


def type_name(hint: Any) -> tuple[str, tuple[Any, ...] | None]:
    """A type in the words of the configuration, with the choices where there are only some."""
    if hint == Duration:
        return "duration", None
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return NAMES.get(type(args[0]), "str"), args
    if origin in (typing.Union, types.UnionType):
        kinds = [type_name(arg) for arg in args if arg is not type(None)]
        return " or ".join(dict.fromkeys(name for name, _ in kinds)), next((some for _, some in kinds if some), None)
    if origin in (tuple, list):
        return f"list of {type_name(args[0])[0]}", type_name(args[0])[1]
    if origin is dict or hint is dict or dataclasses.is_dataclass(hint):
        return "table", None
    return NAMES.get(hint, getattr(hint, "__name__", str(hint))), None


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


def sample(found: Found) -> str:
    """A stanza to paste: the one in the driver's own docstring, else one made of the options that must be set."""
    assert found.driver is not None
    module = sys.modules.get(found.driver.__module__)
    text = inspect.cleandoc((module.__doc__ if module else "") or "")
    written = re.search(r"^( *)\[devices\..*?(?=\n\S|\Z)", text, re.DOTALL | re.MULTILINE)
    if written and written[1]:
        return textwrap.dedent(written[0]).strip()
    lines = [f"[devices.my-{found.name.replace('_', '-')}]", f'driver = "{found.name}"']
    lines += [
        f"{option.name} = {_value(option)}" + (f"  # {option.help}" if option.help else "")
        for option in options_of(found.driver)
        if option.required
    ]
    if found.driver.interval is not None:
        lines.append(f'interval = "{found.driver.interval}"')
    return "\n".join(lines)


def toml(value: Any) -> str:
    """A default as it would be written in the configuration."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }" if value else "{}"
    return str(value)


def _value(option: Option) -> str:
    """A plausible value for an option that the user must set."""
    if option.choices:
        return toml(option.choices[0])
    if option.name == "port":
        return toml("/dev/ttyUSB0")
    return {"int": "1", "float": "1.0", "bool": "true", "table": "{}"}.get(option.type, '"..."')


def _plain(value: Any) -> Any:
    """A default that JSON can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
