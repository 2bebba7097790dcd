"""The configuration's JSON schema (for editors) and the tables in docs/configuration.md, made from the dataclasses.

``python -m gateway.config.schema`` in a checkout writes both anew; a test fails when they are out of date.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from gateway.catalog import BUNDLED, Catalog
from gateway.config.duration import format_duration, format_size
from gateway.config.fields import ARRAYS, TABLES, Field, fields_of, is_union, is_unit
from gateway.config.shape import (
    ChannelTable,
    CommandsTable,
    CommonTable,
    DeviceTable,
    GatewayTable,
    HomeAssistantTable,
    LogTable,
    MqttTable,
    SpoolTable,
    WebTable,
)
from gateway.driver import SecretSource

SCHEMA = Path("config/sensorpost.schema.json")
PAGE = Path("docs/configuration.md")
SECTIONS: dict[str, Any] = {
    "gateway": GatewayTable,
    "mqtt": MqttTable,
    "password": SecretSource,
    "spool": SpoolTable,
    "log": LogTable,
    "web": WebTable,
    "homeassistant": HomeAssistantTable,
    "commands": CommandsTable,
    "common": CommonTable,
    "device": DeviceTable,
    "channel": ChannelTable,
}
"""The tables of the page, by the name in their marker."""

DURATION = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"
SIZE = r"^[0-9]+ ?([KMG]i?B|B)$"
_SIMPLE = {int: "integer", float: "number", bool: "boolean", str: "string"}


def json_schema(catalog: Catalog) -> dict[str, Any]:
    """The schema (draft 7) of a configuration, with the options of the drivers in the catalog."""
    device = _table(fields_of(DeviceTable), closed=False)
    device["properties"]["channels"] = {"type": "object", "additionalProperties": _table(fields_of(ChannelTable))}
    device["allOf"] = [
        {"if": {"properties": {"driver": {"const": name}}}, "then": schema}
        for name in catalog.names()
        if (schema := _device_of(name, catalog)) is not None
    ]
    sections = {
        "gateway": GatewayTable,
        "mqtt": MqttTable,
        "spool": SpoolTable,
        "log": LogTable,
        "web": WebTable,
        "homeassistant": HomeAssistantTable,
        "commands": CommandsTable,
        "defaults": CommonTable,
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "sensorpost",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{name: _table(fields_of(table)) for name, table in sections.items()},
            "devices": {"type": "object", "additionalProperties": device},
        },
    }


def _device_of(name: str, catalog: Catalog) -> dict[str, Any] | None:
    """What one driver's own options add to a device; ``None`` for a driver that cannot be loaded."""
    found = catalog.find(name)
    if found is None or found.driver is None:
        return None
    options_type: Any = found.driver.options_type
    table = _table(fields_of(options_type))
    table["properties"] |= dict.fromkeys(fields_of(DeviceTable), True)
    return table


def _table(fields: Mapping[str, Field], *, closed: bool = True) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {key: _key(field) for key, field in fields.items()},
        "required": [key for key, field in fields.items() if field.required],
    }
    if closed:
        schema["additionalProperties"] = False
    if not schema["required"]:
        del schema["required"]
    return schema


def _key(field: Field) -> dict[str, Any]:
    schema = _type(field.hint)
    if schema.get("type") in ("integer", "number"):
        bounds = {"minimum": field.facts.get("min"), "maximum": field.facts.get("max")}
        schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if schema == {"type": "string"} and "pattern" in field.facts:
        schema["pattern"] = f"^({field.facts['pattern']})$"
    if "help" in field.facts:
        schema["description"] = field.facts["help"]
    default = default_of(field)
    return schema if default is None else {**schema, "default": default}


def _type(hint: Any) -> dict[str, Any]:  # noqa: PLR0911 (one return a kind of type)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return {"type": "string", "pattern": DURATION if is_unit(hint, "duration") else SIZE}
    if is_union(hint):
        members = [_type(member) for member in args if member is not type(None)]
        return members[0] if len(members) == 1 else {"anyOf": members}
    if origin is Literal:
        return {"enum": list(args)}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    if origin in ARRAYS:
        return {"type": "array", "items": _type(args[0])}
    if origin in TABLES:
        return {"type": "object", "additionalProperties": _type(args[1])}
    if dataclasses.is_dataclass(hint):
        options_type: Any = hint
        return _table(fields_of(options_type))
    return {"type": _SIMPLE[hint]} if hint in _SIMPLE else {}


def default_of(field: Field) -> Any:
    """A key's default as TOML and JSON write it; ``None`` for none, or for a table that is made of further keys."""
    if field.required or field.default is None:
        return None
    if is_unit(field.hint, "duration"):
        return format_duration(field.default)
    if is_unit(field.hint, "size"):
        return format_size(field.default)
    if isinstance(field.default, enum.Enum):
        return field.default.value
    return field.default if isinstance(field.default, str | int | float) else None


def type_in_words(hint: Any) -> str:
    """A key's type for the page."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return "duration" if is_unit(hint, "duration") else "size"
    if is_union(hint):
        return " or ".join(type_in_words(member) for member in args if member is not type(None))
    if origin is Literal:
        return ", ".join(f"`{json.dumps(choice)}`" for choice in args)
    if origin in ARRAYS:
        return f"array of {type_in_words(args[0])}"
    if origin in TABLES or dataclasses.is_dataclass(hint):
        return "table"
    return {int: "whole number", float: "number", bool: "true or false", str: "text"}.get(hint, "any")


def markdown(fields: Mapping[str, Field]) -> str:
    """A table of keys for the page."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in fields.items():
        default = default_of(field)
        shown = "required" if field.required else "" if default is None else f"`{json.dumps(default)}`"
        text = (str(field.facts.get("help", "")) + _bounds(field)).replace("<", "&lt;").replace("|", "\\|")
        rows.append(f"| `{key}` | {type_in_words(field.hint)} | {shown} | {text} |")
    return "\n".join(rows)


def _bounds(field: Field) -> str:
    show: Callable[[Any], str] = str
    if is_unit(field.hint, "duration"):
        show = format_duration
    elif is_unit(field.hint, "size"):
        show = format_size
    low, high = (None if bound is None else show(bound) for bound in (field.facts.get("min"), field.facts.get("max")))
    if low and high:
        return f" From {low} to {high}."
    return f" At least {low}." if low else f" At most {high}." if high else ""


def keys_of(name: str) -> dict[str, Field]:
    """The keys of one table of the page; of a device those that ``[defaults]`` cannot have."""
    keys = fields_of(SECTIONS[name])
    return {key: keys[key] for key in keys if name != "device" or key not in fields_of(CommonTable)}


def page(text: str) -> str:
    """``docs/configuration.md`` with its generated tables made anew."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}\n{markdown(keys_of(match[2]))}\n{match[3]}"

    return re.sub(r"(<!-- keys of (\w+) -->)\n.*?(<!-- end -->)", fill, text, flags=re.DOTALL)


def schema_text() -> str:
    """The content of the schema's file: the bundled drivers' options are in it, a user's own cannot be."""
    return json.dumps(json_schema(Catalog()), indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Write the schema and the page's tables into the checkout; with an argument, only print the schema."""
    if arguments:
        sys.stdout.write(schema_text())
        return
    root = BUNDLED.parent
    (root / SCHEMA).write_text(schema_text(), encoding="utf-8")
    file = root / PAGE
    file.write_text(page(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
