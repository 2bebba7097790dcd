"""``sensorpost drivers``: the drivers there are, and all about one of them."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.options import config_option, example, json_option
from gateway.cli.output import note, out, out_json

if TYPE_CHECKING:
    from gateway.catalog import Catalog, Found
    from gateway.known.thing import Thing


@click.command(epilog=example("sensorpost drivers", "sensorpost drivers dht22", "sensorpost drivers --json"))
@click.argument("name", required=False)
@config_option
@json_option()
def command(name: str | None, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 (click passes a flag)
    """The drivers found and where from; with NAME, its options, channels and a sample to paste.

    Drivers are found among the bundled ones, in the configuration's drivers_dir, and in installed packages. NAME may
    also be what people call a sensor that another driver reads: dht22, sht31, ads1115, arduino.
    """
    from gateway.catalog import Catalog  # noqa: PLC0415 (a driver's file is run only now)

    catalog = Catalog(_drivers_dir(config))
    if name is None:
        _list(catalog, as_json=as_json)
    else:
        _one(catalog, name, as_json=as_json)


def _drivers_dir(config: Path | None) -> Path | None:
    """Your own drivers' folder: named by the configuration. Without any configuration there is none."""
    from gateway.config.errors import ConfigErrors  # noqa: PLC0415
    from gateway.config.load import find, load  # noqa: PLC0415

    if config is None and find() is None:
        return None
    try:
        return load(config).drivers_dir
    except ConfigErrors as errors:
        if config is not None:  # it was asked for by name
            raise
        note(f"{errors.problems[0]}")
        note("the configuration is invalid, so only bundled and installed drivers are shown (see: sensorpost check)")
        return None


def _list(catalog: Catalog, *, as_json: bool) -> None:
    from gateway.cli import describe  # noqa: PLC0415
    from gateway.cli.listing import show  # noqa: PLC0415

    found = [driver for name in catalog.names() if (driver := catalog.find(name)) is not None]
    if as_json:
        for driver in found:
            out_json(describe.as_json(driver))
        return
    show(
        ("driver", "kind", "source", "summary"),
        [
            (f.name, str(f.driver.kind) if f.driver else "broken", f.source, f.summary if f.driver else f.error)
            for f in found
        ],
    )
    note()
    note("options, channels and a sample of one: sensorpost drivers NAME")


def _one(catalog: Catalog, name: str, *, as_json: bool) -> None:
    from gateway.cli import describe  # noqa: PLC0415
    from gateway.known.thing import called  # noqa: PLC0415

    found = catalog.find(name) or catalog.find(name.lower().replace("-", "_"))
    if found is None and (thing := called(name)) is not None:
        _way(name, thing, as_json=as_json)
        return
    if found is None:
        near = get_close_matches(name.lower().replace("-", "_"), catalog.names(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise click.ClickException(f"no driver {name!r}; {hint}(all of them: sensorpost drivers)")
    if as_json:
        out_json(describe.as_json(found))
    if found.driver is None:
        raise click.ClickException(f"driver {name} ({found.source}) cannot be loaded: {found.error}")
    if not as_json:
        _describe(found)


def _way(name: str, thing: Thing, *, as_json: bool) -> None:
    """How something is read that has no driver of its name."""
    if as_json:
        facts = {"name": name, "title": thing.title, "driver": thing.driver or None, "served": thing.is_served}
        out_json({**facts, "needs": thing.needs(), "note": thing.note, "stanza": thing.stanza()})
        return
    out(f"There is no driver {name}. {thing.way()}.")
    if stanza := thing.stanza():
        out()
        out(stanza)


def _describe(found: Found) -> None:
    from gateway.cli import describe  # noqa: PLC0415
    from gateway.cli.listing import show  # noqa: PLC0415

    driver = found.driver
    assert driver is not None
    out(f"{found.name}: {found.summary}")
    every = f"every {driver.interval}" if driver.interval else "as they come"
    out(f"{driver.kind}, read {every} by default; {found.source}")
    if wiring := describe.wiring(found):
        out(f"Wiring: {wiring}")
    options = describe.all_options_of(driver)
    if options:
        out()
        rows = []
        for option in options:
            choices = ", ".join(describe.toml(choice) for choice in option.choices or ())
            meaning = f"{option.help}: {choices}" if choices else option.help
            default = "required" if option.required else "" if option.default is None else describe.toml(option.default)
            rows.append((option.name, option.type, default, meaning))
        show(("option", "type", "default", "meaning"), rows)
    out()
    channels = describe.channels_of(driver)
    if channels:
        show(
            ("channel", "unit", "device class", "meaning"),
            [(c.name, c.unit or "", c.device_class or "", c.help) for c in channels],
        )
    else:
        out("The channels depend on the options.")
    out()
    out(describe.sample(found))
