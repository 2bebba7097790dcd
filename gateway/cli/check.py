"""``sensorpost check``: all mistakes of a configuration at once, or what it would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.exits import CONFIG_INVALID
from gateway.cli.options import config_option, example, json_option
from gateway.cli.output import note, out, out_json

if TYPE_CHECKING:
    from gateway.config.settings import DeviceSettings, Settings


@click.command(
    epilog=example(
        "sensorpost check -c sensorpost.toml",
        "sensorpost check --json | jq .errors",
    )
)
@config_option
@json_option('Print {"ok", "errors": [{"file", "line", "path", "message", "hint"}], "devices", "needs"}.')
def command(config: Path | None, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """Validate a configuration without touching hardware or network.

    Shows all mistakes at once (exit code 78), or a summary of devices and topics. More threads or file descriptors than
    a process may have here are a mistake, too.
    """
    from gateway.config import budget  # noqa: PLC0415
    from gateway.config.errors import ConfigErrors  # noqa: PLC0415 (needs the whole configuration package)
    from gateway.config.load import load  # noqa: PLC0415

    try:
        settings = budget.within(load(config, strict=True))
    except ConfigErrors as errors:
        if not as_json:
            raise
        out_json({"ok": False, "errors": errors.as_json()})
        return CONFIG_INVALID
    for warning in settings.warnings:
        note(f"warning: {warning}")
    if as_json:
        devices = [_as_json(settings, device) for device in settings.devices]
        out_json({"ok": True, "errors": [], "devices": devices, "needs": _needs(settings)})
    else:
        _summary(settings)
    return 0


def _topic(settings: Settings, device: str) -> str:
    from gateway.delivery.topics import Topics  # noqa: PLC0415

    return Topics.of(settings.mqtt.base_topic, settings.gateway_id).live(device)


def _as_json(settings: Settings, device: DeviceSettings) -> dict[str, Any]:
    return {
        "device": device.device,
        "driver": device.driver,
        "kind": str(device.kind),
        "enabled": device.enabled,
        "interval_s": device.interval,
        "channels": [{"key": c.key, "unit": c.unit} for c in device.channels if c.enabled],
        "topic": _topic(settings, device.device),
    }


def _needs(settings: Settings) -> dict[str, int | None]:
    """What the gateway needs at most, and what it may have here."""
    from gateway import limits  # noqa: PLC0415
    from gateway.config.budget import needs_of  # noqa: PLC0415

    needs, threads, descriptors = needs_of(settings), limits.threads(), limits.descriptors()
    return {
        "threads": needs.threads,
        "threads_limit": threads[0].most if threads else None,
        "descriptors": needs.descriptors,
        "descriptors_limit": descriptors[0].most,
        "processes": needs.processes,
    }


def _summary(settings: Settings) -> None:
    from gateway.cli.listing import show  # noqa: PLC0415
    from gateway.config.duration import format_duration  # noqa: PLC0415

    files = ", ".join(str(path) for path in settings.files)
    brokers = ", ".join(endpoint.url for endpoint in settings.mqtt.endpoints)
    out(f"{files}: valid")
    out(f"gateway {settings.gateway_id}, broker {brokers}, topics {_topic(settings, 'DEVICE')}")
    needs = _needs(settings)
    threads = f"{needs['threads']} threads" + (f" of {needs['threads_limit']}" if needs["threads_limit"] else "")
    processes = f", {needs['processes']} process(es) of their own" if needs["processes"] else ""
    out(f"needs at most {threads}, {needs['descriptors']} file descriptors of {needs['descriptors_limit']}{processes}")
    if not settings.devices:
        out("no devices yet: add a [devices.NAME] table (see: sensorpost drivers)")
        return
    out()
    rows = []
    for device in settings.devices:
        channels = ", ".join(f"{c.key} {c.unit}" if c.unit else c.key for c in device.channels if c.enabled)
        every = "streams" if device.interval is None else format_duration(device.interval)
        rows.append((device.device, device.driver, str(device.kind), every if device.enabled else "disabled", channels))
    show(("device", "driver", "kind", "interval", "channels"), rows)
