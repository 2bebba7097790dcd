"""``sensorpost service``: install, bring up to date, look at and remove the systemd service."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.options import example, given_before, json_option
from gateway.cli.output import note, out, out_json

if TYPE_CHECKING:
    from gateway.service.machine import Machine

ROOT = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path("/"),
    help="Work on the system below this folder, such as an image's root.",
)
DRY = click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")


@click.group(epilog=example("sudo sensorpost service install", "sensorpost service status"))
@click.option(
    "-c",
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="For install: the configuration to begin with, where there is none yet; the files beside it that it names "
    "come along. Default: a sample.",
)
@json_option()
@click.pass_context
def command(ctx: click.Context, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 (click passes a flag)
    """The systemd service: the gateway that starts with this machine and is watched by it."""
    ctx.obj = (config, as_json)


@command.command(
    epilog=example(
        "sudo ./sensorpost service install",
        "sudo ./sensorpost service -c sensorpost.toml install",
        "sudo ./sensorpost service install --dry-run",
    )
)
@ROOT
@DRY
@click.option("--no-start", is_flag=True, help="Enable it, but do not start it now.")
def install(root: Path, *, dry_run: bool, no_start: bool) -> int:
    """Install the service, or bring it up to this version.

    Makes the user sensorpost, /opt/sensorpost with a Python environment of its own, the unit, udev rules and, where
    there is none, a sample configuration in /etc/sensorpost; then starts it. Configuration and waiting readings are
    never touched. When a new version does not become ready, the one before it is started again. Run it again after
    adding a device whose driver needs a library.
    """
    from gateway.config.load import load  # noqa: PLC0415 (all that follows is needed only now)
    from gateway.service.beginning import Beginning  # noqa: PLC0415
    from gateway.service.environment import in_use  # noqa: PLC0415
    from gateway.service.install import install as do  # noqa: PLC0415
    from gateway.service.source import Source  # noqa: PLC0415

    config, _ = given_before()
    machine = _machine(root, dry=dry_run)
    if not machine.is_this_one and os.geteuid() != 0:
        raise click.ClickException(f"only root can look into {root} (chroot): put sudo before it")
    if config:
        load(config, strict=True)  # its mistakes are told before anything is changed
    source = Source.of_this_program()
    stays = "what was made so far stays, and the next run goes on from there; "
    undo = f"{stays}to take it away: {source.program} service uninstall --purge"
    with _told_how_it_ends(machine, None if in_use(machine) else undo):
        first = Beginning.of(config) if config else None
        left = do(machine, source, start=not no_start, first=first)
    for line in left:
        note(line)
    if machine.changed == 0:
        _tell("nothing to do: this version is installed")
    elif not dry_run:
        note("configuration: /etc/sensorpost/sensorpost.toml, then: sensorpost reload")
        note("its journal: journalctl -u sensorpost -f")
        note("to undo all this: sudo sensorpost service uninstall")
    return 0


@command.command(epilog=example("sudo sensorpost service uninstall", "sudo sensorpost service uninstall --purge"))
@ROOT
@DRY
@click.option("--purge", is_flag=True, help="Also remove the configuration, waiting readings and the user.")
def uninstall(root: Path, *, dry_run: bool, purge: bool) -> int:
    """Stop and remove the service. Configuration and waiting readings stay, unless --purge is given."""
    from gateway.service.source import Source  # noqa: PLC0415 (all that follows is needed only now)
    from gateway.service.uninstall import uninstall as do  # noqa: PLC0415

    program = Source.of_this_program().program  # now: it may be what is removed
    machine = _machine(root, dry=dry_run)
    with _told_how_it_ends(machine, f"not all is removed; once more: {program} service uninstall"):
        left = do(machine, purge=purge)
    if machine.changed == 0:
        _tell("nothing to do: no service is installed")
    for line in left:
        note(line)
    if left and not purge:
        note(f"to remove them too: {program} service uninstall --purge")
    return 0


@command.command(epilog=example("sensorpost service status", "sensorpost service status --json"))
@ROOT
@json_option("Print one JSON object.")
def status(root: Path, *, as_json: bool) -> int:
    """Whether the service is installed, which version, and how it does. The exit code is 0 when it runs."""
    from gateway.service.machine import Machine  # noqa: PLC0415 (all that follows is needed only now)
    from gateway.service.state import state  # noqa: PLC0415

    found = state(Machine(root, note))
    if as_json or given_before()[1]:
        out_json(found)
    else:
        for name, value in found.items():
            text = ("yes" if value else "no") if isinstance(value, bool) else value
            out(f"{name:<14}{'-' if text is None else text}")
    return 0 if found["active"] in ("active", "reloading") else 1


def _machine(root: Path, *, dry: bool) -> Machine:
    from gateway.service.machine import Machine  # noqa: PLC0415

    if not dry and os.geteuid() != 0:
        raise click.ClickException("this changes the system: put sudo before it, or look first with --dry-run")
    return Machine(root, _tell, dry=dry)


@contextlib.contextmanager
def _told_how_it_ends(machine: Machine, state: str | None) -> Iterator[None]:
    """Nothing is left half done without being told: on an error, and on Ctrl-C or SIGTERM.

    A terminal that has gone (ssh) ends nothing: an installation that nobody watches is a whole one all the same.
    """
    from gateway.service.machine import CannotError  # noqa: PLC0415

    old = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, _interrupt),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    }
    try:
        yield
    except (CannotError, OSError, KeyboardInterrupt) as exc:
        if state and machine.changed and not machine.dry:
            note(state)
        if isinstance(exc, KeyboardInterrupt):
            note(f"sensorpost: interrupted{'' if state else '; what runs is as it was'}")
            raise click.Abort from exc
        if not state and isinstance(exc, OSError) and not machine.dry:
            note("what runs is as it was")
        if isinstance(exc, PermissionError) and os.geteuid() != 0:
            raise click.ClickException(f"{exc.filename} is for root alone: put sudo before it") from exc
        if isinstance(exc, CannotError):
            raise click.ClickException(str(exc)) from exc
        raise
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _tell(what: str) -> None:
    """One thing that is done. That nobody reads it any more (``| head``, a connection that broke) does not stop it."""
    try:
        if given_before()[1]:
            out_json({"step": what})
        else:
            out(what)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
