"""``[devices.NAME]``: common keys, the driver's own options, and the channels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.catalog import Catalog, Found
from gateway.config.channels import channel_settings
from gateway.config.duration import format_duration, parse_duration
from gateway.config.fields import Field, fields_of
from gateway.config.identity import wrong_level
from gateway.config.positions import KeyPath
from gateway.config.presence import presence_settings
from gateway.config.report import Report, nearest, suggestion
from gateway.config.settings import DeviceSettings
from gateway.config.shape import CommonTable, DeviceTable
from gateway.config.structure import INVALID, check_table, construct
from gateway.driver import Driver, DriverError, Kind, TagDriver

RESERVED = "gateway"
"""The level of the gateway's own topics."""


def device_settings(
    name: str,
    table: Any,
    defaults: Mapping[str, Any],
    catalog: Catalog,
    report: Report,
    *,
    folder: Path,
    environ: Mapping[str, str],
    strict: bool,
) -> DeviceSettings | None:
    """The settings of one device, or ``None`` with its mistakes in the report.

    ``defaults`` are the checked values of ``[defaults]``. With ``strict`` a driver's broken file is a mistake; without,
    the device is there with ``broken`` set and will be ``failed``. Paths of its files begin in ``folder``.
    """
    path: KeyPath = ("devices", name)
    before = len(report.mistakes)
    if wrong := "is reserved for the gateway's own topics" if name == RESERVED else wrong_level(name):
        report.add(path, f"this name {wrong}", "accepted: one level of a topic, such as front-door")
    if not isinstance(table, dict):
        report.wrong(path, "is not a table", f"write [devices.{name}] on a line of its own, its keys below")
        return None
    found = _driver(table, path, catalog, report, strict=strict)
    if found is None:
        return None
    if found.driver is None:
        values = _values(table, {}, path, report, loose=True)
        return None if len(report.mistakes) > before else _broken(name, values, defaults, found)
    options_type: Any = found.driver.options_type
    own = fields_of(options_type)
    values = _values(table, own, path, report)
    common = _common(found.driver, values, defaults, path, report)
    shown = _shown(found, {f.attribute: values[f.attribute] for f in own.values()}, values["channels"], path, report)
    if shown is not None and issubclass(found.driver, TagDriver):
        holds = found.driver.holds_for(shown["options"])
        shown["presence"] = presence_settings(
            shown["options"], path, report, holds=holds, folder=folder, environ=environ, strict=strict
        )
    if shown is None or len(report.mistakes) > before:
        return None
    if common["retain"] is None:
        common["retain"] = shown["kind"] is not Kind.EVENT
    return DeviceSettings(
        device=name,
        driver=found.name,
        name=_words(values["name"]) or name,
        driver_type=found.driver,
        written={key: table[key] for key in own if key in table},
        **shown,
        **common,
    )


def _shown(
    found: Found, values: Mapping[str, Any], tables: Any, path: KeyPath, report: Report
) -> dict[str, Any] | None:
    """Options, kind and channels, as the driver's own code makes them."""
    driver: Any = found.driver
    options = construct(driver.options_type, values, path, report)
    if options is INVALID:
        return None
    try:
        kind = driver.kind_for(options)
        channels = driver.channels_for(options)
    except Exception as error:  # noqa: BLE001 (a driver's own code; whatever it says is shown)
        plain = isinstance(error, DriverError | ValueError)
        report.add(path, f"{error}" if plain else f"{type(error).__name__}: {error}", getattr(error, "hint", ""))
        return None
    if not channels:
        report.add(path, "this device has no channels", f"see: sensorpost drivers {found.name}")
    return {"options": options, "kind": kind, "channels": channel_settings(channels, tables, kind, path, report)}


def _driver(table: dict[str, Any], path: KeyPath, catalog: Catalog, report: Report, *, strict: bool) -> Found | None:
    wanted = table.get("driver")
    if wanted is None:
        near = nearest("driver", [key for key in table if isinstance(table[key], str)])
        if near is not None:
            report.add((*path, near), "unknown key", "did you mean driver?")
        else:
            report.add(path, 'the key "driver" is missing', 'write driver = "..."; all of them: sensorpost drivers')
        return None
    if wanted is INVALID:
        return None
    if not isinstance(wanted, str):
        report.wrong((*path, "driver"), "is not a text in quotes", "all of them: sensorpost drivers")
        return None
    found = catalog.find(wanted)
    if found is None:
        report.wrong((*path, "driver"), "there is no such driver", _instead(wanted, catalog))
        return None
    if found.driver is None and strict:
        report.add((*path, "driver"), f"the driver {wanted} ({found.source}) cannot be loaded", found.error)
    return found


