"""``sensorpost run``: the gateway."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
from pathlib import Path

import click

from gateway import threads
from gateway.cli.options import config_option, example, for_option, json_option


@click.command(epilog=example("sensorpost run -c sensorpost.toml", "sensorpost run --for 1m"))
@config_option
@for_option("Stop cleanly after this long. Default: run until stopped.")
@json_option("Log one JSON object per line.")
def command(config: Path | None, seconds: float | None, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """The gateway: read all devices and put every reading on MQTT.

    Ctrl-C or SIGTERM stops it cleanly; a second Ctrl-C ends it at once. SIGHUP makes it read its configuration again.
    The log goes to stderr.
    """
    from gateway.app import Gateway  # noqa: PLC0415 (the whole gateway)
    from gateway.cli.owner import become_owner  # noqa: PLC0415
    from gateway.cli.signals import stop_on_signals  # noqa: PLC0415
    from gateway.config.budget import within  # noqa: PLC0415
    from gateway.config.load import load  # noqa: PLC0415
    from gateway.delivery.spool.lock import SpoolError  # noqa: PLC0415
    from gateway.paths import state_directory  # noqa: PLC0415
    from gateway.status import logs  # noqa: PLC0415

    started: list[Gateway] = []

    def reload() -> None:
        for gateway in started:  # one that is just starting reads the newest anyway
            gateway.reloader.request()

    threads.show_name("sensorpost")
    with stop_on_signals({signal.SIGHUP: reload}) as stop:
        settings = load(config)
        log = dataclasses.replace(settings.log, format="json") if as_json else settings.log
        logs.setup(log.level, log.format)
        for warning in settings.warnings:
            logging.getLogger("gateway").warning("%s", warning)
        try:
            become_owner(state_directory(settings.files[0] if settings.files else None, os.environ))
            main_file = settings.files[0].resolve()
            gateway = Gateway(within(settings), reload=lambda: within(load(main_file)))
        except SpoolError as exc:
            raise click.ClickException(str(exc)) from exc
        stop.about = gateway.inside.about
        started.append(gateway)
        return stop.exit_code(gateway.run(stop.event, seconds))
