"""The command ``sensorpost``: finds the command asked for, and turns every outcome into an exit code and one line.

0 done, 1 it failed (the reason is the last line on stderr), 2 wrong usage, 78 the configuration is invalid,
130 interrupted. Nothing else here prints; no traceback ever reaches a user.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import click

from gateway import __version__
from gateway.cli.exits import CONFIG_INVALID, FAILED, INTERRUPTED, OK, USAGE
from gateway.cli.output import note

COMMANDS = {
    "demo": "Show it working: no configuration, broker or hardware needed",
    "run": "The gateway: read all devices, put every reading on MQTT",
    "check": "Validate a configuration without touching hardware or network",
    "scan": "The hardware that is connected, each with a stanza to paste",
    "read": "Take readings of one device, without a broker",
    "drivers": "The drivers there are, their options, channels and a sample",
    "listen": "Live readings from the broker",
    "top": "Live table of the devices: rate, lateness, read time, CPU, queue, errors",
    "audit": "Prove that every accepted reading arrived, or tell which did not",
    "reload": "Let the running gateway read its configuration again",
    "discovery": "What Home Assistant is told, and taking it back",
    "service": "The systemd service: install, upgrade, status, uninstall",
    "spool": "What waits for the broker, dead letters, and sending again",
    "doctor": "What is wrong on this machine, each with its fix",
    "init": "A commented configuration to begin with, from a few answers and what is connected",
}
"""In the order of the help. The module of a command has its name and is imported when it runs, not before."""

EPILOG = """\
\b
Example:
  sensorpost demo                        see it work first
  sensorpost check -c sensorpost.toml    then check your own configuration
  sensorpost run -c sensorpost.toml      and run it
"""


class Commands(click.Group):
    """A group that knows its commands by name only."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"gateway.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Answer a mistyped name with the nearest one."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's signature)
        """List the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader of our output that went away (``| head``) ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _drop_stdout()
            return OK


@click.group(
    cls=Commands,
    epilog=EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Read the sensors of this machine and put every reading on MQTT.

    `sensorpost COMMAND --help` explains a command. Results go to stdout, messages to stderr.
    """
    if ctx.invoked_subcommand is None:
        note(ctx.get_help())
        note()
        raise click.UsageError("say what to do; new here? try: sensorpost demo", ctx)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    _fill_streams()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # a terminal without UTF-8
    try:
        result = group.main(args, prog_name="sensorpost", standalone_mode=False)
        _flush()
    except click.Abort:
        return INTERRUPTED
    except click.UsageError as error:
        note(_usage(error))
        return USAGE
    except click.ClickException as error:
        note(f"sensorpost: {error.format_message()}")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 (the barrier that this file is for)
        return _explain(error)
    return result if isinstance(result, int) else OK


def _fill_streams() -> None:
    """Open what was closed before us, on /dev/null.

    Else the next file or socket would get the number of stdout or stderr, and be written into by whoever prints.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest free number, which is this one
            if getattr(sys, name) is None:
                setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def _usage(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx else "sensorpost"
    message = error.format_message().rstrip(".")
    tail = "" if error.ctx and error.ctx.parent is None else f" (see: {path} --help)"
    return f"{path}: {message}{tail}"


def _explain(error: Exception) -> int:
    from gateway.config.errors import ConfigErrors  # noqa: PLC0415 (only when something went wrong)

    if isinstance(error, ConfigErrors):
        note(str(error))
        if len(error.problems) > 1:
            note(f"sensorpost: {len(error.problems)} mistakes in the configuration")
        return CONFIG_INVALID
    logging.getLogger("gateway.cli").debug("a command failed", exc_info=error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        note(f"sensorpost: {where}{error.strerror.lower()}")
    else:
        text = " ".join(str(error).split())
        note(f"sensorpost: a mistake in sensorpost itself: {type(error).__name__}: {text}")
    return FAILED


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()


def _drop_stdout() -> None:
    """Let what is still buffered go nowhere, so that the interpreter's last flush is silent too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
