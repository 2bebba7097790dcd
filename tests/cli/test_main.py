"""The command as a whole: what it loads, its exit codes, and that every outcome is one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from support import unwatched

from gateway.cli import main as cli
from gateway.config.errors import ConfigErrors, Problem

Sensorpost = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["check", "--help"], ["demo", "--help"]])
def test_help_loads_nothing_heavy(args: list[str], environ: dict[str, str]) -> None:
    """Help is instant: neither paho, serial, rich nor a driver is imported for it."""
    heavy = {"paho", "serial", "rich", "sqlite3", "ssl", "drivers", "gateway.app", "gateway.config.load"}
    code = f"import sys; from gateway.cli.main import main; main({args!r}); print({heavy!r} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=unwatched(environ), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"


def test_the_module_is_the_command(sensorpost: Sensorpost) -> None:
    """``python -m gateway --version`` names the project and its version."""
    done = sensorpost("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"sensorpost {cli.__version__}\n", "")


def test_every_command_is_there() -> None:
    """The help lists exactly the commands whose modules exist."""
    context = click.Context(cli.group)
    for name in cli.COMMANDS:
        command = cli.group.get_command(context, name)
        assert command is not None
        assert command.name in ("command", name)


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_help_ends_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The last lines of every command's help are examples of that command."""
    assert cli.main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Example:" in text
    assert text.rstrip().splitlines()[-1].strip().startswith(f"sensorpost {name}")
    assert f"Usage: sensorpost {name}" in text


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_config_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``-c`` and ``--json`` work everywhere."""
    cli.main([name, "--help"])
    text = capsys.readouterr().out
    assert "-c, --config FILE" in text
    assert "--json" in text


def test_a_mistyped_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """``lsten`` is wrong usage, and the one line names listen."""
    assert cli.main(["lsten"]) == 2
    assert capsys.readouterr().err == "sensorpost: no command 'lsten'; did you mean listen?\n"


def test_a_strange_command_is_answered_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is near, so all commands are named."""
    assert cli.main(["xyzzy"]) == 2
    assert capsys.readouterr().err.rstrip().endswith("; there are: " + ", ".join(cli.COMMANDS))


def test_no_command_is_wrong_usage_with_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """A bare ``sensorpost`` shows the help on stderr and where to begin, and fails as wrong usage."""
    assert cli.main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Commands:" in said.err
    assert said.err.rstrip().splitlines()[-1] == "sensorpost: say what to do; new here? try: sensorpost demo"


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["run", "--bogus"], "--bogus"),
        (["run", "--for", "8"], '"8" is no duration'),
        (["read"], "DEVICE"),
        (["listen", "-n", "0"], "x>=1"),
        (["check", "surplus"], "surplus"),
    ],
)
def test_wrong_usage_is_one_line(args: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, nothing on stdout, one line that says what is wrong and where the help is."""
    assert cli.main(args) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert reason in said.err
    assert f"(see: sensorpost {args[0]} --help)" in said.err


def _command_that_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: command)


@pytest.mark.parametrize(
    ("error", "code", "last"),
    [
        (click.ClickException("no device 'x'"), 1, "sensorpost: no device 'x'"),
        (
            FileNotFoundError(2, "No such file or directory", "a.toml"),
            1,
            "sensorpost: a.toml: no such file or directory",
        ),
        (KeyError("oops"), 1, "sensorpost: a mistake in sensorpost itself: KeyError: 'oops'"),
        (RuntimeError("two\nlines"), 1, "sensorpost: a mistake in sensorpost itself: RuntimeError: two lines"),
        (ConfigErrors([Problem("a.toml", 3, "x", "wrong")]), 78, "a.toml:3: x: wrong"),
        (
            ConfigErrors([Problem("a.toml", 3, "x", "wrong"), Problem("a.toml", 4, "y", "wrong")]),
            78,
            "sensorpost: 2 mistakes in the configuration",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_every_error_is_an_exit_code_and_a_line(
    error: BaseException, code: int, last: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is the last line on stderr, and no traceback reaches the user."""
    _command_that_raises(monkeypatch, error)
    assert cli.main(["run"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert (said.err.splitlines() or [""])[-1] == last


def test_a_reader_that_goes_away_is_no_error(environ: dict[str, str]) -> None:
    """``sensorpost drivers --json | head -n 1`` says nothing on stderr and succeeds."""
    code = (
        "import os, sys; from gateway.cli import main as m; import click\n"
        "@click.command()\n"
        "def c():\n"
        "    from gateway.cli.output import out\n"
        "    while True: out('x' * 1000)\n"
        "m.Commands.get_command = lambda *a: c\n"
        "sys.exit(m.main(['run']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_closed_streams_and_a_deleted_folder(tmp_path: Path, environ: dict[str, str]) -> None:
    """As a careless starter leaves them: it works, and no file gets the number of stdout."""
    config = tmp_path / "sensorpost.toml"
    config.write_text('[devices.fake]\ndriver = "mock"\n')
    script = 'mkdir gone && cd gone && rmdir ../gone && exec <&- >&- 2>&- && exec "$@"'
    command = [sys.executable, "-m", "gateway", "check", "-c", str(config)]
    done = subprocess.run(["sh", "-c", script, "sh", *command], env=environ, cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_completion_of_command_names(environ: dict[str, str]) -> None:
    """Shell completion, which click brings, knows our commands."""
    environ |= {"_SENSORPOST_COMPLETE": "bash_complete", "COMP_WORDS": "sensorpost l", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-m", "gateway"], env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["plain,listen"]
