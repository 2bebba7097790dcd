"""``sensorpost init``: a commented configuration to begin with, from a few answers and what ``scan`` finds."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.exits import OK
from gateway.cli.options import config_option, example, json_option
from gateway.cli.output import note, out, out_json

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from gateway.starter.answers import Answers
    from gateway.starter.questions import Given

DEFAULT = Path("sensorpost.toml")
SYSTEM_FILE = Path("/etc/sensorpost/sensorpost.toml")


@click.command(
    epilog=example(
        "sensorpost init",
        "sensorpost init --yes --id attic --url mqtt://broker.lan --username pi --password-file ./mqtt-password",
        "sensorpost init --yes --hardware none --no-trial /etc/sensorpost/sensorpost.toml",
    )
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
@click.option("--yes", is_flag=True, help="Ask nothing: take what is given here, and defaults.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--id", "gateway_id", metavar="ID", help="The gateway's name. Default: from the host name.")
@click.option("--url", help="The broker. Default: mqtt://localhost:1883.")
@click.option("--username", metavar="NAME", help="The user at the broker. Default: none.")
@click.option(
    "--password-file", metavar="PATH", type=click.Path(path_type=Path), help="A file that holds the password."
)
@click.option("--password-env", metavar="NAME", help="The environment variable that holds the password.")
@click.option("--password-credential", metavar="NAME", help="The systemd credential (LoadCredential=) that holds it.")
@click.option("--home-assistant/--no-home-assistant", "discovery", default=None, help="Whether it finds the devices.")
@click.option(
    "--hardware",
    type=click.Choice(["sure", "all", "none"]),
    help="Of what is found: what is certain (default with --yes), also guesses, or nothing.",
)
@click.option("--no-trial", is_flag=True, help="Do not log in at the broker.")
@json_option('Print {"file", "password_file", "devices"} at the end.')
def command(
    *,
    file: Path | None,
    config: Path | None,
    yes: bool,
    force: bool,
    gateway_id: str | None,
    url: str | None,
    username: str | None,
    password_file: Path | None,
    password_env: str | None,
    password_credential: str | None,
    discovery: bool | None,
    hardware: str | None,
    no_trial: bool,
    as_json: bool,
) -> int:
    """Write a commented configuration to FILE (default: ./sensorpost.toml) from a few answers and what is connected.

    Asks for the gateway's name, the broker with a trial login, Home Assistant, and which of the hardware found to read;
    what is given as an option is not asked. The password goes into a file of its own. Ctrl-C leaves nothing behind.
    """
    from gateway.starter.questions import Given, named_password  # noqa: PLC0415 (all that follows needs the gateway)

    if file is not None and config is not None and file != config:
        raise click.UsageError("FILE and -c name two files; one is enough")
    target = file or config or DEFAULT
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on; with --yes it asks nothing")
    password = named_password(password_file, password_env, password_credential, target.parent)
    if password is not None and not username:
        raise click.UsageError("a password needs --username")
    _may_write(target, yes=yes, force=force)
    given = Given(
        gateway_id=gateway_id,
        url=url,
        username=username,
        password=password,
        discovery=discovery,
        hardware=hardware,
        trial=not no_trial,
    )
    answers = _answers(given, yes=yes)
    settings = _put(answers, target)
    _tell(answers, settings, target, as_json=as_json)
    return OK


def _may_write(target: Path, *, yes: bool, force: bool) -> None:
    if target.is_dir():
        raise click.UsageError(f"{target} is a folder; did you mean {target / DEFAULT}?")
    if not target.parent.is_dir():
        raise click.ClickException(f"the folder {target.parent} is not there; make it first: mkdir -p {target.parent}")
    if not os.access(target.parent, os.W_OK):
        raise click.ClickException(f"this user may not write in {target.parent}; try: sudo sensorpost init {target}")
    if target.exists() and not force:
        if yes:
            raise click.ClickException(f"{target} is there already; --force overwrites it")
        if not click.confirm(f"{target} is there already. Overwrite it?", err=True):
            raise click.ClickException(f"{target} was left as it is")


def _answers(given: Given, *, yes: bool) -> Answers:
    from gateway.scan.survey import survey  # noqa: PLC0415
    from gateway.starter.login import login  # noqa: PLC0415
    from gateway.starter.questions import Refused, ask, defaults  # noqa: PLC0415
    from gateway.status import logs  # noqa: PLC0415

    logs.setup(logs.NOTHING, "text")
    if not yes:
        return ask(given, survey, login)
    try:
        return defaults(given, survey, login)
    except Refused as error:
        raise click.ClickException(f"{error}. Nothing was written; --no-trial writes it all the same") from None


def _put(answers: Answers, target: Path) -> Settings:
    from gateway.starter.place import put  # noqa: PLC0415
    from gateway.starter.text import text_of  # noqa: PLC0415

    settings = put(answers, text_of(answers), target, os.environ)
    for warning in settings.warnings:
        note(f"warning: {warning}")
    return settings


def _tell(answers: Answers, settings: Settings, target: Path, *, as_json: bool) -> None:
    secret = answers.password
    beside = str(target.parent / secret.where) if secret is not None and secret.how == "file" else None
    devices = [device.device for device in settings.devices]
    if as_json:
        out_json({"file": str(target), "password_file": beside, "devices": devices})
        return
    out(f"wrote {target}" + (f" and {beside}" if secret is not None and secret.is_new else ""))
    given = "" if target == DEFAULT else f" -c {target}"
    if secret is not None and secret.how == "credential":
        note(f"the unit has to bring the password: LoadCredential={secret.where}:/path/of/the/file")
    note("next:")
    steps = [
        ("check", "what it means"),
        (f"read {devices[0]}", "a reading, without the broker"),
        ("run", "the gateway"),
        ("doctor", "what is wrong on this machine"),
    ]
    for line, what in steps:
        note(f"  sensorpost {f'{line}{given}':<40} {what}")
    if target.absolute() != SYSTEM_FILE:
        install = f"service -c {target} install"
        note(f"  sudo sensorpost {install:<35} have systemd run it, with a copy in {SYSTEM_FILE.parent}")
