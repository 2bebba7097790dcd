"""``sensorpost discovery``: what Home Assistant is told, and taking it back."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gateway.cli.options import config_option, example, given_before, json_option
from gateway.cli.output import note, out, out_json


@click.group(
    epilog=example("sensorpost discovery show", "sensorpost discovery show office --json", "sensorpost discovery clear")
)
@config_option
@json_option()
@click.pass_context
def command(ctx: click.Context, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 (click passes a flag)
    """What Home Assistant is told so that it finds every device by itself, and taking it back."""
    ctx.obj = (config, as_json)


@command.command(epilog=example("sensorpost discovery show", "sensorpost discovery show office --json | jq ."))
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@config_option
@json_option('Print each message as {"topic", "message"}.')
def show(devices: tuple[str, ...], config: Path | None, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """The entities that Home Assistant makes of this configuration, without a broker.

    "gateway" stands for the gateway itself. Works with discovery on or off.
    """
    from gateway.cli.devices import chosen  # noqa: PLC0415 (the configuration and drivers)
    from gateway.config.load import load  # noqa: PLC0415
    from gateway.delivery.discovery.messages import GATEWAY, announcements, folder, level  # noqa: PLC0415
    from gateway.delivery.topics import Topics  # noqa: PLC0415

    settings, as_json = load(config or given_before()[0]), as_json or given_before()[1]
    named = [device for device in devices if device != GATEWAY]
    wanted = {device.device for device in chosen(settings, named)} if named or not devices else set()
    if not devices or GATEWAY in devices:
        wanted.add(GATEWAY)
    topics = {f"{folder(settings)}/{level(device)}/config" for device in wanted}
    found = announcements(settings, Topics.of(settings.mqtt.base_topic, settings.gateway_id))
    for topic, message in found.items():
        if topic not in topics:
            continue
        if as_json:
            out_json({"topic": topic, "message": message})
            continue
        about = message["device"]
        out(f"{about['name']} ({about['model']}) on {topic}")
        for part in message["components"].values():
            facts = [part.get("device_class"), part.get("unit_of_measurement"), part.get("entity_category")]
            usual = str(part.get("device_class") or part["platform"]).replace("_", " ").capitalize()
            name = part.get("name") or usual
            out(f"  {part['platform']:<14} {name}  {' '.join(fact for fact in facts if fact)}".rstrip())
    if not settings.homeassistant.discovery:
        note("discovery is off: nothing of this is published; to have it: [homeassistant] discovery = true")
    for device in settings.devices:
        if device.device in wanted and not device.homeassistant:
            note(f"{device.device}: homeassistant = false, so Home Assistant is not told of it")
    return 0


@command.command(epilog=example("sensorpost discovery clear", "sensorpost discovery clear --json"))
@config_option
@json_option("Print each topic that was cleared.")
def clear(config: Path | None, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """Remove every device of this gateway from Home Assistant.

    Clears what the broker keeps of its announcements, and what the gateway remembers of them. Home Assistant keeps the
    history. A gateway that runs with discovery = true announces its devices again at its next start or connection.
    """
    from gateway.cli.owner import become_owner  # noqa: PLC0415 (all that follows is needed only now)
    from gateway.config.load import load  # noqa: PLC0415
    from gateway.delivery.discovery.clearing import Uncleared  # noqa: PLC0415
    from gateway.delivery.discovery.clearing import clear as clear_all  # noqa: PLC0415
    from gateway.delivery.discovery.record import NAME, Record  # noqa: PLC0415
    from gateway.paths import state_directory  # noqa: PLC0415
    from gateway.status import logs  # noqa: PLC0415

    settings, as_json = load(config or given_before()[0]), as_json or given_before()[1]
    logs.setup(logs.at_least(settings.log.level, logs.NOTHING), settings.log.format)  # the last line says what is wrong
    directory = state_directory(settings.files[0] if settings.files else None, os.environ)
    become_owner(directory)
    record = Record(directory / NAME)
    try:
        cleared = clear_all(settings, record.entities)
    except Uncleared as exc:
        raise click.ClickException(str(exc)) from exc
    for topic in cleared:
        record.forget(topic)
        (out_json({"topic": topic}) if as_json else out(f"cleared {topic}"))
    if not cleared:
        note("there is nothing to clear: the broker keeps no announcement of this gateway")
    elif settings.homeassistant.discovery:
        note(
            "discovery is on: the gateway announces its devices again at its next start; to end that: discovery = false"
        )
    return 0
