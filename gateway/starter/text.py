"""The file: every key with its comment, made from the same help as the documentation."""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.catalog import Catalog
from gateway.config.fields import fields_of
from gateway.config.shape import DeviceTable, GatewayTable, HomeAssistantTable, MqttTable
from gateway.starter.answers import MACHINE, Answers, quoted, title

HEAD = """\
# sensorpost: sensors to MQTT. Every key there is: docs/configuration.md. After a change: sensorpost check
# Lines that begin with # say what the next line is.
"""
MORE = """\
# More devices: sensorpost scan shows what is connected, and sensorpost drivers NAME what a driver can do, each with a
# table like these to paste. A device's name is its level in the topic.
"""
WIDTH = 118


def text_of(answers: Answers, catalog: Catalog | None = None) -> str:
    """The configuration as it is written."""
    catalog = catalog or Catalog()
    parts = [HEAD, _section("gateway", GatewayTable, {"id": quoted(answers.gateway_id)})]
    mqtt = {"url": quoted(answers.url)}
    if answers.username:
        mqtt["username"] = quoted(answers.username)
    if answers.password is not None:
        mqtt["password"] = answers.password.as_toml()
    parts.append(_section("mqtt", MqttTable, mqtt))
    parts.append(_section("homeassistant", HomeAssistantTable, {"discovery": str(answers.discovery).lower()}))
    parts += [f"# {title(finding)}\n{commented(finding.stanza, catalog)}\n" for finding in answers.found]
    if not answers.found:
        parts.append(f"{commented(MACHINE, catalog)}\n")
    return "\n".join([*parts, MORE])


def commented(stanza: str, catalog: Catalog) -> str:
    """A device's table with a comment above each of its keys."""
    (table,) = tomllib.loads(stanza)["devices"].values()
    helps = {**_helps(DeviceTable), **_helps_of(catalog, table["driver"])}
    return "\n".join(_lines(stanza, helps))


def _lines(stanza: str, helps: Mapping[str, str]) -> Iterator[str]:
    for line in stanza.splitlines():
        key = re.match(r"([A-Za-z0-9_-]+) *=", line)
        if key and key[1] in helps:
            yield from _comment(helps[key[1]])
        yield line


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False)


def _section(name: str, table: Any, values: Mapping[str, str]) -> str:
    helps = _helps(table)
    lines = [f"[{name}]"]
    for key, value in values.items():
        lines += [*_comment(helps[key]), f"{key} = {value}"]
    return "\n".join(lines) + "\n"


def _helps(table: Any) -> dict[str, str]:
    return {key: str(field.facts.get("help") or key) for key, field in fields_of(table).items()}


def _helps_of(catalog: Catalog, driver: str) -> dict[str, str]:
    found = catalog.find(driver)
    return _helps(found.driver.options_type) if found is not None and found.driver is not None else {}
