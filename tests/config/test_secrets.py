"""gateway/config/secrets.py: where passwords come from, and that they are never shown."""

from __future__ import annotations

import traceback

import pytest
from support.workshop import DEVICE, Workshop

from gateway.config.errors import ConfigErrors
from gateway.config.load import load

PASSWORD = "hunter2"
HEAD = '[mqtt]\nusername = "pi"\npassword = {}\n' + DEVICE


def revealed(workshop: Workshop, value: str, environ: dict[str, str] | None = None) -> str:
    """The password that the gateway would use."""
    password = workshop.load(HEAD.format(value), environ).mqtt.password
    assert password is not None
    return password.reveal()


@pytest.mark.parametrize(
    ("content", "password"), [("hunter2\n", "hunter2"), ("hunter2\r\n", "hunter2"), ("a b \n\n", "a b \n"), ("é", "é")]
)
def test_from_a_file(workshop: Workshop, content: str, password: str) -> None:
    """One line end at its end is the editor's, the rest is the password's."""
    workshop.write(content, "pw").chmod(0o600)
    assert revealed(workshop, '{ file = "pw" }') == password
    assert revealed(workshop, f'{{ file = "{workshop.folder}/pw" }}') == password


def test_from_the_environment_and_from_systemd(workshop: Workshop) -> None:
    """The other two ways; nothing is warned about."""
    workshop.write("hunter2\n", "credentials/mqtt")
    environ = {"PW": "hunter2", "CREDENTIALS_DIRECTORY": f"{workshop.folder}/credentials"}
    assert revealed(workshop, '{ env = "PW" }', environ) == "hunter2"
    assert revealed(workshop, '{ credential = "mqtt" }', environ) == "hunter2"
    assert revealed(workshop, '"${PW}"', environ) == "hunter2"
    for value in ('{ env = "PW" }', '{ credential = "mqtt" }', '"${PW}"'):
        assert workshop.load(HEAD.format(value), environ).warnings == ()


def test_a_plain_password_is_warned_about(workshop: Workshop) -> None:
    """And once more when everybody can read the file."""
    path = workshop.write(HEAD.format('"hunter2"'))
    path.chmod(0o600)
    assert workshop.load(HEAD.format('"hunter2"')).warnings == (
        f'{path}:3: mqtt.password: the password is in plain text; better is {{ file = "..." }} or {{ env = "NAME" }}',
    )
    path.chmod(0o644)
    warning = workshop.load(HEAD.format('"hunter2"')).warnings[-1]
    assert warning == (
        f"{path}:3: mqtt.password: everybody on this machine can read {path}, which has a password in it; "
        f"chmod 640 {path}"
    )


def test_a_plain_password_in_an_added_file(workshop: Workshop) -> None:
    """Each file is looked at: it is that one which everybody must not read."""
    main = workshop.write(DEVICE)
    added = workshop.write('[mqtt]\nusername = "pi"\npassword = "hunter2"\n', "sensorpost.d/10-broker.toml")
    main.chmod(0o644)
    for mode, told in ((0o600, False), (0o604, True)):
        added.chmod(mode)
        warnings = [one for one in workshop.load(DEVICE).warnings if "everybody" in one]
        assert [f"can read {added}, which has a password in it" in one for one in warnings] == [True] * told


def test_a_plain_salt_in_a_file_that_everybody_can_read(workshop: Workshop) -> None:
    """With it and a list of tags anybody can tell who came and went."""
    text = f'[devices.a]\ndriver = "rdm6300"\nport = "/dev/x"\nhash_salt = "{"7" * 32}"\n'
    path = workshop.write(text)
    for mode, told in ((0o640, 0), (0o644, 1)):
        path.chmod(mode)
        warnings = [one for one in load(path, environ={}, host=workshop.host).warnings if "everybody" in one]
        line = f"{path}:4: devices.a.hash_salt: everybody on this machine can read {path}, which has a salt in it; "
        assert warnings == [f"{line}chmod 640 {path}"] * told


