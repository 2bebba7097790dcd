"""Questions and defaults; on a real terminal they are in tests/cli/test_init.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.config.settings import Secret
from gateway.scan.finding import Finding
from gateway.starter.answers import Answers, Password
from gateway.starter.login import Login
from gateway.starter.questions import Given, Refused, ask, defaults, named_password

IN, OUT = Login(True, "lets us in"), Login(False, "refused", "mend it")
Asked = Callable[..., tuple[Answers, str]]


def asked(given: Given, found: Sequence[Finding], logins: list[Login], *lines: str) -> tuple[Answers, str]:
    """The answers of somebody who types these lines, and what was shown."""
    result: list[Answers] = []

    @click.command()
    def command() -> None:
        result.append(ask(given, lambda: found, lambda *_: logins.pop(0)))

    done = CliRunner().invoke(command, input="".join(f"{line}\n" for line in lines), catch_exceptions=False)
    assert result, done.output
    return result[0], done.output


def test_everything_is_given(found: list[Finding]) -> None:
    """Then nothing is asked."""
    given = Given(gateway_id="attic", url="mqtt://b", username="", discovery=True, hardware="sure")
    answers, shown = asked(given, found, [IN])
    assert answers == Answers(gateway_id="attic", url="mqtt://b", discovery=True, found=(found[0],))
    assert "?" not in shown
    assert ":" not in shown.replace("mqtt://b", "")


def test_the_same_again_and_kept(found: list[Finding]) -> None:
    """A broker that is still to be set up: the answers stay."""
    given = Given(gateway_id="attic", url="mqtt://b", username="", discovery=False, hardware="none")
    answers, shown = asked(given, found, [OUT, OUT, OUT], "again", "again", "keep")
    assert answers.url == "mqtt://b"
    assert shown.count("mend it") == 3
    answers, _ = asked(given, found, [OUT, IN], "again")
    assert answers.found == ()


def test_other_answers(found: list[Finding]) -> None:
    """What was given and refused is asked after all."""
    given = Given(gateway_id="attic", url="mqtt://a", username="", discovery=False, hardware="none")
    answers, _ = asked(given, found, [OUT, IN], "other", "mqtt://b", "pi", "secret")
    assert (answers.url, answers.username) == ("mqtt://b", "pi")
    assert answers.password == Password("file", "mqtt-password", Secret("secret"), is_new=True)


@pytest.mark.parametrize(
    ("line", "chosen"), [("", [0]), ("all", [0, 1]), ("none", []), ("2 1", [0, 1]), ("2,2", [1]), ("0\nx\n2", [1])]
)
def test_which_hardware(found: list[Finding], line: str, chosen: list[int]) -> None:
    """By numbers; what is sure is the default."""
    given = Given(gateway_id="attic", url="mqtt://b", username="", discovery=False, trial=False)
    answers, shown = asked(given, found, [], line)
    assert list(answers.found) == [found[number] for number in chosen]
    assert "1  bus 1 0x76: answers (BME280)" in shown


def test_nothing_is_connected() -> None:
    """Then there is nothing to choose."""
    given = Given(gateway_id="attic", url="mqtt://b", username="", discovery=False, trial=False)
    answers, shown = asked(given, [], [])
    assert answers.found == ()
    assert "nothing that a driver reads" in shown


def test_defaults(found: list[Finding]) -> None:
    """What is sure, unless all or nothing is wanted; a refused login ends it."""
    given = Given(gateway_id="attic", url="mqtt://b")
    assert defaults(given, lambda: found, lambda *_: IN).found == (found[0],)
    everything = Given(gateway_id="attic", hardware="all", trial=False)
    assert defaults(everything, lambda: found, lambda *_: OUT).found == (found[0], found[1])
    with pytest.raises(Refused, match="mqtt://b: refused; mend it"):
        defaults(given, lambda: found, lambda *_: OUT)
    with pytest.raises(click.UsageError, match="cannot be"):
        defaults(Given(gateway_id="a b"), lambda: found, lambda *_: IN)


def test_passwords_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beside the configuration by its name, another by its whole path; a variable may be unset."""
    (tmp_path / "secret").write_bytes(b"a b\r\n")
    assert named_password(tmp_path / "secret", None, None, tmp_path) == Password("file", "secret", Secret("a b"))
    elsewhere = named_password(tmp_path / "secret", None, None, tmp_path / "x")
    assert elsewhere is not None
    assert elsewhere.where == str(tmp_path / "secret")
    monkeypatch.setenv("MQTT", "x")
    assert named_password(None, "MQTT", None, tmp_path) == Password("env", "MQTT", Secret("x"))
    monkeypatch.delenv("MQTT")
    assert named_password(None, "MQTT", None, tmp_path) == Password("env", "MQTT")
    assert named_password(None, None, None, tmp_path) is None
