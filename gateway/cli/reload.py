"""``sensorpost reload``: let the running gateway read its configuration again."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.exits import CONFIG_INVALID
from gateway.cli.options import config_option, example, json_option
from gateway.cli.output import note, out, out_json


@click.command(epilog=example("sensorpost reload", "sensorpost reload --json"))
@config_option
@json_option("Print what changed as one JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="Leave it to the gateway's log; here the exit code tells.")
def command(config: Path | None, as_json: bool, quiet: bool) -> int:  # noqa: FBT001 (click passes flags)
    """Let the running gateway read its configuration again, as SIGHUP does.

    Only devices that are different begin anew. A configuration with mistakes changes nothing; they are printed, and the
    exit code is 78. Changes of gateway.id, mqtt.base_topic and spool.path wait for the next start, and it says so.
    """
    from gateway.cli.running import socket_of  # noqa: PLC0415 (all that follows is needed only now)
    from gateway.reload import INVALID, PATIENCE  # noqa: PLC0415
    from gateway.status.control import ControlError, NotRunning, call  # noqa: PLC0415

    # its own reading of the file is the gateway's business: here only the place of its socket matters
    socket = socket_of(config)
    mistakes = []
    try:
        for line in call(socket, {"verb": "reload"}, timeout=PATIENCE + 5.0):
            if "mistake" in line:
                mistakes.append(line["mistake"])
            elif quiet:
                continue
            elif as_json:
                out_json({key: line[key] for key in ("added", "changed", "removed", "restart")})
            else:
                out(f"reloaded: {line['text']}")
    except NotRunning:
        raise click.ClickException(f"no gateway runs here: nothing answers on {socket}") from None
    except ControlError as exc:
        if not mistakes:
            raise click.ClickException(str(exc)) from exc
        if not quiet:
            for mistake in mistakes:
                note(mistake)
            note(f"sensorpost: {INVALID}")
        return CONFIG_INVALID
    return 0
