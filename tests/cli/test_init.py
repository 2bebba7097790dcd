"""``sensorpost init`` on a real terminal, and without one."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Mosquitto, free_port, wait_until
from support.capabilities import program
from support.lodging import sleeps
from support.terminal import Terminal

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def locked(make_mosquitto: Callable[..., Mosquitto], tmp_path_factory: pytest.TempPathFactory) -> Mosquitto:
    """A broker that knows pi, whose password is right."""
    passwords = tmp_path_factory.mktemp("broker") / "passwords"
    passwords.touch(0o600)
    command = [program("mosquitto_passwd") or "mosquitto_passwd", "-b", str(passwords), "pi", "right"]
    subprocess.run(command, check=True, capture_output=True)
    return make_mosquitto("allow_anonymous false", f"password_file {passwords}")


class Dialogue:
    """Somebody at a terminal."""

    def __init__(self, terminal: Terminal, process: subprocess.Popen[str]) -> None:
        self.terminal = terminal
        self.process = process

    def answer(self, question: str, text: str) -> None:
        """Wait for the question, type, and forget what is on the screen."""
        wait_until(lambda: self.terminal.shows(question), 30, question)
        self.terminal.text = ""
        os.write(self.terminal.master, text.encode() + b"\n")


@pytest.fixture
def dialogue(start: Start, terminal: Terminal) -> Callable[..., Dialogue]:
    """Start ``init`` on a terminal of its own."""

    def begin(*args: str) -> Dialogue:
        ends = {"stdin": terminal.slave, "stdout": terminal.slave, "stderr": terminal.slave}
        return Dialogue(terminal, start("init", *args, start_new_session=True, **ends))

    return begin


@pytest.mark.needs("mosquitto")
def test_a_dialogue(
    dialogue: Callable[..., Dialogue], locked: Mosquitto, sensorpost: Run, tmp_path: Path, terminal: Terminal
) -> None:
    """Wrong answers are asked again; a refused login is told with the reason; the password is never seen."""
    talk = dialogue()
    talk.answer("Name of this gateway", "attic pi")
    talk.answer("cannot be a gateway's id", "attic")
    talk.answer("URL of the broker", "nonsense")
    talk.answer("is no URL", locked.url)
    talk.answer("User at the broker", "pi")
    talk.answer("Password of pi", "wrong")
    wait_until(lambda: terminal.shows("Give other answers"), 30)
    assert "refused: Not authorized" in terminal.text
    assert "is it the password of pi" in terminal.text
    talk.answer("Give other answers", "")
    talk.answer("URL of the broker", "")
    talk.answer("User at the broker", "pi")
    talk.answer("Password of pi", "right")
    wait_until(lambda: terminal.shows("Home Assistant"), 30)
    assert "lets us in (MQTT 5)" in terminal.text
    assert "right" not in terminal.text
    talk.answer("Home Assistant", "y")
    talk.answer("Which of these?", "99")
    talk.answer("numbers from 1 to", "all")
    assert talk.process.wait(30) == 0
    assert terminal.shows("wrote sensorpost.toml and mqtt-password")
    assert "sensorpost doctor" in terminal.text
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix or path.name == "mqtt-password") == [
        "mqtt-password",
        "sensorpost.toml",
    ]
    assert stat.S_IMODE((tmp_path / "mqtt-password").stat().st_mode) & 0o007 == 0
    done = sensorpost("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"gateway attic, broker {locked.url}" in done.stdout
    assert "discovery = true" in (tmp_path / "sensorpost.toml").read_text()


@pytest.mark.parametrize("question", ["Name of this gateway", "Password of pi", "Which of these?"])
def test_ctrl_c(dialogue: Callable[..., Dialogue], tmp_path: Path, terminal: Terminal, question: str) -> None:
    """At any question: exit code 130, no file, and the terminal as it was."""
    talk = dialogue("--no-trial")
    answers = {"Name of this gateway": "", "URL of the broker": "", "User at the broker": "pi", "Password of pi": "x"}
    for asked, text in {**answers, "Home Assistant": "n"}.items():
        if asked == question:
            break
        talk.answer(asked, text)
    wait_until(lambda: terminal.shows(question), 30)
    wait_until(lambda: sleeps(talk.process.pid), 30)  # what comes before its wait for a key, Python sees after the key
    talk.process.send_signal(signal.SIGINT)
    assert talk.process.wait(30) == 130
    assert [path for path in tmp_path.iterdir() if path.is_file() or path.name.startswith(".sensorpost")] == []
    assert termios.tcgetattr(terminal.slave) == terminal.before


def test_an_existing_file(dialogue: Callable[..., Dialogue], sensorpost: Run, tmp_path: Path) -> None:
    """It is asked about, and kept at no; with --yes it needs --force."""
    file = tmp_path / "sensorpost.toml"
    file.write_text("mine")
    talk = dialogue("--no-trial")
    talk.answer("is there already. Overwrite it?", "")
    assert talk.process.wait(30) == 1
    done = sensorpost("init", "--yes", "--no-trial")
    assert (done.returncode, done.stderr) == (
        1,
        "sensorpost: sensorpost.toml is there already; --force overwrites it\n",
    )
    assert file.read_text() == "mine"
    assert sensorpost("init", "--yes", "--no-trial", "--force", "--hardware", "none").returncode == 0
    assert sensorpost("check").returncode == 0


def test_no_terminal(sensorpost: Run) -> None:
    """Wrong usage, with the way."""
    done = sensorpost("init")
    assert done.returncode == 2
    assert "--yes" in done.stderr


@pytest.mark.needs("mosquitto")
def test_for_scripts(locked: Mosquitto, sensorpost: Run, tmp_path: Path) -> None:
    """Every answer as an option; a login that is refused writes nothing; the JSON says what was written."""
    (tmp_path / "secret").write_text("wrong\n")
    (tmp_path / "secret").chmod(0o600)
    args = ["init", "--yes", "--id", "attic", "--url", locked.url, "--username", "pi", "--password-file", "secret"]
    args += ["--home-assistant", "--hardware", "none", "--json", "my.toml"]
    done = sensorpost(*args)
    assert done.returncode == 1
    assert "refused: Not authorized" in done.stderr
    assert not (tmp_path / "my.toml").exists()
    (tmp_path / "secret").write_text("right\n")
    done = sensorpost(*args)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"file": "my.toml", "password_file": "secret", "devices": ["this-machine"]}
    done = sensorpost("check", "-c", "my.toml")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--id", "attic pi"], 2, "cannot be a gateway's id"),
        (["--url", "nonsense"], 2, "is no URL"),
        (["--password-env", "MQTT"], 2, "a password needs --username"),
        (["--username", "pi", "--password-env", "A", "--password-credential", "b"], 2, "one place"),
        (["--username", "pi", "--password-file", "nowhere"], 2, "no such file"),
        (["a.toml", "-c", "b.toml"], 2, "two files"),
        (["nowhere/a.toml"], 1, "mkdir -p nowhere"),
        (["."], 2, "is a folder"),
    ],
)
def test_what_cannot_be(sensorpost: Run, args: list[str], code: int, words: str) -> None:
    """One line, and nothing is written."""
    done = sensorpost("init", "--yes", "--no-trial", "--hardware", "none", *args)
    assert done.returncode == code
    assert words.lower() in done.stderr.lower()
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("option", ["--password-env", "--password-credential"])
def test_a_password_that_only_the_gateway_has(sensorpost: Run, tmp_path: Path, option: str) -> None:
    """It is named, there is no trial login, and the rest is checked."""
    done = sensorpost(
        "init",
        "--yes",
        "--url",
        f"mqtt://127.0.0.1:{free_port()}",
        "--username",
        "pi",
        option,
        "MQTT",
        "--hardware",
        "none",
    )
    assert done.returncode == 0
    assert (
        "password = { " + option.removeprefix("--password-") + ' = "MQTT" }'
        in (tmp_path / "sensorpost.toml").read_text()
    )


def test_no_broker_yet(sensorpost: Run, tmp_path: Path) -> None:
    """The reason, the advice and the way on in the last line."""
    done = sensorpost("init", "--yes", "--url", f"mqtt://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "connection refused; sudo apt install -y mosquitto" in done.stderr
    assert done.stderr.endswith("Nothing was written; --no-trial writes it all the same\n")
    assert not (tmp_path / "sensorpost.toml").exists()
