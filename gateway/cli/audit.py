"""``sensorpost audit``: whether everything arrived."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from gateway.cli.devices import chosen
from gateway.cli.options import Duration, config_option, example, for_option, json_option
from gateway.cli.output import note, out, out_json

if TYPE_CHECKING:
    from gateway.audit.account import Account
    from gateway.audit.sources import Local
    from gateway.audit.verdict import DeviceVerdict
    from gateway.config.settings import Settings

LISTEN = 60.0
SHOWN = 5
"""Gaps that are printed per device."""


@click.command(
    epilog=example(
        "sensorpost audit --for 10m",
        "sensorpost audit --input readings.csv --column device=sensor",
        "sensorpost audit --input - --json < export.jsonl",
    )
)
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@config_option
@for_option("Listen to the broker for so long. Default: 60s.")
@click.option(
    "--wait", "patience", type=Duration(), default=60.0, metavar="DURATION",
    help="How long to wait for what is still queued at the end. Default: 60s.",
)  # fmt: skip
@click.option(
    "--input", "file", metavar="FILE",
    help="Judge the export of a database instead: JSON lines or CSV with device, run and seq. - is stdin.",
)  # fmt: skip
@click.option(
    "--column", "columns", multiple=True, metavar="OURS=THEIRS",
    help="What the file calls device, run, seq or gateway.",
)  # fmt: skip
@click.option(
    "--part", is_flag=True, help="The file is a part: judge each run from the first to the last reading that it has."
)
@json_option("Print one object per device, and one for all.")
def command(  # noqa: PLR0917 (click passes them by name)
    devices: tuple[str, ...],
    config: Path | None,
    seconds: float | None,
    patience: float,
    file: str | None,
    columns: tuple[str, ...],
    part: bool,  # noqa: FBT001 (click passes a flag)
    as_json: bool,  # noqa: FBT001
) -> int:
    """Prove that every accepted reading arrived.

    Listens to the broker, or reads what a database has, and holds it against the gateway's own ledger. A missing
    reading is explained when it was dropped by policy, is a dead letter or is still queued; if any is missing without
    that, the exit code is 1.
    """
    from gateway.config.load import load  # noqa: PLC0415 (all that follows is needed only now)
    from gateway.status import logs  # noqa: PLC0415

    if file is not None and seconds is not None:
        raise click.UsageError("--for listens to the broker, --input reads a file; choose one")
    if file is None and (columns or part):
        raise click.UsageError("--column and --part go with --input")
    settings = load(config)
    logs.setup(logs.at_least(settings.log.level, logs.NOTHING), settings.log.format)
    names = frozenset(device.device for device in chosen(settings, devices)) if devices else frozenset()
    if file is not None:
        return _past(settings, names, file, _mapping(columns), part=part, as_json=as_json)
    return _live(settings, names, LISTEN if seconds is None else seconds, patience, as_json=as_json)


def _live(settings: Settings, names: frozenset[str], seconds: float, patience: float, *, as_json: bool) -> int:
    from gateway.audit.live import LiveAudit, Plan, Unjudged  # noqa: PLC0415 (paho)
    from gateway.cli.signals import stop_on_signals  # noqa: PLC0415
    from gateway.delivery.topics import Topics  # noqa: PLC0415
    from gateway.status.control import ControlError  # noqa: PLC0415

    plan = Plan(
        mqtt=settings.mqtt,
        topics=Topics.of(settings.mqtt.base_topic, settings.gateway_id),
        devices=names,
        copies=frozenset(device.device for device in settings.devices if device.batch > 0),
        seconds=seconds,
        patience=patience,
    )
    local = _local(settings)
    running = _running(local)
    if not running:
        note("no gateway runs on this machine; judging by what it publishes about itself")
    audit = LiveAudit(plan, local if running else None, note)
    with stop_on_signals() as stop:
        try:
            verdicts = audit.run(stop.event)
        except (Unjudged, ControlError) as exc:
            raise click.ClickException(str(exc)) from exc
        code = _tell(verdicts, as_json=as_json)
        if code and audit.interruptions:
            raise click.ClickException(
                "this audit's own connection was lost meanwhile: what is missing may have arrived; run it again"
            )
        return stop.exit_code(code)


def _past(
    settings: Settings, names: frozenset[str], file: str, columns: Mapping[str, str], *, part: bool, as_json: bool
) -> int:
    from gateway.audit.exports import BadExport, read_export  # noqa: PLC0415
    from gateway.audit.past import audit_past  # noqa: PLC0415
    from gateway.audit.received import Received  # noqa: PLC0415

    received = Received()
    others = 0
    try:
        with _open(file) as lines:
            for device, reading in read_export(lines, "stdin" if file == "-" else file, columns):
                if reading["gateway"] not in (None, "", settings.gateway_id):
                    others += 1
                else:
                    received.take(device, reading)
    except BadExport as exc:
        raise click.ClickException(str(exc)) from exc
    except UnicodeDecodeError as exc:
        raise click.ClickException(f"{file}: not UTF-8 ({exc.reason} at byte {exc.start})") from exc
    if others:
        note(f"{others} reading(s) of other gateways left out")
    audit = audit_past(received, _account(settings), names, part=part)
    if audit.unknown:
        note(f"the gateway does not know run {', '.join(audit.unknown[:5])} any more: judged by its gaps alone")
    if audit.newer and not part:
        note(f"{audit.newer} reading(s) of the running gateway are newer than the file's last and not judged")
    return _tell(audit.verdicts, as_json=as_json)


def _account(settings: Settings) -> Account:
    """From this machine; where the gateway is elsewhere, from what the broker keeps of it."""
    from gateway.status.control import ControlError, NotRunning  # noqa: PLC0415

    try:
        return _local(settings).account()
    except ControlError as exc:
        raise click.ClickException(str(exc)) from exc
    except NotRunning:
        from gateway.audit.kept import ask_broker  # noqa: PLC0415 (paho)

        account = ask_broker(settings)
        if account is None:
            raise click.ClickException(
                f"nothing to judge by: no gateway or spool on this machine, and no status of {settings.gateway_id} on "
                f"{settings.mqtt.endpoints[0].url}"
            ) from None
        return account


def _local(settings: Settings) -> Local:
    from gateway.audit.sources import Local  # noqa: PLC0415
    from gateway.cli.spool_access import Place  # noqa: PLC0415

    place = Place.of(settings)
    return Local(place.socket, place.path)


def _running(local: Local) -> bool:
    from gateway.status.control import ControlError, NotRunning  # noqa: PLC0415

    try:
        return bool(local.account().run)
    except NotRunning:
        return False
    except ControlError as exc:
        raise click.ClickException(str(exc)) from exc


def _mapping(columns: Sequence[str]) -> dict[str, str]:
    from gateway.audit.exports import COLUMNS  # noqa: PLC0415

    mapping: dict[str, str] = {}
    for column in columns:
        ours, equals, theirs = column.partition("=")
        if ours not in COLUMNS or not equals or not theirs:
            raise click.UsageError(f"--column {column}: write OURS=THEIRS with one of {', '.join(COLUMNS)}")
        mapping[ours] = theirs
    return mapping


@contextlib.contextmanager
def _open(file: str) -> Iterator[TextIO]:
    if file == "-":
        yield sys.stdin
        return
    with Path(file).open(encoding="utf-8", newline="") as lines:
        yield lines


def _tell(verdicts: Sequence[DeviceVerdict], *, as_json: bool) -> int:
    """Print the verdicts; the exit code."""
    total = {
        word: sum(getattr(verdict, word) for verdict in verdicts)
        for word in ("expected", "received", "missing", "unexplained", "duplicates", "out_of_order")
    }
    complete = total["unexplained"] == 0
    if as_json:
        for verdict in verdicts:
            out_json(verdict.as_object())
        out_json({"ok": complete, **total})
    else:
        _print(verdicts)
    if complete and not total["expected"]:
        note("no reading was accepted meanwhile; nothing to prove")
    elif complete and not as_json:
        explained = f"; {total['missing']} more are accounted for" if total["missing"] else ""
        out(f"complete: {total['received']} of {total['expected'] - total['missing']} readings arrived{explained}")
    elif not complete:
        note(f"sensorpost: {total['unexplained']} of {total['expected']} readings are missing without a known reason")
    return 0 if complete else 1


def _print(verdicts: Sequence[DeviceVerdict]) -> None:
    from gateway.cli.listing import show  # noqa: PLC0415

    heading = ("device", "expected", "received", "missing", "dropped", "dead", "queued", "duplicates", "out of order")
    rows = [
        [
            verdict.device,
            *(str(count) for count in (verdict.expected, verdict.received, verdict.missing)),
            *(str(verdict.explained[reason]) for reason in ("dropped", "dead", "queued")),
            *(str(count) for count in (verdict.duplicates, verdict.out_of_order)),
        ]
        for verdict in verdicts
    ]
    show(heading, rows)
    for verdict in verdicts:
        for gap in verdict.gaps[:SHOWN]:
            seqs = f"seq {gap.first}" if gap.first == gap.last else f"seq {gap.first} to {gap.last}"
            out(f"{verdict.device}: run {gap.run}, {seqs} missing")
        if len(verdict.gaps) > SHOWN:
            out(f"{verdict.device}: and {len(verdict.gaps) - SHOWN} more gaps; --json tells them")
