"""From files to settings: the one way in."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.catalog import Catalog
from gateway.config import source
from gateway.config.broker import mqtt_settings
from gateway.config.buses import settle_isolation
from gateway.config.collisions import refuse_collisions
from gateway.config.devices import device_settings, unknown_section_hint
from gateway.config.errors import ConfigErrors
from gateway.config.fields import fields_of
from gateway.config.identity import ID_RULE, Host, default_id, plain_id, wrong_base_topic, wrong_id
from gateway.config.positions import KeyPath
from gateway.config.report import Note, Report
from gateway.config.secrets import IN_PLAIN_TEXT
from gateway.config.settings import (
    CommandsSettings,
    DeviceSettings,
    HomeAssistantSettings,
    LogSettings,
    Settings,
    SpoolSettings,
)
from gateway.config.shape import Root
from gateway.config.source import Document
from gateway.config.structure import INVALID, check_table
from gateway.driver import Kind

_VARIABLE = re.compile(r"\$(\$\{|\{([^}]*)\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXAMPLE = 'add for example a line [devices.system] and below it driver = "system"'


def find(path: Path | None = None, *, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Path | None:
    """The configuration that :func:`load` would use; ``None`` when there is none."""
    return source.find(path, os.environ if environ is None else environ, cwd or source.here())


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    catalog: Catalog | None = None,
    strict: bool = False,
    host: Host = Host(),  # noqa: B008 (frozen)
) -> Settings:
    """Read, merge and validate the configuration. Raises :class:`ConfigErrors` with every mistake.

    ``strict`` makes a driver's broken file a mistake; without it that device alone will be ``failed``.
    """
    environ = os.environ if environ is None else environ
    document = source.read(path, environ, cwd or source.here())
    folder = document.sources[0].path.parent
    return _settings(document, folder, environ, catalog, host, strict=strict)


def loads(
    text: str,
    *,
    name: str = "<built-in>",
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    catalog: Catalog | None = None,
    strict: bool = False,
    host: Host = Host(),  # noqa: B008 (frozen)
) -> Settings:
    """Validate a configuration that is in no file; ``name`` stands for the file's. Raises :class:`ConfigErrors`."""
    environ = os.environ if environ is None else environ
    return _settings(source.from_text(text, name), folder or source.here(), environ, catalog, host, strict=strict)


def _settings(
    document: Document,
    folder: Path,
    environ: Mapping[str, str],
    catalog: Catalog | None,
    host: Host,
    *,
    strict: bool,
) -> Settings:
    report = Report(document.data)
    data = _filled(document.data, (), environ, report)
    tables = _tables(data, report)
    gateway_id = _gateway_id(tables["gateway"].get("id"), report, host)
    drivers_dir = _drivers_dir(tables["gateway"]["drivers_dir"], folder, report)
    if catalog is None:
        catalog = Catalog(drivers_dir, owner=document.sources[0].owner)
    for warning in catalog.warnings:
        report.warn(("gateway", "drivers_dir"), warning)
    mqtt = mqtt_settings(tables["mqtt"], report, gateway_id=gateway_id, folder=folder, environ=environ)
    whole = []
    configured = tables["devices"]
    if configured is not INVALID:
        for name, table in configured.items():
            device = device_settings(
                name, table, tables["defaults"], catalog, report, folder=folder, environ=environ, strict=strict
            )
            if device is not None:
                whole.append(_durable(device, tables["spool"]["durability"]))
        if not configured:
            empty = "there is nothing in it" if not document.data else "there are no devices"
            report.add(("devices",) if "devices" in document.data else (), empty, _EXAMPLE)
    _check_prefix(tables["homeassistant"]["prefix"], report)
    refuse_collisions(whole, report)
    devices = settle_isolation(whole, report)
    if report.mistakes:
        raise ConfigErrors(document.problems(report.mistakes))
    assert mqtt is not None
    _open_to_all(document, report)
    return Settings(
        files=document.files,
        gateway_id=gateway_id,
        drivers_dir=drivers_dir,
        clock=tables["gateway"]["clock"],
        mqtt=mqtt,
        spool=SpoolSettings(**tables["spool"]),
        log=LogSettings(**tables["log"]),
        homeassistant=HomeAssistantSettings(**tables["homeassistant"]),
        commands=CommandsSettings(**tables["commands"]),
        devices=devices,
        config_hash=document.digest(),
        warnings=tuple(str(problem) for problem in document.problems(report.warnings)),
    )


