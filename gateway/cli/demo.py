"""``sensorpost demo``: the real gateway with its own broker, and nothing to install, write or plug in first."""

from __future__ import annotations

import dataclasses
import threading
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway import threads
from gateway.cli.options import config_option, example, for_option, json_option
from gateway.cli.output import note

if TYPE_CHECKING:
    from gateway.cli.broker import Broker
    from gateway.config.settings import Settings

ABOUT = (
    "Your own: write sensorpost.toml, then sensorpost check and sensorpost run.",
    "Drivers: sensorpost drivers; your own is one file, docs/writing-a-driver.md.",
)


@click.command(
    epilog=example("sensorpost demo", "sensorpost demo --for 10s", "sensorpost demo --json | jq -c '[.device, .seq]'")
)
@config_option
@for_option("Stop after this long. Default: until Ctrl-C.")
@json_option('Print each reading as JSON, with "device" and "topic".')
def command(config: Path | None, seconds: float | None, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """Show it working: no configuration, broker or hardware needed.

    Starts a broker of its own, reads this machine's own sensors and some simulated devices, and shows the readings as
    they reach the broker. With -c: your devices instead, on the demo's broker.
    """
    from gateway.cli.broker import BrokerFailed, find_broker  # noqa: PLC0415 (all that follows needs the whole gateway)
    from gateway.cli.signals import stop_on_signals  # noqa: PLC0415
    from gateway.status import logs  # noqa: PLC0415

    settings = _settings(config)
    logs.setup(logs.at_least(settings.log.level, "warning"), settings.log.format)
    with stop_on_signals() as stop:
        try:
            broker = find_broker()
            broker.start()
        except BrokerFailed as error:
            raise click.ClickException(str(error)) from None
        try:
            return stop.exit_code(_show(_at(settings, broker), broker, stop.event, seconds, as_json=as_json))
        finally:
            broker.stop()


def _settings(config: Path | None) -> Settings:
    from gateway.config.load import load, loads  # noqa: PLC0415

    if config is not None:
        return load(config)
    return loads((resources.files(__package__) / "demo.toml").read_text(encoding="utf-8"), name="demo.toml")


def _at(settings: Settings, broker: Broker) -> Settings:
    """The same gateway on the demo's broker. nats-server speaks MQTT 3.1.1 only; asking for it saves an attempt."""
    from gateway.config.settings import Endpoint  # noqa: PLC0415

    mqtt = dataclasses.replace(
        settings.mqtt,
        endpoints=(Endpoint("mqtt", "127.0.0.1", broker.port),),
        protocol="3.1.1",
        username=None,
        password=None,
    )
    return dataclasses.replace(settings, mqtt=mqtt)


def _show(settings: Settings, broker: Broker, stop: threading.Event, seconds: float | None, *, as_json: bool) -> int:
    from gateway.cli.feed import Feed  # noqa: PLC0415
    from gateway.cli.follow import follow, printer_for  # noqa: PLC0415
    from gateway.delivery.topics import Topics  # noqa: PLC0415

    feed = Feed(Topics.of(settings.mqtt.base_topic, settings.gateway_id), settings.devices, time.monotonic())
    where = f"Live from {broker.name} at {broker.url}, topics {feed.topics.base}/#"
    printer = printer_for(feed, as_json=as_json, title="sensorpost demo", about=(where, *ABOUT), foot="q leaves")
    if not as_json:
        for line in (where, *ABOUT):
            note(line)
    gateway = Running(settings, broker.folder)
    try:
        outcome = follow(settings.mqtt, feed, printer, stop, seconds=seconds, connected=gateway.start)
    finally:
        code = gateway.stop()
    if not outcome.ever_connected and not stop.is_set():
        raise click.ClickException(f"the demo's broker does not answer: {outcome.trouble or broker.url}")
    return code


class Running:
    """The gateway on a thread of its own; the terminal has the main one."""

    def __init__(self, settings: Settings, state_dir: Path) -> None:
        self._settings = settings
        self._state_dir = state_dir
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._code = 0
        self._error: Exception | None = None

    def start(self) -> None:
        """Begin reading."""
        self._thread = threads.start("gateway", self._run)

    def stop(self) -> int:
        """Stop it cleanly; its exit code. Raises what ended it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(12.0)
        if self._error is not None:
            raise self._error
        return self._code

    def _run(self) -> None:
        from gateway.app import Gateway  # noqa: PLC0415

        try:
            self._code = Gateway(self._settings, state_dir=self._state_dir).run(self._stop)
        except Exception as error:  # noqa: BLE001 (raised again in the main thread)
            self._error = error
