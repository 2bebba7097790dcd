"""``sensorpost run``: the gateway."""

from __future__ import annotations

import dataclasses
import faulthandler
import logging
import os
import signal
import sys
import tempfile
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway import threads
from gateway.cli.options import config_option, example, for_option, json_option, simulate_option

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.hardware.protocols import Hardware

START_MAY_TAKE = 900.0
"""Seconds until a damaged spool is saved from a bad card, and something is wrong after that."""


@click.command(
    epilog=example("sensorpost run -c sensorpost.toml", "sensorpost run --for 1m", "sensorpost run --simulate")
)
@config_option
@for_option("Stop cleanly after this long. Default: run until stopped.")
@simulate_option
@click.option("--as-real", is_flag=True, help="With --simulate: under the gateway's own id, with its state directory.")
@json_option("Log one JSON object per line.")
def command(config: Path | None, seconds: float | None, *, simulate: bool, as_real: bool, as_json: bool) -> int:
    """The gateway: read all devices and put every reading on MQTT.

    Ctrl-C or SIGTERM stops it cleanly; a second Ctrl-C ends it at once. SIGHUP makes it read its configuration again.
    The log goes to stderr. With --simulate the same configuration runs on simulated hardware, as another gateway: its
    id ends with -sim, its state directory is a temporary one, and Home Assistant is told nothing.
    """
    from gateway.app import Gateway  # noqa: PLC0415 (the whole gateway)
    from gateway.cli.owner import become_owner  # noqa: PLC0415
    from gateway.cli.signals import stop_on_signals  # noqa: PLC0415
    from gateway.config.load import load  # noqa: PLC0415
    from gateway.delivery.spool.lock import SpoolError  # noqa: PLC0415
    from gateway.paths import state_directory  # noqa: PLC0415
    from gateway.reading.printed import Printed  # noqa: PLC0415
    from gateway.status import logs  # noqa: PLC0415
    from gateway.status.notify import Notifier  # noqa: PLC0415
    from gateway.trust import ourselves, wrong_hands  # noqa: PLC0415

    if as_real and not simulate:
        raise click.UsageError("--as-real is for --simulate")
    started: list[Gateway] = []

    def reload() -> None:
        for gateway in started:  # one that is just starting reads the newest anyway
            gateway.reloader.request()

    threads.show_name("sensorpost")
    notifier = Notifier.from_environ(os.environ)  # before anything of a driver's runs
    faulthandler.enable(sys.__stderr__ or 2)  # the watchdog's SIGABRT, or a crash of native code, shows every stack
    with stop_on_signals({signal.SIGHUP: reload}) as stop, ExitStack() as until_the_end:
        settings = load(config)
        log = dataclasses.replace(settings.log, format="json") if as_json else settings.log
        logs.setup(log.level, log.format)
        for redirect, beside in ((redirect_stdout, None), (redirect_stderr, sys.stderr)):  # what drivers print
            until_the_end.callback((printed := Printed(beside)).end)
            until_the_end.enter_context(redirect(printed))
        for warning in settings.warnings:
            logging.getLogger("gateway").warning("%s", warning)
        state_dir = state_directory(settings.files[0] if settings.files else None, os.environ)
        if simulate and not as_real:
            state_dir = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="sensorpost-sim-")))
        where = _Simulated(as_real=as_real) if simulate else _Real()
        try:
            become_owner(state_dir)
            if wrong := wrong_hands(state_dir, ourselves()):
                logging.getLogger("gateway").warning("others can change what the gateway keeps: %s", wrong)
            main_file = settings.files[0].resolve()
            settings = where.settings(settings)
            for line in where.about(settings, state_dir):
                logging.getLogger("gateway").warning("%s", line)
            with notifier.taking_long(START_MAY_TAKE):
                gateway = Gateway(
                    settings,
                    hardware_for=where.hardware,
                    isolated_hardware=where.isolated,
                    state_dir=state_dir,
                    reload=lambda: where.settings(load(main_file)),
                    notifier=notifier,
                )
        except SpoolError as exc:
            raise click.ClickException(str(exc)) from exc
        stop.about = gateway.inside.about
        started.append(gateway)
        return stop.exit_code(gateway.run(stop.event, seconds))


class _Real:
    """On this machine's hardware."""

    isolated = "real"

    def settings(self, settings: Settings) -> Settings:
        """As they are, if this process may have what they need."""
        from gateway.config.budget import within  # noqa: PLC0415

        return within(settings)

    def hardware(self, device: str) -> Hardware:
        """What a device is given."""
        from gateway.hardware.real import RealHardware  # noqa: PLC0415

        return RealHardware(device)

    def about(self, settings: Settings, state_dir: Path) -> list[str]:
        """Nothing is special."""
        del settings, state_dir
        return []


class _Simulated(_Real):
    """On simulated hardware."""

    def __init__(self, *, as_real: bool) -> None:
        from gateway.simulation.arrange import Simulation  # noqa: PLC0415
        from gateway.simulation.isolated import HARDWARE  # noqa: PLC0415

        self.isolated = HARDWARE
        self._simulation = Simulation(as_real=as_real)

    def settings(self, settings: Settings) -> Settings:
        """For the simulation."""
        return super().settings(self._simulation.settings(settings))

    def hardware(self, device: str) -> Hardware:
        """What a device is given."""
        return self._simulation.hardware(device)

    def about(self, settings: Settings, state_dir: Path) -> list[str]:
        """What is simulated, and how."""
        return self._simulation.about(settings, state_dir)