def _durable(device: DeviceSettings, default: str) -> DeviceSettings:
    """Settle what ``auto`` means: an event or a change of state happens once, a sample comes again."""
    wanted = device.durability or default
    if wanted == "auto":
        wanted = "spill" if device.kind is Kind.SAMPLED else "full"
    return dataclasses.replace(device, durability=wanted)


def _tables(data: dict[str, Any], report: Report) -> dict[str, Any]:
    """The values of every section, by section and attribute; of ``devices`` the tables as they are."""
    sections = fields_of(Root)
    for key, value in data.items():
        if key not in sections:
            report.add((key,), "unknown section", unknown_section_hint(key, list(sections), value))
    found: dict[str, Any] = {}
    for key, field in sections.items():
        value = data.get(key, {})
        if not isinstance(value, dict):
            report.wrong((key,), "is not a table", f"write [{key}] on a line of its own, its keys below")
            value = INVALID if key == "devices" else {}
        found[key] = value if key == "devices" else check_table(fields_of(field.hint), value, (key,), report)
    return found


def _filled(value: Any, path: KeyPath, environ: Mapping[str, str], report: Report) -> Any:
    """The tree with each ``${NAME}`` replaced by the environment's; ``$${`` stands for a plain ``${``.

    A text with a mistake becomes ``INVALID``, so that what is missing in it is no second mistake.
    """
    if isinstance(value, dict):
        return {key: _filled(item, (*path, key), environ, report) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, (*path, index), environ, report) for index, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value
    before = len(report.mistakes)

    def fill(match: re.Match[str]) -> str:
        name = match[2]
        if name is None:
            return "${"
        if not (_NAME.fullmatch(name) and match[0].endswith("}")):
            report.add(path, "has a ${ that is followed by no name and }", "write $${ where a plain ${ is meant")
        elif name not in environ:
            report.add(path, f"the environment variable {name} is not set", f"set {name} before the start")
        return environ.get(name, "")

    text = _VARIABLE.sub(fill, value)
    return INVALID if len(report.mistakes) > before else text


def _gateway_id(given: Any, report: Report, host: Host) -> str:
    if given is INVALID:
        return "invalid"  # never used: the mistake is in the report
    if given is None:
        return default_id(host)
    if wrong := wrong_id(given):
        near = plain_id(given)
        report.wrong(("gateway", "id"), wrong, f'{ID_RULE}; did you mean "{near}"?' if near else ID_RULE)
    return str(given)


def _drivers_dir(given: Any, folder: Path, report: Report) -> Path | None:
    if given is INVALID or not given:
        return None
    drivers_dir: Path = folder / given
    if drivers_dir.is_dir():
        return drivers_dir
    what = f"{drivers_dir} is not a folder" if drivers_dir.exists() else f"the folder {drivers_dir} is not there"
    report.add(("gateway", "drivers_dir"), what, "relative paths begin in the configuration's folder")
    return None


def _check_prefix(prefix: Any, report: Report) -> None:
    if prefix is not INVALID and (wrong := wrong_base_topic(prefix)):
        report.wrong(("homeassistant", "prefix"), wrong, "accepted: the discovery prefix of Home Assistant's MQTT")


def _open_to_all(document: Document, report: Report) -> None:
    """Warn where everybody can change the configuration, or read a secret that is in it."""
    for one in document.sources:
        if one.writable_by_all:
            text = (
                f"everybody on this machine can change {one.path}, and with it what is run here; chmod o-w {one.path}"
            )
            report.warnings.append(Note((), text))
    for note in [note for note in report.warnings if IN_PLAIN_TEXT in note.message]:
        what = note.message.split(" ", 2)[1]
        for one in document.sources:
            if one.readable_by_all and one.line(note.path)[0] == len(note.path):
                text = f"everybody on this machine can read {one.path}, which has a {what} in it; chmod 640 {one.path}"
                report.warnings.append(Note(note.path, text))
