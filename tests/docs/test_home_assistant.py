"""What docs/home-assistant.md shows is tried."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from gateway.cli.discovery import command
from gateway.config.load import loads

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "home-assistant.md").read_text()


def test_the_entities_are_those_of_the_demo(tmp_path: Path) -> None:
    """As the command prints them."""
    demo = (ROOT / "gateway" / "cli" / "demo.toml").read_text().replace("[gateway]", '[gateway]\nid = "attic-pi"')
    file = tmp_path / "demo.toml"
    file.write_text(demo)
    listed = re.search(r"<!-- demo -->\n```\n(.*?)```", PAGE, re.DOTALL)
    assert listed is not None
    done = CliRunner().invoke(
        command, ["show", "greenhouse", "front-door", "door-tags", "-c", str(file)], standalone_mode=False
    )
    assert done.stdout == listed[1]


def test_the_configurations_are_valid() -> None:
    """Both, together, with the channels that the first one needs."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    settings = loads("\n".join(blocks), strict=True)
    office = settings.devices[0]
    shown = {channel.channel.name: channel for channel in office.channels}
    assert settings.homeassistant.discovery
    assert (shown["pressure"].icon, shown["pressure"].enabled_by_default) == ("mdi:gauge", False)
    assert not shown["humidity"].homeassistant
    assert [device.homeassistant for device in settings.devices] == [True, False]