def test_a_file_that_everybody_can_read_is_warned_about(workshop: Workshop) -> None:
    """With the command that mends it."""
    path = workshop.write("hunter2", "pw")
    path.chmod(0o644)
    (warning,) = workshop.load(HEAD.format('{ file = "pw" }')).warnings
    assert warning.endswith(f"mqtt.password.file: everybody on this machine can read {path}; chmod 600 {path}")


def test_files_that_are_no_passwords(workshop: Workshop) -> None:
    """Too large, not text, a folder: one line each."""
    workshop.write("x" * 5000, "large").chmod(0o600)
    (workshop.folder / "binary").write_bytes(b"\xff\xfe")
    (workshop.folder / "binary").chmod(0o600)
    for name, expected in (
        ("large", "is larger than 4096 bytes"),
        ("binary", "is not UTF-8 text"),
        (".", "Is a directory"),
    ):
        (line,) = workshop.mistakes(HEAD.format(f'{{ file = "{name}" }}'))
        assert expected in line
    environ = {"CREDENTIALS_DIRECTORY": "/"}
    (line,) = workshop.mistakes(HEAD.format('{ credential = "../etc/passwd" }'), environ)
    assert '"../etc/passwd" is no name of a credential' in line


@pytest.mark.parametrize(
    "text",
    [
        '[mqtt]\npassword = "hunter2"\n',
        '[mqtt]\npasword = "hunter2"\n',
        "[mqtt]\npassword = hunter2\n",
        '[mqtt]\npassword = "hunter2\n',
        '[mqtt]\npassword: "hunter2"\n',
        '[mqtt]\npassword = ["hunter2"]\n',
        '[mqtt]\npassword = { plain = "hunter2" }\n',
        '[mqtt]\nurl = "mqtt://pi:hunter2@broker"\n',
        '[mqtt]\nurl = "mqtt://pi:hunter2/x@broker"\n',
        '[mqtt]\nurl = "http://pi:hunter2@broker"\n',
        '[mqtt]\nurl = "pi:hunter2@broker"\n',
        '[mqtt]\nurls = ["mqtt://pi:hunter2@broker", 3]\n',
        '[mqtt]\nusername = "pi"\npassword = "hunter2"\nwindow = 0\n',
        '[mqtt]\nclient_id = "\\u0000${PW}"\n',
        '[mqtt]\nprotocol = "${PW}"\n',
        DEVICE + 'token = "hunter2"\n',
        DEVICE + 'token = ["hunter2"]\n',
        DEVICE + 'port = "//pi:hunter2@host"\n',
        DEVICE + 'port = "//pi:hunter2/x@host"\n',
        DEVICE + 'port = "//pi:x@hunter2@host"\n',
        DEVICE + 'mode = "${PW}"\n',
    ],
)
def test_secrets_are_never_shown(workshop: Workshop, text: str) -> None:
    """Not in lines, JSON or tracebacks, whatever the mistake is; and what the environment holds counts as secret."""
    with pytest.raises(ConfigErrors) as caught:
        workshop.load(text, {"PW": PASSWORD})
    shown = [*caught.value.lines(), str(caught.value.as_json()), *traceback.format_exception(caught.value)]
    assert PASSWORD not in "\n".join(shown)


def test_what_is_beneath_a_secret_is_one_as_well(workshop: Workshop) -> None:
    """A number that should be where the password is may be the password."""
    (line,) = workshop.mistakes("[mqtt]\npassword = { file = 4711 }\n" + DEVICE)
    assert "mqtt.password.file" in line
    assert "4711" not in line


def test_settings_do_not_show_secrets(workshop: Workshop) -> None:
    """A settings object in a log or a debugger is harmless."""
    settings = workshop.load(HEAD.format('"hunter2"'))
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in f"{settings.mqtt.password}"
    assert settings.config_hash not in repr(settings.mqtt)
