"""The options that several commands share, each declared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

if TYPE_CHECKING:
    FloatParameter = click.ParamType[float]
else:
    FloatParameter = click.ParamType  # not generic at run time before click 8.4


class Duration(FloatParameter):
    """A duration such as ``500ms``, ``10s`` or ``1h30m``; in seconds for the command."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse with the words of the configuration."""
        from gateway.config.duration import parse_duration  # noqa: PLC0415 (only when the option is used)

        if isinstance(value, float):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def config_option(command: CommandT) -> CommandT:
    """``-c/--config FILE``."""
    return click.option(
        "-c",
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The configuration. Default: $SENSORPOST_CONFIG, ./sensorpost.toml, /etc/sensorpost/sensorpost.toml.",
    )(command)


def json_option(text: str = "Print one JSON value per line.") -> Callable[[CommandT], CommandT]:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help=text)


def given_before() -> tuple[Path | None, bool]:
    """``-c`` and ``--json`` as given before the name of a subcommand; its group keeps them as the context's object."""
    given: tuple[Path | None, bool] = click.get_current_context().obj
    return given


def for_option(text: str) -> Callable[[CommandT], CommandT]:
    """``--for DURATION``."""
    return click.option("--for", "seconds", metavar="DURATION", type=Duration(), help=text)


def example(*lines: str) -> str:
    """The end of a command's help."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def simulate_option(command: CommandT) -> CommandT:
    """``--simulate``."""
    return click.option(
        "--simulate", is_flag=True, help="On simulated hardware: no sensor, port or library is needed."
    )(command)