def _instead(wanted: str, catalog: Catalog) -> str:
    """What to write in place of a driver that there is not."""
    from gateway.known.thing import called  # noqa: PLC0415 (a table of its own, only for those who need it)

    thing = called(wanted)
    if thing is not None:
        return thing.way() + (f"; a stanza to paste: sensorpost drivers {wanted}" if thing.driver else "")
    near = nearest(wanted, catalog.names())
    meant = f"; did you mean {near}?" if near else ""
    return f"all of them: sensorpost drivers{meant}"


def _values(
    table: dict[str, Any], own: Mapping[str, Field], path: KeyPath, report: Report, *, loose: bool = False
) -> dict[str, Any]:
    """Common keys and options out of one flat table; ``loose``: the options are unknown, so any key may be one."""
    fields = {**fields_of(DeviceTable), **own}
    if loose:
        table = {key: value for key, value in table.items() if key in fields}
    name = table["driver"]
    see = f"accepted: the options of {name} (sensorpost drivers {name}) and the common keys (docs/configuration.md)"
    return check_table(fields, table, path, report, see=see)


def _broken(name: str, values: Mapping[str, Any], defaults: Mapping[str, Any], found: Found) -> DeviceSettings:
    given = _first_given(values, defaults)
    return DeviceSettings(
        device=name,
        driver=found.name,
        name=_words(values["name"]) or name,
        area=_words(given["area"]) or None,
        tags=given["tags"] or {},
        broken=found.error,
        enabled=given["enabled"] is not False,
        retain=given["retain"] is not False,
    )


def _words(text: Any) -> str:
    """A name for people; one of nothing but spaces is none. Anything else than a text is a mistake by now."""
    return text.strip() if isinstance(text, str) else ""


def _first_given(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Each common key: the device's own value, else that of ``[defaults]``, else ``None``."""
    keys = [field.name for field in dataclasses.fields(CommonTable)]
    return {key: defaults.get(key) if values[key] is None else values[key] for key in keys}


def _common(
    driver: type[Driver[Any]], values: Mapping[str, Any], defaults: Mapping[str, Any], path: KeyPath, report: Report
) -> dict[str, Any]:
    """The common settings, complete."""
    given = _first_given(values, defaults)
    if driver.interval is None:
        for key in ("interval", "align", "offset"):
            if values[key] not in (None, False):
                message = "has no meaning here: this driver sends readings as they come"
                report.wrong((*path, key), message, "leave it out")
        interval, align, offset = None, False, 0.0
    else:
        interval = parse_duration(driver.interval) if given["interval"] is None else given["interval"]
        align, offset = bool(given["align"]), given["offset"] or 0.0
        _check_offset((interval, align, offset), values, path, report)
    defaults_of: dict[str, Any] = {
        "timeout": parse_duration(driver.timeout),
        "open_timeout": parse_duration(driver.open_timeout),
    }
    defaults_of |= {"enabled": True, "max_rate": 2000.0, "batch": 0.0, "durability": "", "area": None, "tags": {}}
    defaults_of |= {"isolation": "auto", "homeassistant": True}
    rest = {key: fallback if given[key] is None else given[key] for key, fallback in defaults_of.items()}
    rest["area"] = _words(rest["area"]) or None
    return {"interval": interval, "align": align, "offset": offset, "retain": given["retain"], **rest}


def _check_offset(schedule: tuple[Any, bool, Any], values: Mapping[str, Any], path: KeyPath, report: Report) -> None:
    interval, align, offset = schedule
    if INVALID in schedule or not offset:
        return
    at = path if values["offset"] is not None else ("defaults",)
    if not align:
        report.wrong((*at, "offset"), "has no effect without align", "write align = true, or leave it out")
    elif offset >= interval:
        message = f"is not shorter than the interval of {path[-1]}"
        report.wrong((*at, "offset"), message, f"accepted: less than {format_duration(interval)}")


def unknown_section_hint(key: str, sections: list[str], table: Any) -> str:
    """For a key at the top that is no section: a device whose heading lost its ``devices.`` is the usual reason."""
    if isinstance(table, dict) and "driver" in table:
        return f"did you mean [devices.{key}]?"
    return suggestion(key, sections)
