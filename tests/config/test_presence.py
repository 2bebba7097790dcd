"""gateway/config/presence.py: what a reader of tags is told in the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.catalog import Catalog
from gateway.config.errors import ConfigErrors
from gateway.config.load import loads
from gateway.config.settings import PresenceSettings, Secret, Settings

DRIVER = '''"""Tags that a test wants."""
from gateway.driver import Channel, TagDriver, TagOptions, option, options

@options
class Options(TagOptions):
    once: bool = option(False, help="reports a tag once")

class Tags(TagDriver[Options]):
    options_type = Options

    @classmethod
    def extra_channels_for(cls, options):
        return (Channel("number", type=str),)

    def read(self):
        return None

    @classmethod
    def holds_for(cls, options):
        return not options.once
'''
SALT = "0123456789abcdef"


class Configure:
    """``configure("gone_after = '1s'")``: a device with these keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "drivers").mkdir()
        (folder / "drivers" / "tags.py").write_text(DRIVER)

    def __call__(self, keys: str = "", environ: Mapping[str, str] | None = None, *, strict: bool = False) -> Settings:
        """Load it."""
        return loads(
            f'[gateway]\nid = "attic"\n[devices.door]\ndriver = "tags"\n{keys}',
            name="x.toml",
            folder=self.folder,
            environ=environ or {},
            catalog=Catalog(bundled=self.folder / "drivers"),
            strict=strict,
        )

    def presence(self, keys: str = "", environ: Mapping[str, str] | None = None) -> PresenceSettings:
        """What is said of its tags."""
        (device,) = self(keys, environ).devices
        assert device.presence is not None
        return device.presence

    def refused(self, keys: str, environ: Mapping[str, str] | None = None, *, strict: bool = False) -> list[str]:
        """What is wrong."""
        with pytest.raises(ConfigErrors) as caught:
            self(keys, environ, strict=strict)
        return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """A folder with a driver of tags."""
    return Configure(tmp_path)


def test_defaults(configure: Configure) -> None:
    """Half a second, no hash, no list; an event device that is not retained."""
    (device,) = configure().devices
    assert device.presence == PresenceSettings(gone_after=0.5, holds=True)
    assert (device.kind, device.retain, device.durability) == ("event", False, "full")
    assert [one.key for one in device.channels] == ["event", "tag", "dwell_s", "at_start", "number"]


def test_the_driver_says_whether_it_holds(configure: Configure) -> None:
    """By its options."""
    assert configure.presence("once = true").holds is False


def test_the_salt_comes_from_where_passwords_do(configure: Configure) -> None:
    """A file, the environment, systemd; a plain one is warned about."""
    (configure.folder / "salt").write_text(SALT + "\n")
    (configure.folder / "salt").chmod(0o600)
    assert configure.presence('hash_salt = { file = "salt" }').salt == Secret(SALT)
    assert configure.presence('hash_salt = { env = "SALT" }', {"SALT": SALT}).salt == Secret(SALT)
    credentials = {"CREDENTIALS_DIRECTORY": str(configure.folder)}
    assert configure.presence('hash_salt = { credential = "salt" }', credentials).salt == Secret(SALT)
    settings = configure(f'hash_salt = "{SALT}"')
    assert settings.warnings == (
        'x.toml:5: devices.door.hash_salt: the salt is in plain text; better is { file = "..." } or { env = "NAME" }',
    )
    assert SALT not in repr(settings.devices[0].presence)


def test_a_salt_that_is_none(configure: Configure) -> None:
    """Too short, empty, not there: said without showing it."""
    (short,) = configure.refused('hash_salt = "secretly"')
    assert short.startswith("x.toml:5: devices.door.hash_salt: the salt is too short to keep anything secret")
    assert "accepted: at least 16 characters, such as from: openssl rand -hex 16" in short
    assert configure.refused('hash_salt = { env = "SALT" }', {"SALT": ""}) == [
        "x.toml:5: devices.door.hash_salt.env: the salt is empty; leave the key out where none is wanted"
    ]
    assert "names no place where the salt is" in configure.refused("hash_salt = {}")[0]
    assert "got a value that is not shown" in configure.refused("hash_salt = 123456789")[0]


def test_a_list_is_beside_the_configuration(configure: Configure) -> None:
    """Its channels are there only when there is a list."""
    (configure.folder / "tags.toml").write_text("[tags]\n04a2 = 'Anna'\n")
    (device,) = configure('tag_list = "tags.toml"', strict=True).devices
    assert device.presence is not None
    assert device.presence.tag_list == configure.folder / "tags.toml"
    assert {one.key for one in device.channels} >= {"known", "label", "allowed"}


def test_a_bad_list(configure: Configure) -> None:
    """A mistake for ``check``; the gateway starts without it and says so."""
    file = configure.folder / "tags.toml"
    file.write_text("[tags]\nx = 1\ny = 2\n")
    first = f"x.toml:5: devices.door.tag_list: {file}:2: tags.x: is no tag"
    mistakes = configure.refused('tag_list = "tags.toml"', strict=True)
    assert len(mistakes) == 2
    assert mistakes[0].startswith(first)
    (warning,) = configure('tag_list = "tags.toml"').warnings
    assert warning.startswith(first)
    assert warning.endswith("until it is repaired, all tags are unknown")


def test_range(configure: Configure) -> None:
    """As every option is checked."""
    assert "accepted: from 50ms to 1h" in configure.refused('gone_after = "1ms"')[0]
