"""``sensorpost read``: readings of one device, without a broker."""

from __future__ import annotations

import dataclasses
import os
import random
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.devices import chosen
from gateway.cli.options import Duration, config_option, example, json_option, simulate_option
from gateway.cli.output import note, out, out_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.cli.signals import Stop
    from gateway.config.settings import DeviceSettings, Settings
    from gateway.delivery.queue import Inbox
    from gateway.hardware.protocols import Hardware
    from gateway.reading.reading import Reading
    from gateway.reading.supervisor import Supervisor
    from gateway.status.board import DeviceBoard, DeviceStatus

SHARE = 1000
"""Readings that wait for us at most; a device that sends more at a time loses some, as it would in the gateway."""
SLACK = 5.0
EVENT = 3600.0
"""How long to wait for an event or a change through the running gateway."""
STREAM = 10.0
"""How long to wait for a reading of a device that sends when it likes."""


@click.command(
    epilog=example("sensorpost read office", "sensorpost read office -n 10 --json", "sensorpost read tags --timeout 1m")
)
@click.argument("device")
@config_option
@click.option("-n", "count", type=click.IntRange(min=1), default=1, metavar="COUNT", help="Readings. Default: 1.")
@click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="Give up after this long. Default: what the device's own interval and timeouts add up to.",
)
@simulate_option
@json_option('Print each reading as JSON, with "device".')
def command(
    device: str, config: Path | None, count: int, timeout: float | None, *, simulate: bool, as_json: bool
) -> int:
    """Readings of one configured device, just as they would be published, without a broker.

    Waits for the first event of an event device. Fails with the reason when no good reading comes.
    """
    from gateway.cli.signals import stop_on_signals  # noqa: PLC0415 (all that follows is needed only now)
    from gateway.config.load import load  # noqa: PLC0415
    from gateway.status import logs  # noqa: PLC0415

    settings = load(config)
    # a person who reads one device wants it read, also where the gateway is told to leave it alone
    chosen_one = dataclasses.replace(chosen(settings, [device])[0], enabled=True)
    logs.setup(
        logs.at_least(settings.log.level, logs.NOTHING), settings.log.format
    )  # Session says what is wrong itself
    if simulate:
        return simulated(settings, chosen_one, count, timeout, as_json=as_json)
    if through_the_gateway(settings, chosen_one, count, timeout, as_json=as_json):
        return 0
    with stop_on_signals() as stop:
        return stop.exit_code(Session(settings, chosen_one, as_json=as_json).run(stop, count, timeout))


def simulated(settings: Settings, device: DeviceSettings, count: int, timeout: float | None, *, as_json: bool) -> int:
    """The same on simulated hardware, whether a gateway runs or not."""
    from gateway.cli.signals import stop_on_signals  # noqa: PLC0415
    from gateway.simulation.arrange import Simulation  # noqa: PLC0415
    from gateway.simulation.isolated import HARDWARE  # noqa: PLC0415

    simulation = Simulation()
    settings = simulation.settings(dataclasses.replace(settings, devices=(device,)))
    note("; ".join(["simulated hardware", *simulation.without(settings)]))
    session = Session(
        settings, settings.devices[0], hardware_for=simulation.hardware, isolated_hardware=HARDWARE, as_json=as_json
    )
    with stop_on_signals() as stop:
        return stop.exit_code(session.run(stop, count, timeout))


def through_the_gateway(
    settings: Settings, device: DeviceSettings, count: int, timeout: float | None, *, as_json: bool
) -> bool:
    """Ask the gateway that runs with this state directory: it has the port. False when none runs.

    Raises ``ClickException`` with the reason when not even one reading came in time.
    """
    from gateway.cli.lines import line  # noqa: PLC0415
    from gateway.cli.quantity import quantities_of  # noqa: PLC0415
    from gateway.paths import control_socket, state_directory  # noqa: PLC0415
    from gateway.status.control import ControlError, NotRunning, call  # noqa: PLC0415

    state_dir = state_directory(settings.files[0] if settings.files else None, os.environ)
    patience = Patience(device, count, timeout).limit
    if timeout is None and device.kind != "sampled":
        patience = EVENT
    request = {"verb": "read", "device": device.device, "count": count, "timeout": patience}
    try:
        for reading in call(control_socket(state_dir, os.environ), request, timeout=patience + SLACK):
            if as_json:
                out_json(reading)
            else:
                del reading["device"]  # it is the line's first word
                out(line(device.device, reading, quantities_of(device)))
    except NotRunning:
        return False
    except ControlError as exc:
        raise click.ClickException(str(exc)) from exc
    return True


