"""The questions at a terminal. What was given on the command line is not asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from gateway.cli.output import note
from gateway.config.broker import DEFAULT_URL
from gateway.config.identity import Host, default_id
from gateway.config.settings import Secret
from gateway.scan.finding import Finding
from gateway.starter.answers import PASSWORD_FILE, Answers, Password, is_sure, readable, title, wrong
from gateway.starter.login import Login

Survey = Callable[[], Sequence[Finding]]
LogIn = Callable[[str, str, str, Secret | None], Login]

OTHER, AGAIN, KEEP = "other", "again", "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command line says; ``None``: to be asked, or the default."""

    gateway_id: str | None = None
    url: str | None = None
    username: str | None = None
    password: Password | None = None
    discovery: bool | None = None
    hardware: str | None = None
    """``sure``, ``all`` or ``none``."""
    trial: bool = True


class Refused(Exception):
    """The broker was not reached or does not let us in; the text says why."""


def defaults(given: Given, survey: Survey, log_in: LogIn) -> Answers:
    """Every answer without a question. Raises ``Refused``, ``click.UsageError``."""
    answers = Answers(
        gateway_id=given.gateway_id or default_id(Host()),
        url=given.url or DEFAULT_URL,
        username=given.username or "",
        password=given.password,
        discovery=bool(given.discovery),
    )
    _refuse(given)
    if given.trial and not _is_secret_elsewhere(answers):
        done = _try(answers, log_in)
        if not done.is_in:
            raise Refused(f"{answers.url}: {done.text}; {done.advice}")
    found = [] if given.hardware == "none" else readable(survey())
    return replace(answers, found=tuple(one for one in found if given.hardware == "all" or is_sure(one)))


def ask(given: Given, survey: Survey, log_in: LogIn) -> Answers:
    """Every answer, asked for where it was not given. ``click.Abort`` at Ctrl-C."""
    _refuse(given)
    gateway_id = given.gateway_id or _text(
        "Name of this gateway (its level in the topics)", default_id(Host()), lambda text: wrong(text, DEFAULT_URL)
    )
    answers = _broker(Answers(gateway_id=gateway_id, url=""), given, log_in)
    discovery = given.discovery
    if discovery is None:
        discovery = click.confirm("Is there a Home Assistant at this broker, and shall it find all devices?", err=True)
    return replace(answers, discovery=discovery, found=_hardware(given, survey))


def _broker(answers: Answers, given: Given, log_in: LogIn) -> Answers:
    """Ask until the broker lets us in, or the answers are to be kept as they are."""
    while True:
        answers = _account(answers, given)
        if not given.trial or _is_secret_elsewhere(answers):
            return answers
        again = _visit(answers, log_in)
        while again == AGAIN:
            again = _visit(answers, log_in)
        if again != OTHER:
            return answers
        given = replace(given, url=None, username=None, password=None)


def _account(answers: Answers, given: Given) -> Answers:
    gateway_id, before = answers.gateway_id, answers.url or DEFAULT_URL
    url = given.url or _text("URL of the broker", before, lambda text: wrong(gateway_id, text))
    username = given.username
    if username is None:
        username = click.prompt("User at the broker (Enter: none)", "", show_default=False, err=True).strip()
    password = given.password
    if password is None and username:
        typed = click.prompt(f"Password of {username} (not shown)", hide_input=True, err=True)
        password = Password("file", PASSWORD_FILE, Secret(typed), is_new=True)
    return replace(answers, url=url, username=username, password=password)


def _visit(answers: Answers, log_in: LogIn) -> str:
    """Try the login, and say how it went; what to do now."""
    note(f"{answers.url} ...")
    done = _try(answers, log_in)
    note(f"  {done.text}")
    if done.is_in:
        return KEEP
    note(f"  {done.advice}")
    ways = click.Choice([OTHER, AGAIN, KEEP])
    word: str = click.prompt("Give other answers, try the same again, or keep them", OTHER, type=ways, err=True)
    return word


def _is_secret_elsewhere(answers: Answers) -> bool:
    """Whether the password is where only the gateway will see it."""
    return answers.password is not None and answers.password.text is None


def _hardware(given: Given, survey: Survey) -> tuple[Finding, ...]:
    if given.hardware == "none":
        return ()
    note("Looking at what is connected; nothing is changed ...")
    found = readable(survey())
    sure = [str(number) for number, one in enumerate(found, 1) if is_sure(one)]
    if given.hardware is not None:
        return tuple(one for one in found if given.hardware == "all" or is_sure(one))
    for number, one in enumerate(found, 1):
        note(f"  {number}  {title(one)}")
    if not found:
        note("  nothing that a driver reads")
        return ()
    while True:
        text = click.prompt("Which of these? Numbers, all or none", ",".join(sure) or "none", err=True).strip().lower()
        if text in ("all", "none"):
            return tuple(found) if text == "all" else ()
        words = text.replace(",", " ").split()
        if words and all(word.isdecimal() and 1 <= int(word) <= len(found) for word in words):
            return tuple(found[number] for number in sorted({int(word) - 1 for word in words}))
        note(f"  numbers from 1 to {len(found)}, such as 1,2")


def _refuse(given: Given) -> None:
    """Raises ``click.UsageError`` for what was given and cannot be."""
    if reason := wrong(given.gateway_id or default_id(Host()), given.url or DEFAULT_URL):
        raise click.UsageError(reason)


def _text(question: str, default: str, check: Callable[[str], str]) -> str:
    while True:
        text: str = click.prompt(question, default, err=True).strip()
        reason = check(text)
        if not reason:
            return text
        note(f"  {reason}")


def _try(answers: Answers, log_in: LogIn) -> Login:
    secret = answers.password.text if answers.password is not None else None
    return log_in(answers.gateway_id, answers.url, answers.username, secret)


def named_password(file: Path | None, env: str | None, credential: str | None, folder: Path) -> Password | None:
    """The password that the command line names. Raises ``click.UsageError``."""
    given = [(how, where) for how, where in (("file", file), ("env", env), ("credential", credential)) if where]
    if len(given) > 1:
        raise click.UsageError("one place for the password is enough")
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise click.UsageError(f"--password-file {file}: {reason}") from None
        near = file.absolute().parent == folder.absolute()
        where = file.name if near else str(file.absolute())
        return Password("file", where, Secret(text.removesuffix("\n").removesuffix("\r")))
    if env is not None:
        text_ = os.environ.get(env)
        return Password("env", env, None if text_ is None else Secret(text_))
    return None if credential is None else Password("credential", credential)
