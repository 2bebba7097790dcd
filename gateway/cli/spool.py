"""``sensorpost spool``: what waits for the broker, and what a person can do about it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import Duration, config_option, example, given_before, json_option
from gateway.cli.output import note, out, out_json

if TYPE_CHECKING:
    from gateway.cli.spool_access import Place
    from gateway.delivery.spool.view import Contents, Entry

WHAT = ("queued", "dead", "kept")


@click.group(
    epilog=example("sensorpost spool status", "sensorpost spool export > waiting.jsonl", "sensorpost spool retry")
)
@config_option
@json_option()
@click.pass_context
def command(ctx: click.Context, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 (click passes a flag)
    """Readings that wait for the broker, dead letters, and acknowledged readings that are kept.

    status, export and dead-letters look and change nothing. retry, resend and purge go through the running gateway, or
    change the spool themselves when none runs.
    """
    ctx.obj = (config, as_json)


@command.command(epilog=example("sensorpost spool status", "sensorpost spool status --json | jq .devices.office"))
@config_option
@json_option("Print one JSON object.")
def status(config: Path | None, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """How much waits, of which device, and what is known of each run.

    Counts what is on disk. What a running gateway holds in memory only is in gateway/health.
    """
    place = _place(config)
    with place.view() as view:
        contents = view.contents()
    if as_json or given_before()[1]:
        out_json(_as_object(place, contents))
    else:
        _print(place, contents)
    return 0


@command.command(epilog=example("sensorpost spool export", "sensorpost spool export --what kept > last-week.jsonl"))
@config_option
@click.option(
    "--what", type=click.Choice(WHAT), default="queued", help="Which readings. Default: queued, those that wait."
)
@json_option("The output is JSON in any case.")
def export(config: Path | None, what: str, as_json: bool) -> int:  # noqa: ARG001, FBT001 (click passes a flag)
    """Print readings as JSON lines, oldest first, each with its device.

    Nothing is taken out of the spool.
    """
    damaged = 0
    with _place(config).view() as view:
        for entry in getattr(view, what)():
            if entry.reading is None:
                damaged += 1
            else:
                out_json({"device": entry.device, **entry.reading})
    if damaged:
        note(f"{damaged} reading(s) are damaged on disk and left out; sensorpost spool dead-letters tells which")
    return 0


@command.command(
    "dead-letters", epilog=example("sensorpost spool dead-letters", "sensorpost spool dead-letters --json")
)
@config_option
@json_option("Print each as JSON: device, run, seq, reason, since, and the reading.")
def dead_letters(config: Path | None, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """Readings that the broker will never take, each with the reason, oldest first."""
    as_json = as_json or given_before()[1]
    count = 0
    with _place(config).view() as view:
        for count, entry in enumerate(view.dead(), 1):  # noqa: B007 (the count is used after the loop)
            if as_json:
                out_json(_dead_object(entry))
            else:
                out(_dead_line(entry))
    if not as_json:
        note(
            "no dead letters" if not count else "sensorpost spool retry sends them again; spool purge dead deletes them"
        )
    return 0


@command.command(epilog=example("sensorpost spool retry"))
@config_option
@json_option("Print per device how many, as JSON.")
def retry(config: Path | None, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """Send dead letters again, for when their cause is mended: a limit of the broker, a right that was missing.

    Those that are damaged on disk stay.
    """
    return _done("will be sent again", _place(config).retry(), as_json=as_json)


@command.command(epilog=example("sensorpost spool resend --since 3h"))
@config_option
@click.option("--since", type=Duration(), required=True, metavar="DURATION", help="Readings of the last so long.")
@json_option("Print per device how many, as JSON.")
def resend(config: Path | None, since: float, as_json: bool) -> int:  # noqa: FBT001 (click passes a flag)
    """Send acknowledged readings again, for a database that was down while the broker was up.

    They go to the history topic with the same identity. Needs [spool] keep.
    """
    place = _place(config)
    return _done("will be sent again", place.resend(since), as_json=as_json)


@command.command(epilog=example("sensorpost spool purge dead", "sensorpost spool purge queued --yes"))
@click.argument("what", type=click.Choice(WHAT))
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option("Print per device how many, as JSON.")
def purge(what: str, config: Path | None, yes: bool, as_json: bool) -> int:  # noqa: FBT001 (click passes flags)
    """Delete readings for good: those that wait (queued), dead letters, or those that are kept.

    What waited or was dead is counted as dropped from then on, so the ledger still balances.
    """
    import sys  # noqa: PLC0415

    from gateway.delivery.store import What  # noqa: PLC0415

    place = _place(config)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("deletes readings for good; say --yes where nobody can be asked")
        click.confirm(f"Delete all {what} readings of {place.path} for good?", abort=True, err=True)
    return _done("deleted", place.purge(What(what)), as_json=as_json)


def _place(config: Path | None) -> Place:
    from gateway.cli.spool_access import Place  # noqa: PLC0415 (SQLite)
    from gateway.config.load import load  # noqa: PLC0415

    return Place.of(load(config or given_before()[0]))


def _done(what: str, devices: Iterable[Mapping[str, Any]], *, as_json: bool) -> int:
    as_json = as_json or given_before()[1]
    total = 0
    for line in devices:
        total += line["readings"]
        if as_json:
            out_json(line)
        else:
            out(f"{line['device']}: {_readings(line['readings'])} {what}")
    if not as_json:
        note(f"{_readings(total)} {what}" if total else "there are none")
    return 0


def _readings(count: int) -> str:
    return f"{count} reading{'' if count == 1 else 's'}"


def _as_object(place: Place, contents: Contents) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415

    from gateway.delivery.payload import rfc3339  # noqa: PLC0415

    oldest = contents.oldest_wall_ns
    return {
        "path": str(place.path),
        "bytes": contents.file_bytes,
        "max_bytes": place.settings.spool.max_size,
        "oldest": rfc3339(oldest) if oldest else None,
        "devices": {device: asdict(share) for device, share in contents.devices.items()},
        "runs": contents.runs,
    }


def _print(place: Place, contents: Contents) -> None:
    from gateway.cli.figures import age  # noqa: PLC0415
    from gateway.cli.listing import show  # noqa: PLC0415

    out(f"{place.path}: {_size(contents.file_bytes)} of at most {_size(place.settings.spool.max_size)}")
    if not contents.devices:
        out("nothing waits, nothing is dead, nothing is kept")
    else:
        out()
        rows = [
            [device, str(share.queued), str(share.dead), str(share.kept), _size(share.bytes)]
            for device, share in contents.devices.items()
        ]
        show(("device", "waiting", "dead", "kept", "size"), rows)
    if contents.oldest_wall_ns:
        out()
        out(f"the oldest that waits was taken {age(max(0.0, time.time() - contents.oldest_wall_ns / 1e9))} ago")
    busy = [run for run in contents.runs if run["queued"] or run["dead"] or run["dropped"]]
    if busy:
        out()
        show(
            ("run", "accepted", "waiting", "dead", "dropped"),
            [[run["run"], *(str(n) for n in _figures(run))] for run in busy],
        )


def _figures(run: Mapping[str, Any]) -> tuple[int, ...]:
    return (sum(run["last_seq"].values()), run["queued"], run["dead"], run["dropped"])


def _size(count: int) -> str:
    from gateway.cli.figures import size  # noqa: PLC0415

    return size(count)


def _dead_object(entry: Entry) -> dict[str, Any]:
    from gateway.delivery.payload import rfc3339  # noqa: PLC0415

    return {
        "device": entry.device,
        "run": entry.run,
        "seq": entry.seq,
        "reason": entry.reason,
        "since": rfc3339(entry.since_ns),
        "reading": entry.reading,
    }


def _dead_line(entry: Entry) -> str:
    from gateway.delivery.payload import rfc3339  # noqa: PLC0415
    from gateway.status.text import plain  # noqa: PLC0415

    return f"{rfc3339(entry.since_ns)} {entry.device} run {entry.run} seq {entry.seq}: {plain(entry.reason)}"
