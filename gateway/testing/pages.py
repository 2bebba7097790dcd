"""A driver's page in the documentation, made from the driver's own file: ``python -m gateway.testing``.

The docstring of a driver's file has one line on what it is, then paragraphs that begin with ``Wiring:``, ``Sample:``
(a stanza to paste, indented), ``Traps:`` and ``Sources:``. Options and channels come from the code.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import sys
import textwrap
import tomllib
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.cli.describe import toml, type_name
from gateway.config.duration import format_duration
from gateway.config.fields import Field, fields_of, is_unit
from gateway.config.report import Report
from gateway.config.shape import DeviceTable
from gateway.config.structure import build
from gateway.driver import Channel, Driver, DriverError

SECTIONS = ("Wiring", "Sample", "Traps", "Sources")
PAGES, HARDWARE = Path("docs/drivers"), Path("docs/hardware.md")
_MARK = re.compile(rf"^({'|'.join(SECTIONS)}):(?: |\n+)", re.MULTILINE)


def sections(driver: type[Driver[Any]]) -> dict[str, str]:
    """The docstring of the driver's file by section; the summary is ``""``."""
    parts = _MARK.split(inspect.cleandoc(sys.modules[driver.__module__].__doc__ or ""))
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {"": parts[0].strip()} | {name: _paragraphs(text) for name, text in found.items()}


def sample(driver: type[Driver[Any]]) -> str:
    """The stanza to paste; a plain one for a driver that shows none."""
    name = driver.__module__.rpartition(".")[2]
    plain = f'[devices.my-{name.replace("_", "-")}]\ndriver = "{name}"'
    return sections(driver).get("Sample", "") or plain


def sample_options(driver: type[Driver[Any]]) -> dict[str, Any]:
    """The driver's own options in its sample. ``ValueError`` when the sample is not one device."""
    try:
        devices = list(tomllib.loads(sample(driver)).get("devices", {}).values())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"the sample is not TOML: {error}") from error
    if not devices:
        raise ValueError("the sample has no [devices.NAME]")
    common = fields_of(DeviceTable)
    return {key: value for key, value in devices[0].items() if key not in common}


def page(driver: type[Driver[Any]], name: str) -> str:
    """The page as Markdown."""
    said = sections(driver)
    every = f"read every {driver.interval} by default" if driver.interval else "streaming: read as the values come"
    parts = [
        f"# {name}",
        f"<!-- Made from drivers/{name}.py by `python -m gateway.testing`: edit that file, not this one. -->",
        said[""],
        f"Kind: {driver.kind}, {every}. A read may take {driver.timeout}, opening {driver.open_timeout}.",
        "## Wiring and what it needs",
        said.get("Wiring", "None."),
        "## Sample",
        f"```toml\n{sample(driver)}\n```",
        "## Options",
        _options(driver.options_type),
        "## Channels",
        _channels(driver),
    ]
    parts += [
        f"## {title}\n\n{said[key]}" for key, title in (("Traps", "Traps"), ("Sources", "Sources")) if key in said
    ]
    return "\n\n".join(parts) + "\n"


def _paragraphs(text: str) -> str:
    """Text as it is in Markdown: indented code stays, ``code`` loses a pair of its backticks."""
    text = textwrap.dedent(text).strip().replace("``", "`")
    return text[:1].upper() + text[1:]


def _options(cls: Any, name: str = "") -> str:
    fields = fields_of(cls)
    if not fields:
        return "None of its own."
    rows = [
        (f"`{key}`", _type(field), _default(field), str(field.facts.get("help", ""))) for key, field in fields.items()
    ]
    title = f"### In `{name}`\n\n" if name else ""
    tables = [title + _table(("option", "type", "default", "meaning"), rows)]
    for key, field in fields.items():
        inner: list[Any] = [a for a in _leaves(field.hint) if dataclasses.is_dataclass(a)]
        tables += [_options(kind, f"{name}.{key}".lstrip(".")) for kind in inner]
    return "\n\n".join(tables)


def _leaves(hint: Any) -> list[Any]:
    arguments = typing.get_args(hint)
    return [leaf for argument in arguments for leaf in _leaves(argument)] if arguments else [hint]


def _type(field: Field) -> str:
    name, choices = type_name(field.hint)
    return ", ".join(f"`{toml(choice)}`" for choice in choices) if choices else name


def _default(field: Field) -> str:
    if field.required:
        return "required"
    if field.default is None:
        return ""
    if is_unit(field.hint, "duration"):
        return f'`"{format_duration(field.default)}"`'
    text = toml(field.default).replace("\n", "\\n")
    return "" if text in ("{}", "[]") else f"`{text}`"


def _channels(driver: type[Driver[Any]]) -> str:
    channels: tuple[Channel, ...] = driver.channels
    note = ""
    if not channels:
        try:
            channels = driver.channels_for(build(driver.options_type, sample_options(driver), (), Report({})))
        except (ValueError, DriverError):
            return "The options decide."
        note = "The options decide; with the sample above:\n\n"
    rows = [
        (
            f"`{c.name}`",
            c.unit or "",
            c.device_class or "",
            {bool: "boolean", str: "text"}.get(c.type, "number"),
            c.help,
        )
        for c in channels
    ]
    return note + _table(("channel", "unit", "device class", "type", "meaning"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Write the page of every driver in a folder; with ``--check`` only say which are out of date."""
    from gateway.catalog import Catalog  # noqa: PLC0415 (it loads drivers)
    from gateway.testing import hardware_page  # noqa: PLC0415 (the same)

    parser = argparse.ArgumentParser(prog="python -m gateway.testing", description=main.__doc__)
    parser.add_argument("drivers", nargs="?", type=Path, default=Path("drivers"), help="the folder of the drivers")
    parser.add_argument("pages", nargs="?", type=Path, default=PAGES, help="the folder of the pages")
    parser.add_argument("--hardware", type=Path, help="the page of them all, docs/hardware.md for ours")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is out of date")
    given = parser.parse_args(arguments)
    catalog = Catalog(given.drivers)
    every, texts = [], {}
    for file in sorted(given.drivers.glob("[a-z]*.py")):
        found = catalog.find(file.stem)
        if found is None or found.driver is None:
            sys.stderr.write(f"{file}: {found.error if found else 'no driver'}\n")
            return 1
        every.append(found)
        texts[given.pages / f"{file.stem}.md"] = page(found.driver, file.stem)
    hardware = given.hardware or (HARDWARE if given.pages == PAGES else None)
    if hardware is not None:
        texts[hardware] = hardware_page.page(every)
    stale = [file for file, text in texts.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    if not given.check:
        for file in stale:
            file.write_text(texts[file], encoding="utf-8")
    if stale and given.check:
        sys.stderr.write(f"out of date: {', '.join(map(str, stale))}; run python -m gateway.testing\n")
        return 1
    return 0