class Session:
    """The gateway's own reader for one device, with us in the place of the publisher."""

    def __init__(
        self,
        settings: Settings,
        device: DeviceSettings,
        *,
        as_json: bool,
        hardware_for: Callable[[str], Hardware] | None = None,
        isolated_hardware: str = "real",
    ) -> None:
        """``hardware_for`` makes other hardware than this machine's; ``isolated_hardware`` that in processes."""
        from gateway.cli.quantity import quantities_of  # noqa: PLC0415
        from gateway.clocks import SystemClock  # noqa: PLC0415
        from gateway.delivery.queue import DeviceQueue, Inbox  # noqa: PLC0415
        from gateway.hardware.real import RealHardware  # noqa: PLC0415
        from gateway.reading.supervisor import Supervisor  # noqa: PLC0415
        from gateway.status.board import DeviceBoard  # noqa: PLC0415
        from gateway.status.clock_trust import ClockTrust  # noqa: PLC0415

        clock = SystemClock()
        self._device = device
        self._as_json = as_json
        self._quantities = quantities_of(device)
        self._inbox: Inbox = Inbox()
        self._queue = DeviceQueue(device.device, secrets.token_hex(4), SHARE, self._inbox)
        self._board: DeviceBoard = DeviceBoard(device.device, self._queue.ledger, clock, self._inbox.post)
        self._supervisor: Supervisor = Supervisor(
            queue_for=lambda _: self._queue,
            board_for=lambda _: self._board,
            hardware_for=hardware_for or RealHardware,
            isolated_hardware=isolated_hardware,
            clock=clock,
            trust=ClockTrust(clock, believe=settings.clock == "trusted").mark,
            rng=random.Random(),  # noqa: S311 (jitter, not a secret)
        )
        self._told = ""

    def run(self, stop: Stop, count: int, timeout: float | None) -> int:
        """Print ``count`` readings. Raises ``ClickException`` with the reason when not even one came in time."""
        patience = Patience(self._device, count, timeout)
        shown = 0
        self._supervisor.start([self._device])
        try:
            while not stop.event.is_set():
                item = self._inbox.get(0.1)
                self._supervisor.tick()
                if item is self._queue:
                    for reading in self._queue.take():
                        self._show(reading)
                        shown += 1
                        if shown == count:
                            return 0
                status = self._board.snapshot()
                if reason := patience.over(status):
                    break
                self._tell(status)
        finally:
            self._supervisor.stop(2.0)
        if stop.event.is_set():
            return 0
        so_far = f" after {shown} of {count} readings" if shown else ""
        raise click.ClickException(f"{self._device.device}: {reason}{so_far}")

    def _show(self, reading: Reading) -> None:
        from gateway.cli.lines import line  # noqa: PLC0415
        from gateway.delivery.payload import as_object  # noqa: PLC0415

        if self._as_json:
            out_json({"device": reading.device, **as_object(reading)})
        else:
            out(line(reading.device, as_object(reading), self._quantities))

    def _tell(self, status: DeviceStatus) -> None:
        """Say once what is wrong while there is still hope."""
        if status.last_error and status.last_error != self._told:
            self._told = status.last_error
            note(f"{self._device.device}: {explain(status)}; trying again")


class Patience:
    """How long there is hope."""

    def __init__(self, device: DeviceSettings, count: int, timeout: float | None) -> None:
        each = STREAM if device.interval is None else device.interval
        self._given = timeout
        self.limit = device.open_timeout + count * each + device.timeout + SLACK if timeout is None else timeout
        self._sampled = device.kind == "sampled"
        self._began = time.monotonic()

    def over(self, status: DeviceStatus) -> str:
        """Why to give up now; empty while there is hope.

        A misconfigured device never answers. An event or a change may take any time, once the device is there.
        """
        if status.state == "failed":
            return explain(status)
        if time.monotonic() - self._began < self.limit:
            return ""
        if self._given is None and not self._sampled and status.state.available:
            return ""
        reason = explain(status) if status.last_error else "no reading came"
        return f"{reason} (waited {self.limit:g} s)"


def explain(status: DeviceStatus) -> str:
    """State, last error and what a person can do."""
    return f"{status.state}: {status.last_error}" + (f"; {status.hint}" if status.hint else "")
