"""``sensorpost listen``: live readings from the broker."""

from __future__ import annotations

import time
from pathlib import Path

import click

from gateway.cli.devices import chosen
from gateway.cli.options import config_option, example, for_option, json_option


@click.command(
    epilog=example("sensorpost listen", "sensorpost listen office --json | jq .temperature", "sensorpost listen -n 1")
)
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@config_option
@click.option("-n", "count", type=click.IntRange(min=1), metavar="COUNT", help="Stop after this many readings.")
@for_option("Stop after this long, from the connection on. Default: until Ctrl-C.")
@json_option('Print each reading as JSON, with "device" and "topic".')
def command(
    devices: tuple[str, ...],
    config: Path | None,
    count: int | None,
    seconds: float | None,
    as_json: bool,  # noqa: FBT001 (click passes a flag)
) -> int:
    """Live readings of this configuration's gateway, from the broker; of all devices, or only some.

    A table on a terminal (q leaves it), one line per reading anywhere else.
    """
    from gateway.cli.feed import Feed  # noqa: PLC0415 (paho)
    from gateway.cli.follow import follow, printer_for  # noqa: PLC0415
    from gateway.cli.signals import stop_on_signals  # noqa: PLC0415
    from gateway.config.load import load  # noqa: PLC0415
    from gateway.delivery.topics import Topics  # noqa: PLC0415
    from gateway.status import logs  # noqa: PLC0415

    settings = load(config)
    logs.setup(logs.at_least(settings.log.level, logs.NOTHING), settings.log.format)  # the printer says what is wrong
    feed = Feed(Topics.of(settings.mqtt.base_topic, settings.gateway_id), chosen(settings, devices), time.monotonic())
    broker = settings.mqtt.endpoints[0].url
    printer = printer_for(
        feed,
        as_json=as_json,
        title=f"{settings.gateway_id}",
        about=(f"live from {broker}, topics {feed.topics.base}/#",),
        foot="q leaves",
    )
    with stop_on_signals() as stop:
        outcome = follow(settings.mqtt, feed, printer, stop.event, seconds=seconds, count=count)
        if not outcome.ever_connected and not stop.interrupted:
            raise click.ClickException(f"never connected to {outcome.trouble or broker}")
        return stop.exit_code(0)
