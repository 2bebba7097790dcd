"""gateway/config/schema.py: what is generated is up to date, and agrees with the samples."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.workshop import Workshop

from gateway.catalog import Catalog
from gateway.config.errors import ConfigErrors
from gateway.config.load import load, loads
from gateway.config.schema import PAGE, SCHEMA, json_schema, page, schema_text

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "config").glob("**/*.toml"))
AGAIN = "out of date: run python -m gateway.config.schema"


def test_the_schema_is_up_to_date() -> None:
    """The committed file is what the dataclasses and the bundled drivers say."""
    assert (ROOT / SCHEMA).read_text(encoding="utf-8") == schema_text(), AGAIN


def test_the_page_is_up_to_date() -> None:
    """The tables of docs/configuration.md are what the dataclasses say."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    assert page(text) == text, AGAIN


def test_the_pages_mistakes_are_real() -> None:
    """The example on the page gives just the lines below it."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    match = re.search(r"<!-- mistakes -->\n```toml\n(.*?)```\n+```text\n(.*?)```\n<!-- end -->", text, re.DOTALL)
    assert match is not None
    with pytest.raises(ConfigErrors) as caught:
        loads(match[1], name="sensorpost.toml", environ={}, strict=True)
    assert caught.value.lines() == match[2].splitlines()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_samples_are_valid(path: Path) -> None:
    """Every sample loads, and its first line leads an editor to the schema."""
    settings = load(path, environ={"MQTT_PASSWORD": "x"}, strict=True)
    assert settings.devices
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert (path.parent / first.removeprefix("#:schema ")).resolve() == ROOT / SCHEMA
    agrees(tomllib.loads(path.read_text(encoding="utf-8")), json.loads((ROOT / SCHEMA).read_text(encoding="utf-8")))


def test_commented_lines_of_the_sample_are_valid() -> None:
    """What a user switches on by removing # works: every key that is shown with a default exists."""
    text = (ROOT / "config" / "sensorpost.toml").read_text(encoding="utf-8")
    shown = re.sub(r"(?m)^# (\w+ = )", r"\1", text)
    shown = re.sub(r"(?m)^(urls|username|password|ca_file|drivers_dir) = .*$", "", shown)
    loads(shown, environ={}, strict=True)


def agrees(value: Any, schema: Any) -> None:
    """As much of a JSON schema validator as our schema needs."""
    if schema is True:
        return
    assert schema is not False, "this key is not in the schema"
    if "anyOf" in schema:
        (schema,) = [one for one in schema["anyOf"] if type(value) is TYPES[one["type"]]]
    if "enum" in schema:
        assert value in schema["enum"]
    if "type" in schema:
        assert type(value) in (TYPES[schema["type"]], int if schema["type"] == "number" else None)
    if "pattern" in schema:
        assert re.search(schema["pattern"], value)
    if isinstance(value, list):
        for item in value:
            agrees(item, schema["items"])
    if isinstance(value, dict):
        agrees_table(value, schema)


def agrees_table(value: dict[str, Any], schema: dict[str, Any]) -> None:
    """The same for a table."""
    for key, item in value.items():
        agrees(item, schema.get("properties", {}).get(key, schema.get("additionalProperties", True)))
    assert set(schema.get("required", ())) <= set(value)
    for rule in schema.get("allOf", ()):
        if value.get("driver") == rule["if"]["properties"]["driver"]["const"]:
            agrees(value, rule["then"])


TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}


def test_schema_of_every_kind_of_option(workshop: Workshop) -> None:
    """Bounds, choices, durations, sizes, arrays, tables and renamed keys are in the schema."""
    device = json_schema(Catalog(bundled=workshop.drivers))["properties"]["devices"]["additionalProperties"]
    names = [rule["if"]["properties"]["driver"]["const"] for rule in device["allOf"]]
    assert names == ["meter", "stream", "tags"], "a broken driver has no options to show"
    meter = device["allOf"][0]["then"]["properties"]
    assert meter["address"] == {"type": "integer", "minimum": 3, "maximum": 119, "default": 118, "description": "where"}
    assert meter["mode"]["enum"] == ["fast", "slow"]
    assert (meter["warm_up"]["type"], meter["warm_up"]["default"]) == ("string", "2s")
    assert meter["buffer"]["default"] == "1KB"
    assert meter["pins"]["items"] == {"type": "integer"}
    assert meter["ranges"]["additionalProperties"]["required"] == ["low"]
    assert [one["type"] for one in meter["value"]["anyOf"]] == ["number", "boolean", "string"]
    assert "for" in meter
    assert "end" not in meter
    assert meter["interval"] is True
    assert device["allOf"][2]["then"]["required"] == ["reader"]
