"""``sensorpost scan``: the hardware that is connected, each with a stanza to paste."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.options import config_option, example, json_option
from gateway.cli.output import note, out, out_json

if TYPE_CHECKING:
    from gateway.config.settings import DeviceSettings
    from gateway.scan.finding import Finding

LONGEST = 1000
"""Characters of a line."""
TITLES = {
    "serial": "Serial ports",
    "i2c": "I2C",
    "spi": "SPI",
    "onewire": "1-Wire",
    "gpio": "GPIO",
    "iio": "Sensors that the kernel reads: IIO",
    "hwmon": "Sensors that the kernel reads: hwmon",
    "kernel": "Sensors that the kernel reads",
    "machine": "This machine",
}


@click.command(epilog=example("sensorpost scan", "sensorpost scan --skip spi", "sensorpost scan --json | jq .what"))
@config_option
@click.option(
    "--skip",
    multiple=True,
    type=click.Choice(["serial", "i2c", "spi", "onewire", "kernel", "gpio"]),
    help="Leave these out. On SPI two bytes are sent to each chip select: skip it where an output is connected.",
)
@json_option("Print one finding per line: bus, where, what, found, candidates, stanza, note, configured.")
def command(config: Path | None, skip: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 (click passes a flag)
    """The hardware that is connected, each with a stanza to paste, and why something is not seen.

    Never changes a device: no serial port is opened, on I2C nothing longer than one byte is sent, and that only where
    no output or multiplexer can take it for a command. What is printed is a piece of configuration as it stands. What
    the configuration has already is marked and left alone.
    """
    from gateway.scan.configured import taken  # noqa: PLC0415
    from gateway.scan.survey import survey  # noqa: PLC0415
    from gateway.scan.tree import Tree  # noqa: PLC0415

    devices, tree = _devices(config), Tree()
    names = [device.device for device in devices]
    findings = survey(tree, taken=taken(devices, tree), names=names, skip=skip)
    if as_json:
        for finding in findings:
            out_json(finding.as_json())
    else:
        show(findings)


def show(findings: Sequence[Finding]) -> None:
    """For people, and as TOML: all but the stanzas is comment, also where a USB device's name has a line end in it."""
    from gateway.status.text import plain  # noqa: PLC0415

    last = ""
    for finding in findings:
        if finding.bus != last:
            if last:
                out()
            out(f"# {TITLES[finding.bus]}")
            last = finding.bus
        where = f"{finding.where}: " if finding.where else ""
        known = f" (configured as {finding.configured})" if finding.configured else ""
        out(plain(f"#   {where}{finding.what}{known}", LONGEST))
        if finding.note:
            out(plain(f"#     {finding.note}", LONGEST))
        if finding.stanza:
            out()
            out(finding.stanza)
            out()


def _devices(config: Path | None) -> Sequence[DeviceSettings]:
    """Those of the configuration, if there is one; one that is invalid is no reason to look at nothing."""
    from gateway.config.errors import ConfigErrors  # noqa: PLC0415
    from gateway.config.load import find, load  # noqa: PLC0415

    if config is None and find() is None:
        return ()
    try:
        return load(config).devices
    except ConfigErrors as errors:
        if config is not None:  # it was asked for by name
            raise
        note(f"{errors.problems[0]}")
        note("the configuration is invalid, so nothing is marked as configured (see: sensorpost check)")
        return ()
