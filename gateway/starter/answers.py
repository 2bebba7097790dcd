"""What is asked, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.config.errors import ConfigErrors
from gateway.config.load import loads
from gateway.config.report import show
from gateway.config.settings import Secret, Settings
from gateway.scan.finding import Finding

PASSWORD_FILE = "mqtt-password"  # noqa: S105 (the file's name)
"""Beside the configuration."""
MACHINE = '[devices.this-machine]\ndriver = "system"'
"""A configuration needs a device, and this one is always there."""


@dataclass(frozen=True, slots=True)
class Password:
    """The broker's password, and how the configuration names it; it never stands there itself."""

    how: str
    """``file``, ``env`` or ``credential``."""
    where: str
    text: Secret | None = None
    """The password itself where it is known."""
    is_new: bool = False
    """Whether the file is still to be written."""

    def as_toml(self) -> str:
        """``{ file = "mqtt-password" }``."""
        return f"{{ {self.how} = {quoted(self.where)} }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Everything that the file is made of."""

    gateway_id: str
    url: str
    username: str = ""
    password: Password | None = None
    discovery: bool = False
    found: Sequence[Finding] = field(default=())
    """The hardware to read, each with a stanza."""


def quoted(text: str) -> str:
    """A text as TOML has it."""
    import json  # noqa: PLC0415 (TOML escapes as JSON does)

    return json.dumps(text, ensure_ascii=False)


def broker_of(gateway_id: str, url: str, username: str = "", password: Secret | None = None) -> Settings:
    """The settings for a visit to the broker. Raises ``ConfigErrors`` when an answer cannot be."""
    lines = ["[gateway]", f"id = {quoted(gateway_id)}", "[mqtt]", f"url = {quoted(url)}"]
    environ = {}
    if username:
        lines.append(f"username = {quoted(username)}")
    if password is not None:
        environ["PASSWORD"] = password.reveal()
        lines.append('password = { env = "PASSWORD" }')
    return loads("\n".join([*lines, MACHINE]), name="", environ=environ)


def wrong(gateway_id: str, url: str) -> str:
    """What is wrong with an answer, in one line; empty when nothing is."""
    try:
        broker_of(gateway_id, url)
    except ConfigErrors as errors:
        problem = errors.problems[0]
        return f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    return ""


def readable(findings: Sequence[Finding]) -> list[Finding]:
    """What can be read: each has a stanza, and all of them get along with each other."""
    chosen: list[Finding] = []
    for finding in findings:
        if finding.stanza and fits([*chosen, finding]):
            chosen.append(finding)
    return chosen


def fits(findings: Sequence[Finding]) -> bool:
    """Whether their stanzas are a valid configuration together."""
    try:
        loads("\n\n".join(finding.stanza for finding in findings))
    except ConfigErrors:
        return False
    return True


def is_sure(finding: Finding) -> bool:
    """Whether it has told itself what it is."""
    return any(candidate.sure for candidate in finding.candidates)


def title(finding: Finding) -> str:
    """One line for people, from what a device may have said itself."""
    names = " or ".join(dict.fromkeys(candidate.name for candidate in finding.candidates)) or finding.what
    where = f"{finding.where}: " if finding.where else ""
    text = f"{where}{finding.what}" + (f" ({names})" if names != finding.what else "")
    return show(text)[1:-1] if not text.isprintable() else text
