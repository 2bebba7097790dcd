"""``sensorpost top``: how the devices of the running gateway do, as a live table."""

from __future__ import annotations

import contextlib
import itertools
import math
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import click

from gateway.cli.listing import show
from gateway.cli.options import Duration, config_option, example, for_option, json_option
from gateway.cli.output import fancy, out, out_json
from gateway.cli.top_columns import COLUMNS, SORTS, error_of, ordered, title

if TYPE_CHECKING:
    from gateway.cli.top_rounds import Round

LEAST = 0.1
"""Seconds from round to round, at least: looking costs the gateway something, too."""


@click.command(
    epilog=example(
        "sensorpost top", "sensorpost top --sort cpu", "sensorpost top -n 1 --json | jq 'select(.failed > 0)'"
    )
)
@config_option
@click.option("-n", "count", type=click.IntRange(min=1), metavar="COUNT", help="Stop after this many rounds.")
@for_option("Stop after this long. Default: until Ctrl-C.")
@click.option("--interval", type=Duration(), default=2.0, metavar="DURATION", help="From round to round. Default: 2s.")
@click.option("--sort", type=click.Choice(SORTS), default="device", help="What the devices are sorted by.")
@json_option("Print one object per device and round.")
def command(
    *, config: Path | None, count: int | None, seconds: float | None, interval: float, sort: str, as_json: bool
) -> int:
    """How the devices of the running gateway do: rate, lateness, read time, processor time, queue, errors.

    A table on a terminal (q leaves it, s sorts by the next column), plain lines anywhere else. It asks the gateway on
    this machine and needs no broker. Processor time is that since the round before; in the first round, since the
    device's thread began.
    """
    from gateway.cli.running import socket_of  # noqa: PLC0415
    from gateway.cli.signals import stop_on_signals  # noqa: PLC0415 (all that follows is needed only now)
    from gateway.cli.top_rounds import Rounds  # noqa: PLC0415
    from gateway.status.control import ControlError, NotRunning  # noqa: PLC0415

    socket = socket_of(config)
    until = math.inf if seconds is None else time.monotonic() + seconds
    rounds, shown = Rounds(socket), 0
    try:
        with stop_on_signals() as stop, _printer(sort, as_json=as_json) as printer:
            printer.show(rounds.take())
            for shown in itertools.count(1):
                pause = min(max(LEAST, interval), until - time.monotonic())
                if shown == count or printer.wait(stop.event, pause) or time.monotonic() >= until:
                    break
                printer.show(rounds.take())
        return stop.exit_code(0)
    except NotRunning:
        what = "the gateway has ended" if shown else "no gateway runs here"
        raise click.ClickException(f"{what}: nothing answers on {socket}") from None
    except ControlError as exc:
        raise click.ClickException(str(exc)) from exc


class Printer(contextlib.AbstractContextManager["Printer"], Protocol):
    """Shows rounds to somebody."""

    def show(self, one: Round) -> None:
        """A round was made."""

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Until it is time for the next one; True when somebody wants to leave."""


class Lines:
    """For pipes, files and terminals that cannot redraw themselves."""

    def __init__(self, sort: str, *, as_json: bool) -> None:
        self._sort = sort
        self._as_json = as_json
        self._first = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    def show(self, one: Round) -> None:
        """One JSON object per device, or a table of plain text."""
        rows = ordered(one.devices, self._sort)
        if self._as_json:
            for row in rows:
                out_json(row)
            return
        if not self._first:
            out()
        self._first = False
        out(title(one))
        heads = [column.title for column in COLUMNS]
        show([*heads, "last error"], [[*(column.text(row) for column in COLUMNS), error_of(row)] for row in rows])

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """See :class:`Printer`."""
        return stop.wait(seconds)


def _printer(sort: str, *, as_json: bool) -> Printer:
    if as_json or not fancy():
        return Lines(sort, as_json=as_json)
    from gateway.cli.top_screen import TopScreen  # noqa: PLC0415 (rich, only on a terminal)

    return TopScreen(sort)
